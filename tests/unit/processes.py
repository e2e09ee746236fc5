"""Running a part of a test in a process of its own, for what a process can do only once."""

from __future__ import annotations

import functools
import os
import subprocess
import sys
import traceback
from collections.abc import Callable


def in_child(function: Callable[[], object]) -> str:
    """What the function returns in a child after fork, as text. Fails with the child's traceback."""
    read, write = os.pipe()
    pid = os.fork()
    if pid == 0:
        status = 1
        try:
            os.close(read)
            os.write(write, str(function()).encode())
            status = 0
        except BaseException:
            os.write(write, traceback.format_exc().encode())
        finally:
            os._exit(status)
    os.close(write)
    with open(read) as stream:
        told = stream.read()
    status = os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1])
    assert status == 0, f"the child ended with {status}:\n{told}"
    return told


def forked(test: Callable[..., None]) -> Callable[..., None]:
    """The test runs in a child after fork, so that what it sets up for the whole process ends with it."""

    @functools.wraps(test)
    def run(*args: object, **kwargs: object) -> None:
        in_child(lambda: test(*args, **kwargs))

    return run


# An editable install asks its build system about every interpreter's first import, which takes seconds where the machine
# is busy. The tests' own import has done that.
_AS_BUILT = """
import sys
for _finder in sys.meta_path:
    if hasattr(_finder, "_build_cmd"):
        _finder._build_cmd = ["true"]
del _finder
"""


def python(script: str) -> subprocess.CompletedProcess[str]:
    """The script, run to its end by a new interpreter in which nothing was imported."""
    return subprocess.run(
        [sys.executable, "-P", "-c", _AS_BUILT + script], capture_output=True, text=True, check=False, timeout=120
    )
