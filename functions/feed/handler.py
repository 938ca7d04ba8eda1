"""The module that Lambda imports. It builds everything during init, before the first run."""

import os

from functions.feed.app import build
from functions.feed.settings import read_settings

handler = build(read_settings(os.environ))
