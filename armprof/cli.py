"""The command line: what happens around a verb."""

from __future__ import annotations

import errno
import os
import sys
from collections.abc import Sequence

from armprof import __version__
from armprof.commands.verbs import EXIT_STATUS
from armprof.commands.verbs import VERBS as VERBS

USAGE = f"""usage: armprof VERB [...]
       armprof VERB --help

Counts what an ARM64 core does while code runs, and says what to change.

{chr(10).join(f"  {verb:11} {does}" for verb, does in VERBS.items())}

  --version, --help

{EXIT_STATUS}
"""


# How writing fails to what is no file of ours, whose name would stand in the error.
_UNWRITABLE = {errno.ENOSPC, errno.EDQUOT, errno.EFBIG, errno.EIO, errno.EBADF}
# As a shell tells that a signal ended a program; by numbers, since what `import signal` brings doubles the time of --version.
_SIGINT, _SIGPIPE = 128 + 2, 128 + 13


def main(argv: Sequence[str] | None = None) -> int:
    """Runs one verb and returns its exit status. Errors print as one line on stderr."""
    from armprof.errors import ArmprofError

    try:
        _reopen()
        try:
            return _main(list(sys.argv[1:] if argv is None else argv))
        finally:
            sys.stdout.flush()
    except ArmprofError as e:
        _say(str(e))
        return e.exit_code
    except BrokenPipeError:  # `armprof events | head`: silent, as whoever SIGPIPE ends
        _give_up_stdout()
        return _SIGPIPE
    except OSError as e:
        to_stdout = e.errno in _UNWRITABLE and e.filename is None
        if to_stdout:
            _give_up_stdout()
        _say(
            f"{'cannot write to standard output' if to_stdout else e.filename or 'the system says'}: {e.strerror or e}"
        )
        return ArmprofError.exit_code
    except MemoryError:
        _say("there is not enough memory")
        return ArmprofError.exit_code
    except BaseException as e:
        if not _is_interrupt(e):
            raise
        _say("interrupted")
        return _SIGINT
    finally:
        if argv is None and (signal := sys.modules.get("signal")):  # which every verb imports
            signal.signal(signal.SIGINT, signal.SIG_DFL)  # while Python tidies up, Ctrl-C is no traceback


def _main(words: list[str]) -> int:
    if words[:1] in (["--version"], ["-V"]):
        print(f"armprof {__version__}")
        return 0
    if not words or words[0] in ("-h", "--help", "help"):
        print(USAGE, end="")
        return 0 if words else 2
    return _run(words[0], words[1:])


def _run(verb: str, words: list[str]) -> int:
    import argparse
    from importlib import import_module

    from armprof.errors import ArmprofError

    if verb not in VERBS:
        raise ArmprofError(f"no verb {verb!r}; there are {', '.join(VERBS)}")
    command = import_module(f"armprof.commands.{verb}")
    parser = argparse.ArgumentParser(prog=f"armprof {verb}", description=VERBS[verb])
    command.prepare(parser)
    return int(command.run(parser.parse_args(words)))


def _is_interrupt(error: BaseException | None) -> bool:
    """Whether Ctrl-C is behind it: an import that it came into may have made another error of it."""
    while error is not None and not isinstance(error, KeyboardInterrupt):
        error = error.__cause__ or error.__context__
    return error is not None


def _say(text: str) -> None:
    """The text on stderr without what could move the cursor or break the line: it may quote a file."""
    from contextlib import suppress

    from armprof.report.harmless import uncommanded

    if os.strerror(errno.EMFILE) in text and "ulimit" not in text:  # any file may be the one too many
        text += "; raise the limit: ulimit -n"
    line = uncommanded("".join(c if c.isprintable() else " " for c in text))
    with suppress(OSError):  # it is full, too
        print(f"armprof: {line}", file=sys.stderr, flush=True)


def _reopen() -> None:
    """Opens streams that were closed for us: else a file of ours would get their number, and what is meant for them.

    Reading finds nothing, writing to stdout fails, and words for people are lost.
    """
    for name, mode, flags in (("stdin", "r", os.O_RDONLY), ("stdout", "w", os.O_RDONLY), ("stderr", "w", os.O_WRONLY)):
        if getattr(sys, name) is None:
            setattr(sys, name, open(os.open(os.devnull, flags), mode))  # noqa: SIM115


def _give_up_stdout() -> None:
    """What is still to be written there, which Python would do at its end, goes nowhere."""
    os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())


if __name__ == "__main__":
    sys.exit(main())
