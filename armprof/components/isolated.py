"""A trial in a process of its own: code that crashes ends that process, and the others keep their numbers.

The process is forked, so that it has all that its parent has loaded. It reads nothing and what it prints is dropped, for the
report has stdout; stderr stays. It works only while its parent waits for it.
"""

from __future__ import annotations

import os
import signal
import sys
from collections.abc import Callable
from contextlib import suppress
from dataclasses import replace
from multiprocessing import Pipe
from multiprocessing.connection import Connection
from typing import Any, NoReturn

from armprof.components.failure import Failed, told
from armprof.components.processes import ended
from armprof.components.trial import Trial
from armprof.components.work import Definition
from armprof.errors import ArmprofError
from armprof.run.record import Component


class Isolated:
    """A `Trial` as seen from here. What fails there is told by `component`, and nothing more is done with it."""

    def __init__(self, definition: Definition, make: Callable[[], Trial]) -> None:
        self._definition = definition
        self._failure: str | None = None
        self._timed: Component | None = None
        sys.stdout.flush()
        sys.stderr.flush()
        self._pipe, theirs = Pipe()
        self._pid = os.fork()
        if self._pid == 0:
            self._pipe.close()
            _serve(theirs, make)
        theirs.close()
        try:
            self._receive("warmed up")
        except BaseException:
            self.close()
            raise

    def time(self, turn: int) -> None:
        self._ask("timed", "time", turn)

    def count(self) -> str | None:
        self._timed = self._ask("timed", "component")  # before a crash in counting could take it
        why: str | None = self._ask("counted", "count")
        return why

    def component(self) -> Component:
        definition = self._definition
        found = self._ask("counted", "component") or self._timed
        found = found or Component(definition.name, definition.title, definition.kind, definition.operation)
        return replace(found, failure=self._failure)

    def close(self) -> None:
        """Ends the process."""
        self._pipe.close()
        if self._pid:
            os.kill(self._pid, signal.SIGKILL)
            self._wait()

    def _ask(self, doing: str, method: str, *arguments: Any) -> Any:
        if self._failure is not None:
            return None
        with suppress(ConnectionError):  # it is gone, which receiving tells
            self._pipe.send((method, arguments))
        return self._receive(doing)

    def _receive(self, doing: str) -> Any:
        try:
            outcome, value = self._pipe.recv()
        except (EOFError, ConnectionError):
            outcome, value = "failed", ended(self._wait())
        if outcome == "refused":
            raise ArmprofError(value)
        if outcome == "failed":
            self._failure = f"{value} while it was {doing}"
            return None
        return value

    def _wait(self) -> int:
        pid, self._pid = self._pid, 0
        return os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1])


def _serve(pipe: Connection, make: Callable[[], Trial]) -> NoReturn:
    """In the child: makes the trial and then does what is asked, until nobody asks any more."""
    try:
        _without_input_and_output()
        trials: list[Trial] = []
        _answer(pipe, lambda: trials.append(make()))
        while True:
            method, arguments = pipe.recv()
            _answer(pipe, lambda: getattr(trials[0], method)(*arguments))  # noqa: B023
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
