"""Commands as components: run again and again by the wall clock, then counted once."""

from __future__ import annotations

import hashlib
import os
import shlex
import shutil
import signal
from collections.abc import Sequence
from contextlib import suppress
from pathlib import Path
from time import perf_counter_ns
from typing import TYPE_CHECKING

from armprof.binary import fingerprint
from armprof.components.failure import Failed
from armprof.components.work import Definition, Work
from armprof.counters.reading import Reading
from armprof.errors import ArmprofError

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray


def command(words: str | Sequence[str], called: str, title: str, operation: str, origin: str) -> Definition:
    """The command, given as a line or word by word. Raises ArmprofError where there is no such program."""
    argv = _split(words, called)
    if shutil.which(argv[0]) is None:
        raise ArmprofError(f"component {called!r}: cannot run {argv[0]!r}: there is no such program")
    title = title or shlex.join(argv)
    operation = operation or "run"
    return Definition(
        called,
        title,
        "command",
        operation,
        lambda seed, input: Process(argv),
        pinned=False,
        origin=origin,
        code=lambda: code_of(argv),
    )


def code_of(argv: Sequence[str]) -> str | None:
    """The hash of the program's machine code, and of the words and files behind it: those of an interpreter are its code."""
    program = shutil.which(argv[0])
    own = fingerprint.of_file(Path(program)) if program else None
    if own is None:
        return None
    whole = hashlib.sha256(own.encode())
    for word in argv[1:]:
        whole.update(b"\0" + os.fsencode(word))
        if os.path.isfile(word):
            with suppress(OSError), open(word, "rb") as file:
                whole.update(hashlib.file_digest(file, "sha256").digest())
    return whole.hexdigest()[: fingerprint.LENGTH]


def _split(words: str | Sequence[str], called: str) -> list[str]:
    try:
        argv = shlex.split(words) if isinstance(words, str) else list(words)
    except ValueError as error:
        raise ArmprofError(f"component {called!r}: the command {words!r}: {error}") from None
    if not argv or not all(isinstance(word, str) and "\0" not in word for word in argv) or not argv[0]:
        raise ArmprofError(f"component {called!r}: {words!r} is no command")
    return argv


class Process(Work):
    """A command, from its start to its end. It inherits what the process has that benches it."""

    notes = ("timed from its start to its end, starting a process included, and counted in one run; not pinned",)

    def __init__(self, argv: list[str]) -> None:
        self._argv = argv

    def run(self, operations: int) -> None:
        for _ in range(operations):
            # Python ignores these two, and an exec would pass that on
            pid = os.posix_spawnp(self._argv[0], self._argv, os.environ, setsigdef=(signal.SIGPIPE, signal.SIGXFSZ))
            _, status = os.waitpid(pid, 0)
            _check(os.waitstatus_to_exitcode(status))

    def sample(self, batch: int, samples: int) -> NDArray[np.uint64]:
        import numpy as np

        ns = np.zeros(samples, dtype=np.uint64)
        for i in range(samples):
            start = perf_counter_ns()
            self.run(batch)
            ns[i] = perf_counter_ns() - start
        return ns

    def count(self, operations: int) -> tuple[Reading, int]:
        from armprof.counters.command import count_command

        outcome = count_command(self._argv)
        _check(outcome.status)
        return outcome.reading, 1


def _check(status: int) -> None:
    """``status``: the exit status, or -N or 128 + N where signal N ended it."""
    if status:
        raise Failed(f"the command ended with {ended(status)}")


def ended(status: int) -> str:
    """How a process ended, in words."""
    if status >= 0:
        return f"exit status {status}"
    try:
        return signal.Signals(-status).name
    except ValueError:  # a real-time signal
        return f"signal {-status}"
