"""What all tests on this machine share."""

from __future__ import annotations

import os
import signal

from hypothesis import settings

# The installed package is tested. Without this, a `python -m armprof` started in this folder would import the sources,
# which have no native module.
os.environ["PYTHONSAFEPATH"] = "1"

# A shell starts what it puts into the background with these ignored, and that is inherited: by the commands that the tests
# interrupt, too.
signal.signal(signal.SIGINT, signal.default_int_handler)
signal.signal(signal.SIGQUIT, signal.SIG_DFL)

# No test is timed, and a slow or shared machine must not make one fail.
settings.register_profile("armprof", deadline=None)
settings.load_profile("armprof")
# What `make test` says of the same code is the same each time; pytest by itself tries others each time.
settings.register_profile("alike", deadline=None, derandomize=True, database=None)
