"""Whether samples of this machine's PMU put each cause on its line, on ARM64. In the folder tests:

    python -m diagnosis.lines                 all programs
    python -m diagnosis.lines quotes orders   two of them

docs/diagnosis.md says what came of it.
"""

from __future__ import annotations

import argparse
import os
import platform
import sys
import tempfile
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import takewhile
from pathlib import Path

from armprof.analysis.places import Found, found
from armprof.analysis.rules import Rule, rules
from armprof.counters.machine import machine
from armprof.counters.refusal import Refusal
from armprof.errors import ArmprofError
from armprof.samples import Samples, joined
from armprof.samples.attribute import attribute
from armprof.samples.collect import sample_command
from armprof.samples.rate import Rate

from .sources import rounds_for
from .suite import Builder, Pair, builder, pairs

SECONDS = 0.5  # of one program


@dataclass(frozen=True)
class Line:
    """Where a cause was put: on its line, give or take two as everywhere in the suite, or at least in the function of it."""

    program: str
    cause: str
    at: Found | None
    is_its_own: bool
    is_in_its_function: bool


def put(pair: Pair, built: Builder, rate: Rate, rounds: int | None = None) -> list[Line]:
    """Samples the slow program by cycles and the events of its causes, and finds the place of each cause."""
    by_name = {rule.name: rule for rule in rules()}
    wanted = [by_name[cause] for cause in pair.causes]
    program = built.program(pair)
    command = [str(program), str(rounds or rounds_for(program, SECONDS))]
    samples = attribute(sample_command(command, events_of(wanted), rate).trace)
    return [line_of(pair, rule, samples) for rule in wanted]


def events_of(wanted: Sequence[Rule]) -> list[str]:
    """Cycles, and of each rule the first event that this machine counts."""
    events = ["cpu_cycles"]
    for rule in wanted:
        here = (event for event in rule.shown_by if not isinstance(machine().resolve(event), Refusal))
        events += [event for event in list(here)[:1] if event not in events]
    return events


def line_of(pair: Pair, rule: Rule, samples: Samples) -> Line:
    """Where the samples put the cause."""
    at = found(rule, joined.component(samples))
    place = {"file": at.place.file, "line": at.place.line} if at else None
    places, own = set(), set()  # functions as the linker knows them, whatever is inlined into them
    for stack in samples.stacks:
        frames = [samples.frames[number] for number in stack]
        inlined = sum(1 for _ in takewhile(lambda frame: frame.inlined, frames))
        code = frames[: inlined + 1]
        name = code[-1].name
        if place == {"file": frames[0].file, "line": frames[0].line}:
            places.add(name)
        if any(pair.has(rule.name, {"file": frame.file, "line": frame.line}) for frame in code):
            own.add(name)
    return Line(pair.program, rule.name, at, pair.has(rule.name, place), bool(places & own))


def main() -> int:
    parser = argparse.ArgumentParser(
        prog="python -m diagnosis.lines", description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("programs", nargs="*", metavar="PROGRAM", help="all where none is named")
    parser.add_argument("--period", type=int, default=50_021, help="cycles from sample to sample")
    parser.add_argument("--rounds", type=int, help="how often each works (as often as takes half a second)")
    args = parser.parse_args()
    chosen = [pair for pair in pairs() if pair.causes and (not args.programs or pair.program in args.programs)]
    print("| program | cause | event | place | share of it | which is |", "| --- " * 6 + "|", sep="\n")
    with tempfile.TemporaryDirectory(prefix="diagnosis-") as folder:
        ready = os.environ.get("ARMPROF_PROGRAMS")
        built = Builder(Path(ready), ("cc",)) if ready else builder(Path(folder), platform.machine())
        for pair in chosen:
            try:
                for line in put(pair, built, Rate(period=args.period), args.rounds):
                    print(f"| {' | '.join(_cells(line))} |", flush=True)
            except ArmprofError as error:
                print(f"{pair.program}: {error}", file=sys.stderr)
    return 0


def _cells(line: Line) -> Iterator[str]:
    yield from (line.program, line.cause)
    if line.at is None:
        yield from ("", "nowhere", "", "elsewhere")
        return
    place = line.at.place
    name = place.file.rpartition("/")[2] if place.file else place.function
    yield from (line.at.event, f"{name}:{place.line}" if place.line else name, f"{100 * line.at.part:.0f} %")
    yield "its line" if line.is_its_own else "its function" if line.is_in_its_function else "elsewhere"


if __name__ == "__main__":
    sys.exit(main())
