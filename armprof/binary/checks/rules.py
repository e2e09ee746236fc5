"""What is looked for, as `rules.toml` has it, and what was found."""

from __future__ import annotations

import tomllib
from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import cache
from importlib.resources import files

from armprof.binary.binary import Line
from armprof.binary.layout import Structure


@dataclass(frozen=True, slots=True)
class Rule:
    """One row of the table."""

    name: str
    type: str
    effort: str
    title: str
    says: str
    advice: str


@dataclass(frozen=True, slots=True)
class Spot:
    """Where it is. ``function`` is the one that the code is in; the line may be of one that was inlined into it.

    Of a loop it is the beginning, and ``around`` are all its lines. ``structure`` is the one that it is about.
    """

    function: str | None
    address: int | None
    line: Line | None
    detail: str = ""
    around: tuple[Line, ...] = ()
    structure: Structure | None = field(default=None, compare=False, repr=False)


@dataclass(frozen=True, slots=True)
class Finding:
    """``count`` places in all; ``spots`` names them, equal ones once."""

    rule: Rule
    says: str
    advice: str
    count: int
    spots: tuple[Spot, ...]


@dataclass(frozen=True, slots=True)
class TargetCore:
    """The core that the code is to run on."""

    name: str  # "neoverse-n1"
    title: str
    mcpu: str  # what compilers call it
    features: frozenset[str]
    line_bytes: int
    l1i_bytes: int | None


@cache
def rules() -> Mapping[str, Rule]:
    table = tomllib.loads(files(__package__).joinpath("rules.toml").read_text(encoding="utf-8"))
    return {name: Rule(name, **row) for name, row in table.items()}


def found(
    name: str, spots: tuple[Spot, ...] = (), words: Mapping[str, str] | None = None, total: int | None = None
) -> Finding:
    """A finding of that rule, its words filled in. ``total`` places there are where the spots are not all."""
    rule = rules()[name]
    count = len(spots) if total is None else total
    number = {"s": "", "v": "s", "were": "was"} if count == 1 else {"s": "s", "v": "", "were": "were"}
    words = {"count": f"{count:,}", **number, **(words or {})}
    once = dict.fromkeys(spots)
    return Finding(rule, rule.says.format(**words), rule.advice.format(**words), count, tuple(once))
