"""Properties are tried at random here and with the same examples every time in CI; an example has a second in either."""

import os
from datetime import timedelta

from hypothesis import settings

settings.register_profile(
    "tests", settings.get_profile("default"), derandomize="CI" in os.environ, deadline=timedelta(seconds=1)
)
settings.load_profile("tests")
