"""What the tables of this folder name: metrics, shares of causes, and what events cost on the core.

Sentences that follow from what was not counted are the same for many components: they are put together once.
"""

from __future__ import annotations

import operator
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import lru_cache

from armprof.cpu import Core
from armprof.errors import ArmprofError
from armprof.metrics import ARM64Metrics, Confidence
from armprof.metrics.forming import KINDS
from armprof.metrics.formula import Formula, ZeroDenominatorError
from armprof.metrics.result import Gaps, Metric, least

# Constants of a core -> what they are, for the reason why one is missing.
CONSTANTS: Mapping[str, str] = {
    "width": "how many instructions it can finish in a cycle",
    "mispredict_cycles": "what a mispredicted branch costs",
    "clock_ghz": "its highest clock",
    "l1_cycles": "the latency of its L1",
    "l2_cycles": "the latency of its L2",
    "llc_cycles": "the latency of its last level cache",
    "dram_cycles": "the latency of its memory",
}


SENTENCES = 4096  # that are remembered


@dataclass(frozen=True, slots=True)
class Term:
    """A value and how far it carries (None: exactly); without a value ``reason`` says why."""

    value: float | None
    confidence: Confidence | None = None
    reason: str = ""


class Terms(dict[str, Term]):
    """Every name a formula of the tables may use. A value that was counted too little is none here."""

    def __init__(self, metrics: ARM64Metrics, core: Core | None) -> None:
        super().__init__(known_without(metrics.gaps, core))
        self.metrics, self.core = metrics, core
        for name, metric in metrics.items():
            if name not in metrics.gaps.metrics:
                self[name] = _term(metric)

    def evaluate(self, formula: Formula) -> Term:
        """The formula's value; where one of its names has none, that one's reason."""
        terms = [self[name] for name in formula.names]
        missing = [term.reason for term in terms if term.value is None]
        if missing:
            return _missing(tuple(missing))
        values = zip(formula.names, terms, strict=True)
        try:
            value = formula.evaluate({name: term.value for name, term in values if term.value is not None})
        except ZeroDenominatorError as zero:
            return Term(None, reason=str(zero))
        known = [term.confidence for term in terms if term.confidence is not None]
        return Term(value, least(*known) if known else None)

    def say(self, says: str, formula: Formula) -> str:
        """The sentence with the formula's names in it filled in."""
        values = {name: self[name].value for name in formula.names}
        return says.format(core=self.core.title if self.core else "this core", **values)


@lru_cache(maxsize=KINDS)
def known_without(gaps: Gaps, core: Core | None) -> Mapping[str, Term]:
    """The terms of all readings that have these gaps: what none of them has, and what is known of the core."""
    known = constants(core)
    terms = {
        name: Term(known[name]) if name in known else Term(None, reason=_unpublished(name, core)) for name in CONSTANTS
    }
    return terms | {name: _term(metric) for name, metric in gaps.metrics.items()}


def _unpublished(constant: str, core: Core | None) -> str:
    if core is None or not core.known:
        return "the core is not known, and with it what each event costs"
    return f"{CONSTANTS[constant]} is not published of {core.title}"


def _term(metric: Metric) -> Term:
    if metric.value is None:
        return Term(None, reason=f"{metric.name} has no value ({metric.reason})")
    if metric.confidence is Confidence.LOW:
        return Term(None, Confidence.LOW, f"{metric.name} was {too_little(metric.coverage, metric.reason)}")
    return Term(metric.value, metric.confidence)


@lru_cache(maxsize=SENTENCES)
def _missing(reasons: tuple[str, ...]) -> Term:
    return Term(None, reason=together(reasons))


@lru_cache(maxsize=SENTENCES)
def together(reasons: tuple[str, ...]) -> str:
    """Reasons as one, each once."""
    return "; ".join(dict.fromkeys(reasons))


def too_little(coverage: float | None, reason: str | None) -> str:
    """In words that a value does not carry a judgement."""
    if coverage is None:
        return "counted for an unknown part of the time: too little to judge"
    why = f" ({reason})" if reason and coverage == 1 else ""
    return f"counted {100 * coverage:.1f} % of the time: too little to judge{why}"


def constants(core: Core | None) -> dict[str, float]:
    """What is known of the core, by the names of CONSTANTS."""
    if core is None:
        return {}
    known = {f"{level}_cycles": float(cycles) for level, cycles in core.load_cycles.items()}
    if core.mispredict_cycles is not None:
        known["mispredict_cycles"] = float(core.mispredict_cycles)
    if core.width is not None:
        known["width"] = float(core.width)
    if core.clocks_ghz:
        known["clock_ghz"] = max(core.clocks_ghz.values())
    return known


_COMPARE: Mapping[str, Callable[[float, float], bool]] = {"<": operator.lt, ">": operator.gt}


@dataclass(frozen=True, slots=True)
class Condition:
    """``NAME < NUMBER`` or ``NAME > NUMBER``, of a metric or of the share of a cause."""

    name: str
    sign: str
    limit: float

    @classmethod
    def parse(cls, text: str) -> Condition:
        match text.split():
            case [name, ("<" | ">") as sign, number]:
                return cls(name, sign, float(number))
        raise ArmprofError(f"condition {text!r} is not of the form NAME > NUMBER")

    def holds(self, value: float) -> bool:
        return _COMPARE[self.sign](value, self.limit)

    @property
    def words(self) -> str:
        """As in "not above 5"."""
        return f"{'above' if self.sign == '>' else 'below'} {self.limit:g}"
