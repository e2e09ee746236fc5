"""What the tables of this folder name: metrics, shares of causes, and what events cost on the core."""

from __future__ import annotations

import operator
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass

from armprof.cpu import Core
from armprof.errors import ArmprofError
from armprof.metrics import ARM64Metrics, Confidence
from armprof.metrics.formula import Formula, ZeroDenominatorError
from armprof.metrics.result import least

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


@dataclass(frozen=True, slots=True)
class Term:
    """A value and how far it carries (None: exactly); without a value ``reason`` says why."""

    value: float | None
    confidence: Confidence | None = None
    reason: str = ""


class Terms(Mapping[str, Term]):
    """Every name a formula of the tables may use. A value that was counted too little is none here."""

    def __init__(self, metrics: ARM64Metrics, core: Core | None) -> None:
        self.metrics, self.core = metrics, core
        self._known = constants(core)
        self._causes: dict[str, Term] = {}

    def tell(self, cause: str, term: Term) -> None:
        """Adds the share of a cause."""
        self._causes[cause] = term

    def __getitem__(self, name: str) -> Term:
        if name in self._causes:
            return self._causes[name]
        if name in self.metrics:
            return self._metric(name)
        if name in self._known:
            return Term(self._known[name])
        if name not in CONSTANTS:
            raise KeyError(name)
        if self.core is None or not self.core.known:
            return Term(None, reason="the core is not known, and with it what each event costs")
        return Term(None, reason=f"{CONSTANTS[name]} is not published of {self.core.title}")

    def __iter__(self) -> Iterable[str]:  # type: ignore[override]
        return iter((*self.metrics, *CONSTANTS, *self._causes))

    def __len__(self) -> int:
        return len(self.metrics) + len(CONSTANTS) + len(self._causes)

    def _metric(self, name: str) -> Term:
        metric = self.metrics[name]
        if metric.value is None:
            return Term(None, reason=f"{name} has no value ({metric.reason})")
        if metric.confidence is Confidence.LOW:
            return Term(None, Confidence.LOW, f"{name} was {too_little(metric.coverage, metric.reason)}")
        return Term(metric.value, metric.confidence)

    def evaluate(self, formula: Formula) -> Term:
        """The formula's value; where one of its names has none, that one's reason."""
        terms = {name: self[name] for name in formula.names}
        missing = [term.reason for term in terms.values() if term.value is None]
        if missing:
            return Term(None, reason="; ".join(dict.fromkeys(missing)))
        try:
            value = formula.evaluate({name: term.value for name, term in terms.items() if term.value is not None})
        except ZeroDenominatorError as zero:
            return Term(None, reason=str(zero))
        known = [term.confidence for term in terms.values() if term.confidence is not None]
        return Term(value, least(*known) if known else None)

    def say(self, says: str, formula: Formula) -> str:
        """The sentence with the formula's names in it filled in."""
        values = {name: self[name].value for name in formula.names}
        return says.format(core=self.core.title if self.core else "this core", **values)


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
