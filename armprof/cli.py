"""The command line: what happens around a verb."""

from __future__ import annotations

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


def main(argv: Sequence[str] | None = None) -> int:
    """Runs one verb and returns its exit status. Errors print as one line on stderr."""
    words = list(sys.argv[1:] if argv is None else argv)
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

    try:
        if verb not in VERBS:
            raise ArmprofError(f"no verb {verb!r}; there are {', '.join(VERBS)}")
        command = import_module(f"armprof.commands.{verb}")
        parser = argparse.ArgumentParser(prog=f"armprof {verb}", description=VERBS[verb])
        command.prepare(parser)
        status = int(command.run(parser.parse_args(words)))
        sys.stdout.flush()
        return status
    except ArmprofError as e:
        print(f"armprof: {_one_line(str(e))}", file=sys.stderr)
        return e.exit_code
    except BrokenPipeError:  # `armprof events | head`
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return 0
    except KeyboardInterrupt:
        return 130


def _one_line(text: str) -> str:
    """The text without what could move the cursor or break the line: it may quote a file."""
    from armprof.report.harmless import uncommanded

    return uncommanded("".join(c if c.isprintable() else " " for c in text))


if __name__ == "__main__":
    sys.exit(main())
