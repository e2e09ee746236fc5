"""The verbs, each a module beside this one that is imported when it is asked for, and all of them as one parser."""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import argparse

# verb -> what it does, in the order of the help text
VERBS: dict[str, str] = {
    "doctor": "tells what can be counted here, what cannot, why, and what helps",
    "events": "lists the events of this core, or of --core NAME",
    "bench": "times and counts components, and writes a run file",
    "stat": "counts a command: armprof stat -- CMD",
    "record": "samples a command's functions and lines: armprof record -- CMD",
    "inspect": "checks an ARM64 program or library without running it",
    "budget": "checks a run against latency budgets and targets; tells headroom",
    "ab": "times two builds in turns: armprof ab -- OLD -- NEW",
    "compare": "compares a run file with a baseline; exits with 1 on a regression",
    "history": "keeps runs and baselines, and tells where measurements moved",
    "monitor": "samples the machine, a process or a cgroup; live view and store",
    "trends": "tells trends in what monitor stored, and when they cross limits",
    "fleet": "compares hosts whose monitors a Prometheus scrapes",
    "report": "shows a run file, samples, or what perf printed",
    "completion": "prints what completes words in a shell, bash, zsh or fish",
}

EXIT_STATUS = (
    "Exit status: 0 done; 1 a gate failed; 2 bad usage or bad input;\n3 what was required cannot be counted here."
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
