"""An object in a process of its own: what it does there may crash, and only that process ends.

The process is forked, so that it has all that its parent has loaded. It reads nothing and what it prints is dropped, for the
report has stdout; stderr stays. It works only while its parent waits for it.
"""

from __future__ import annotations

import faulthandler
import os
import signal
import sys
from collections.abc import Callable
from contextlib import suppress
from multiprocessing import Pipe
from multiprocessing.connection import Connection
from typing import Any, NoReturn

from armprof.components.failure import Failed, told
from armprof.components.processes import ended
from armprof.errors import ArmprofError


class Remote:
    """What ``make`` makes there, and its methods by name. Either raises Failed where it failed or its process ended, and
    ArmprofError where it refuses.
    """

    def __init__(self, make: Callable[[], Any]) -> None:
        sys.stdout.flush()
        sys.stderr.flush()
        self._pipe, theirs = Pipe()
        self._pid = os.fork()
        if self._pid == 0:
            self._pipe.close()
            _serve(theirs, make)
        theirs.close()
        try:
            self._receive()
        except BaseException:
            self.close()
            raise

    def call(self, method: str, *arguments: Any) -> Any:
        """What the method returns."""
        with suppress(ConnectionError):  # it is gone, which receiving tells
            self._pipe.send((method, arguments))
        return self._receive()

    def close(self) -> None:
        """Ends the process."""
        self._pipe.close()
        if self._pid:
            os.kill(self._pid, signal.SIGKILL)
            self._wait()

    def _receive(self) -> Any:
        try:
            outcome, value = self._pipe.recv()
        except (EOFError, ConnectionError):
            outcome, value = "failed", ended(self._wait())
        if outcome == "refused":
            raise ArmprofError(value)
        if outcome == "failed":
            raise Failed(value)
        return value

    def _wait(self) -> int:
        pid, self._pid = self._pid, 0
        return os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1])


def _serve(pipe: Connection, make: Callable[[], Any]) -> NoReturn:
    """In the child: makes the object and then does what is asked, until nobody asks any more."""
    try:
        faulthandler.disable()  # how it ended is told in one line
        _without_input_and_output()
        made: list[Any] = []
        _answer(pipe, lambda: made.append(make()))
        while True:
            method, arguments = pipe.recv()
            _answer(pipe, lambda: getattr(made[0], method)(*arguments))  # noqa: B023
    except (EOFError, OSError, KeyboardInterrupt):
        pass  # the parent is gone, or will be: Ctrl-C is for both
    finally:
        os._exit(0)


def _without_input_and_output() -> None:
    nothing = os.open(os.devnull, os.O_RDWR)
    for stream in (0, 1):
        os.dup2(nothing, stream)
    os.close(nothing)
    sys.stdin = open(0, closefd=False)  # noqa: SIM115  # a notebook has others
    sys.stdout = open(1, "w", closefd=False)  # noqa: SIM115


def _answer(pipe: Connection, work: Callable[[], Any]) -> None:
    try:
        answer = ("done", work())
    except Failed as error:
        answer = ("failed", str(error))
    except ArmprofError as error:
        answer = ("refused", str(error))
    except BaseException as error:  # SystemExit and KeyboardInterrupt too
        answer = ("failed", told(error))
    pipe.send(answer)
