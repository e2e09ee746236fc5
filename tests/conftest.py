"""What all tests on this machine share."""

from __future__ import annotations

from hypothesis import settings

# No test is timed, and a slow or shared machine must not make one fail.
settings.register_profile("armprof", deadline=None)
settings.load_profile("armprof")
