"""What Lambda imports. Everything that can be built before the first message is built here, during init."""

import os

from functions.escalate.app import build
from functions.escalate.settings import read_settings

handler = build(read_settings(os.environ))
