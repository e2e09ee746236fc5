"""The verbs, each a module beside this one that is imported when it is asked for, and all of them as one parser."""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import argparse

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
    "completion": "prints what completes words in a shell: armprof completion bash|zsh|fish",
}

EXIT_STATUS = (
    "Exit status: 0 done, 1 a gate failed, 2 bad usage or bad input, 3 what was required cannot be counted here."
)


def parser() -> argparse.ArgumentParser:
    """The whole command line: completion and the manual page are made from it, where nothing but Python is there yet."""
    import argparse

    whole = argparse.ArgumentParser(
        prog="armprof",
        description="Counts what an ARM64 core does while code runs, and says what to change.",
        epilog=EXIT_STATUS,
    )
    whole.add_argument("--version", action="store_true", help="prints the version")
    verbs = whole.add_subparsers(title="verbs", metavar="VERB")
    for verb, does in VERBS.items():
        import_module(f"armprof.commands.{verb}").prepare(verbs.add_parser(verb, help=does, description=does))
    return whole
