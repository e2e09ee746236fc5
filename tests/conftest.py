"""What all tests on this machine share."""

from __future__ import annotations

import os

from hypothesis import settings

# The installed package is tested. Without this, a `python -m armprof` started in this folder would import the sources,
# which have no native module.
os.environ["PYTHONSAFEPATH"] = "1"

# No test is timed, and a slow or shared machine must not make one fail.
settings.register_profile("armprof", deadline=None)
settings.load_profile("armprof")
