"""Counting a command: started stopped, its counters opened, then let go."""

from __future__ import annotations

import os
import signal
import threading
from collections.abc import Iterator, Sequence
from contextlib import closing, contextmanager
from dataclasses import dataclass
from typing import NoReturn

from armprof.counters import pmu
from armprof.counters.machine import canonical_events, machine
from armprof.counters.plan import TOGETHER
from armprof.counters.reading import Reading
from armprof.errors import ArmprofError, CannotCount


@dataclass(frozen=True, slots=True)
class CountedCommand:
    """``status`` is the command's exit status, 128 + N where signal N ended it."""

    reading: Reading
    status: int


def count_command(
    command: Sequence[str], events: Sequence[str] | None = None, together: Sequence[Sequence[str]] = TOGETHER
) -> CountedCommand:
    """Runs the command with its own stdin, stdout and stderr and counts it, with all that it starts.

    Counting begins at its exec, so that nothing of armprof is in it. Raises ArmprofError for a command that is not there,
    CannotCount where no process can be started.
    """
    if not command or not command[0]:
        raise ArmprofError("there is no command to count")
    names = canonical_events(events) if events is not None else machine().default_events()
    layout = pmu.layout_of(tuple(pmu.groups_of(names, together=together)))
    with Child(command) as child, closing(pmu.Counters(layout, "command", child.pid)) as counters:
        before, after = counters.new_sample(), counters.new_sample()
        with interrupts_left_to_the_command():
            counters.take_first(before)
            status = child.run()
        counters.take(after)
        return CountedCommand(counters.reading(before, after), status)


def run_command(command: Sequence[str], out: int | None = None) -> int:
    """Runs the command and counts nothing. Returns its exit status, 128 + N where signal N ended it.

    ``out`` is a descriptor to take the place of stdout.

    Raises ArmprofError for a command that is not there, CannotCount where no process can be started.
    """
    with Child(command, out) as child, interrupts_left_to_the_command():
        return child.run()


class Child:
    """A process that waits to become the command."""

    def __init__(self, command: Sequence[str], out: int | None = None) -> None:
        self.command = command
        self.pid, self._go, self._failed = _start(command, out)
        self._ended = False

    def __enter__(self) -> Child:
        return self

    def run(self) -> int:
        """Lets it go and waits for its end."""
        os.write(self._go, b"!")
        why = os.read(self._failed, 4096).decode()
        status, self._ended = _wait(self.pid), True
        if why:
            raise ArmprofError(f"cannot run {self.command[0]!r}: {why}")
        return status

    def __exit__(self, *raised: object) -> None:
        os.close(self._go)  # a child that was never let go leaves at that
        os.close(self._failed)
        if not self._ended:
            os.waitpid(self.pid, 0)


def _start(command: Sequence[str], out: int | None = None) -> tuple[int, int, int]:
    """A child that becomes the command when the first pipe brings it a byte. The second one ends with its exec, or tells
    why there was none.
    """
    ends: list[int] = []
    try:
        ends += os.pipe()
        ends += os.pipe()
        pid = os.fork()
    except OSError as e:
        for end in ends:
            os.close(end)
        raise CannotCount(f"no process could be started for {command[0]!r}: {e.strerror}") from None
    child_go, go, failed, child_failed = ends
    if pid == 0:
        os.close(go)  # or its own copy would hide from it that the parent is gone
        _become(command, child_go, child_failed, out)
    os.close(child_go)
    os.close(child_failed)
    return pid, go, failed


def _become(command: Sequence[str], go: int, failed: int, out: int | None) -> NoReturn:
    """In the child: waits for the word, then is the command."""
    try:
        if os.read(go, 1):
            if out is not None:
                os.dup2(out, 1)
            for number in (signal.SIGPIPE, signal.SIGXFSZ):  # Python ignores them, and an exec would pass that on
                signal.signal(number, signal.SIG_DFL)
            os.execvp(command[0], list(command))
    except Exception as e:  # a NUL in an argument is a ValueError
        os.write(failed, str(getattr(e, "strerror", None) or e).encode())
    finally:
        os._exit(127)


@contextmanager
def interrupts_left_to_the_command() -> Iterator[None]:
    """Ctrl-C goes to the command, which decides what comes of it; its counts are not lost. From before it is let go: it may
    be interrupted before we are even back from letting it go. It was forked earlier and inherits nothing of this.
    """
    # Python lets only the main thread set handlers, and knows none that C code has set
    main = threading.current_thread() is threading.main_thread()
    mine = [n for n in (signal.SIGINT, signal.SIGQUIT) if main and signal.getsignal(n) is not None]
    previous = {number: signal.signal(number, signal.SIG_IGN) for number in mine}
    try:
        yield
    finally:
        for number, handler in previous.items():
            signal.signal(number, handler)


def _wait(pid: int) -> int:
    _, status = os.waitpid(pid, 0)
    code = os.waitstatus_to_exitcode(status)
    return 128 - code if code < 0 else code
