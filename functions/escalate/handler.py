"""The module that Lambda imports. It builds everything during init, before the first message."""

import os

from functions.escalate.app import build
from functions.escalate.settings import read_settings

handler = build(read_settings(os.environ))
