"""The command line: a table of verbs, each a module of `armprof.commands` that is imported when it is asked for."""

from __future__ import annotations

import os
import sys
from collections.abc import Sequence

from armprof import __version__

# verb -> what it does, in the order of the help text
VERBS: dict[str, str] = {
    "doctor": "what can be counted here, what cannot, why, and the command that changes it",
    "events": "the events of this core, or of --core NAME",
    "bench": "times and counts components, writes a run file",
    "stat": "counts a command: armprof stat -- CMD",
    "record": "samples a command or a process, tells functions and lines: armprof record -- CMD",
    "inspect": "static checks of an ARM64 program or library: armprof inspect ELF",
    "budget": "holds a run against latency budgets and targets; headroom and its allocation",
    "ab": "times two builds in turns, tells whether the new one is slower: armprof ab -- OLD -- NEW",
    "compare": "holds a run file against a baseline; exits with 1 on a regression",
    "history": "keeps runs and baselines, tells where what they measured moved",
    "monitor": "samples the machine, a process or a cgroup ten times a second; live view and store",
    "trends": "what the figures of a store of monitor did, and when they cross their thresholds",
    "fleet": "compares the hosts whose monitors a Prometheus scrapes; what to do first",
    "report": "renders a run file or a perf stat output; without one it benches the built-in kernels first",
}

USAGE = f"""usage: armprof VERB [...]
       armprof VERB --help

Counts what an ARM64 core does while code runs, and says what to change.

{chr(10).join(f"  {verb:8} {does}" for verb, does in VERBS.items())}

  --version, --help

Exit status: 0 done, 1 a gate failed, 2 bad usage or bad input, 3 what was required cannot be counted here.
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
    return "".join(c if c.isprintable() else " " for c in text)


if __name__ == "__main__":
    sys.exit(main())
