"""Counting a command: started stopped, its counters opened, then let go."""

from __future__ import annotations

import os
import signal
from collections.abc import Sequence
from dataclasses import dataclass
from typing import NoReturn

from armprof.counters import pmu
from armprof.counters.machine import canonical_events, machine
from armprof.counters.reading import Reading
from armprof.errors import ArmprofError


@dataclass(frozen=True, slots=True)
class Outcome:
    """``status`` is the command's exit status, 128 + N where signal N ended it."""

    reading: Reading
    status: int


def count_command(command: Sequence[str], events: Sequence[str] | None = None) -> Outcome:
    """Runs the command with its own stdin, stdout and stderr and counts it, with all that it starts.

    Counting begins at its exec, so that nothing of armprof is in it. Raises ArmprofError for a command that is not there.
    """
    names = canonical_events(events) if events is not None else machine().default_events()
    layout = pmu.layout_of(tuple(pmu.groups_of(names)))
    go_read, go_write = os.pipe()
    failed_read, failed_write = os.pipe()  # close-on-exec: an end of file says that the exec succeeded
    pid = os.fork()
    if pid == 0:
        _become(command, go_read, failed_write)
    os.close(go_read)
    os.close(failed_write)
    try:
        counters = pmu.Counters(layout, "command", pid)
    except BaseException:
        os.close(go_write)  # an end of file instead of the word: the child leaves
        os.waitpid(pid, 0)
        raise
    try:
        before, after = counters.new_sample(), counters.new_sample()
        counters.take_first(before)
        os.write(go_write, b"!")
        os.close(go_write)
        failed = os.read(failed_read, 64)
        status = _wait(pid)
        counters.take(after)
        if failed:
            raise ArmprofError(f"cannot run {command[0]!r}: {os.strerror(int(failed))}")
        return Outcome(counters.reading(before, after), status)
    finally:
        os.close(failed_read)
        counters.close()


def _become(command: Sequence[str], go: int, failed: int) -> NoReturn:
    """In the child: waits for the word, then is the command."""
    try:
        if os.read(go, 1):
            for number in (
                signal.SIGPIPE,
                signal.SIGXFSZ,
            ):  # Python ignores them, and an exec would pass that on
                signal.signal(number, signal.SIG_DFL)
            os.execvp(command[0], list(command))
    except OSError as e:
        os.write(failed, str(e.errno).encode())
    finally:
        os._exit(127)


def _wait(pid: int) -> int:
    """Waits for the child. Ctrl-C goes to the command, which decides what comes of it; its counts are not lost."""
    previous = {number: signal.signal(number, signal.SIG_IGN) for number in (signal.SIGINT, signal.SIGQUIT)}
    try:
        _, status = os.waitpid(pid, 0)
    finally:
        for number, handler in previous.items():
            signal.signal(number, handler)
    code = os.waitstatus_to_exitcode(status)
    return 128 - code if code < 0 else code
