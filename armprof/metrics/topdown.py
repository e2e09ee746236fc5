"""Which formulas of `topdown.toml` fit a core, and whether the four terms of level 1 agree."""

from __future__ import annotations

import re
import tomllib
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from functools import cache
from importlib.resources import files
from typing import Any

from armprof.counters.reading import Reading, Status
from armprof.cpu import Core
from armprof.metrics.formula import Formula
from armprof.metrics.result import Confidence, Metric, least
from armprof.metrics.table import Way

TERMS = ("frontend_bound", "backend_bound", "bad_speculation", "retiring")

# Counts of one group add up to the last digit; the published multiplexed runs are within 1 % of it.
_DEVIATION_NOTED = 0.01
_DEVIATION_LOW = 0.05


@dataclass(frozen=True, slots=True)
class Form:
    """The formulas of one family of cores."""

    title: str
    cores: tuple[str, ...]
    overcounts: bool | None
    stalled: str
    without_correction: str
    terms: Mapping[str, tuple[str, ...]] = field(hash=False)

    def ways(self, term: str, slots: int) -> tuple[Way, ...]:
        """The ways to one term, for a core of that many slots per cycle."""
        preferred, *rest = (_formula(text, slots) for text in self.terms[term])
        return (Way(preferred), *(Way(formula, self.without_correction) for formula in rest))


@cache
def _formula(text: str, slots: int) -> Formula:
    return Formula(re.sub(r"\bslots\b", str(slots), text))


@cache
def forms() -> tuple[Form, ...]:
    """Every form, in the order of the table."""
    table: dict[str, Any] = tomllib.loads(files(__package__).joinpath("topdown.toml").read_text(encoding="utf-8"))
    return tuple(
        Form(
            title=row["title"],
            cores=tuple(row["cores"]),
            overcounts=row.get("overcounts"),
            stalled=row["stalled"],
            terms={term: tuple(row[term]) for term in TERMS},
            without_correction=table["without_correction"],
        )
        for row in table["form"]
    )


def written_for(core: Core) -> Form | None:
    """A form for this core. Those for its revisions differ in what they subtract, not in their events."""
    return next((form for form in forms() if core.name in form.cores), None)


@dataclass(frozen=True, slots=True)
class NoForm:
    """Why top-down cannot be formed."""

    status: Status
    reason: str


def choose(core: Core | None, readings: Sequence[Reading]) -> Form | NoForm:
    """The form for this core, or why there is none.

    A Neoverse N2 of unknown revision may show by its counts which form it needs: more empty slots than slots
    prove the over-count (1.156 on a published Yitian 710). Fewer prove nothing, and then no form is sure.
    """
    if core is None or not core.known:
        return NoForm(Status.NOT_COUNTED, "the core is not known, and with it the number of slots per cycle")
    fitting = [form for form in forms() if core.name in form.cores]
    if not fitting:
        return NoForm(
            Status.UNSUPPORTED,
            f"{core.title} has no published top-down formulas over slots; "
            "frontend_stalled and backend_stalled are what it can tell",
        )
    if core.slots is None:
        return NoForm(
            Status.NOT_COUNTED,
            f"the slots per cycle of {core.title} are not known (its PMU's caps/slots has them)",
        )
    overcounts = core.stall_slot_overcounts
    for form in fitting:
        if form.overcounts in (None, overcounts):
            share = _stalled(form, core.slots, readings)
            if share is not None and share > 1 + _DEVIATION_NOTED:
                return NoForm(
                    Status.SUSPECT,
                    f"{form.stalled} gives {share:.3f}: more empty slots than {core.title} has",
                )
            return form
    plain = next(form for form in fitting if not form.overcounts)
    share = _stalled(plain, core.slots, readings)
    if share is not None and share > 1 + _DEVIATION_NOTED:
        return next(form for form in fitting if form.overcounts)
    return NoForm(
        Status.NOT_COUNTED,
        f"the revision of this {core.title} is not known, and with it whether STALL_SLOT over-counts",
    )


def _stalled(form: Form, slots: int, readings: Iterable[Reading]) -> float | None:
    formula = _formula(form.stalled, slots)
    for reading in readings:
        counts = [reading.counts[name] for name in formula.names if name in reading.counts]
        values = {count.event: count.value for count in counts if count.status.has_value and count.value}
        if len(values) == len(formula.names):
            return formula.evaluate(values)
    return None


def checked(terms: Mapping[str, Metric]) -> dict[str, Metric]:
    """The four terms, marked where they do not add up to 100 %: a measure of how well they were counted."""
    values = [metric.value for metric in terms.values()]
    total = sum(value for value in values if value is not None)
    deviation = abs(total - 1)
    if None in values or deviation <= _DEVIATION_NOTED:
        return dict(terms)
    most = Confidence.LOW if deviation > _DEVIATION_LOW else Confidence.MEDIUM
    note = f"the four terms add up to {100 * total:.1f} %"
    marked = {}
    for name, metric in terms.items():
        assert metric.confidence is not None
        marked[name] = replace(
            metric,
            confidence=least(metric.confidence, most),
            reason=f"{metric.reason}; {note}" if metric.reason else note,
        )
    return marked
