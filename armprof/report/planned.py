"""The roadmap of a run: what its components are recommended, what its budgets warn of, and the headroom they leave."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence

from rich.console import RenderableType
from rich.tree import Tree

from armprof.analysis import Concern, Phase, Recommendation, Room, Step, roadmap
from armprof.budget import Plan, assess, words
from armprof.budget.assess import Assessment
from armprof.budget.headroom import PARTS
from armprof.report import figures
from armprof.report.pieces import short, text
from armprof.run.record import Run

# Parts of the headroom that serve the system rather than what it computes: they come after the others.
SYSTEM = ("monitoring_overhead", "debugging_instrumentation", "quality_assurance")
MOST = 20  # steps of a phase that are told one by one
GUIDELINES = (
    "one change at a time, and its verification before the next",
    "results stay the same: compare checksums or outputs before and after",
    "keep each gain: `armprof compare BASE HEAD` in CI",
)


def planned(run: Run, advice: Sequence[tuple[str, Recommendation]], plan: Plan | None = None) -> tuple[Phase, ...]:
    """The phases, of advice by the names of components; with a ``plan`` its concerns and its headroom come first."""
    assessed = assess(run, plan) if plan is not None else None
    if assessed is None:
        return roadmap(advice)
    return roadmap(advice, tuple(_concerns(assessed)), tuple(_rooms(assessed)))


def _concerns(assessed: Assessment) -> Iterator[Concern]:
    """What stands in the way of stability, each component once."""
    told: set[str] = set()
    for budget in (assessed.total, *assessed.budgets):
        validation = budget.validation
        if validation is not None and not validation.within and budget.figure.component not in told:
            told.add(budget.figure.component)
            yield Concern(budget.figure.component, "Bring it back within its budget", str(validation.alert))
    for target in assessed.targets:
        if target.status == words.MISSES and target.figure.component not in told:
            told.add(target.figure.component)
            yield Concern(
                target.figure.component, "Reach its target", f"{target.figure.label} is at {target.factor:.2f} of it"
            )


def _rooms(assessed: Assessment) -> Iterator[Room]:
    share, allocation = assessed.headroom_share, assessed.allocation
    if allocation is None or allocation.reason or share is None or share < words.LEVERAGE_FROM:
        return
    for part, ns in allocation.items():
        if ns > 0:
            yield Room(f"{PARTS[part]}: {figures.duration(ns)} of headroom to use", "", part in SYSTEM)


# As trees


def trees(phases: Sequence[Phase]) -> list[RenderableType]:
    """The roadmap as what rich prints, one tree for each phase; nothing where there is none."""
    if not phases:
        return []
    blocks: list[RenderableType] = [text("Optimization roadmap", "bold")]
    for phase in phases:
        horizon = f"{phase.horizon}, {phase.horizon.span}"
        tree = Tree(text(f"PHASE {phase.number}: {phase.title.upper()} ({horizon})", "bold"))
        for step in phase.steps[:MOST]:
            node = tree.add(text(_line(step)))
            for remark in remarks(step):
                node.add(text(remark))
        if len(phase.steps) > MOST:
            tree.add(text(f"and {len(phase.steps) - MOST:,} more, of which --format json tells"))
        for impact in list(impacts(phase))[:MOST]:
            tree.add(text(impact))
        blocks += ["", tree]
    guidelines = Tree(text("IMPLEMENTATION GUIDELINES", "bold"))
    for guideline in GUIDELINES:
        guidelines.add(text(guideline))
    return [*blocks, "", guidelines]


def _line(step: Step) -> str:
    return f"{short(step.component)}: {step.title}" if step.component else step.title


def remarks(step: Step) -> Iterable[str]:
    """What a step brings and takes, or why it is one."""
    if step.impact is None:
        return (step.reason,) if step.reason else ()
    takes = f"effort {str(step.effort).lower()}, risk {str(step.risk).lower()}"
    after = (f"after {', '.join(step.depends_on)}",) if step.depends_on else ()
    return (f"{impact(step)}, {takes}", *after)


def impact(step: Step) -> str:
    """What a step brings, or why it is one."""
    if step.impact is None:
        return step.reason
    ceiling = "unknown" if step.impact.ceiling is None else f"{step.impact.ceiling:.1f} %"
    return f"impact {step.impact.low:.3g} to {step.impact.high:.3g} % {step.impact.unit} (at most {ceiling})"


def impacts(phase: Phase) -> Iterator[str]:
    """What the steps of a phase bring together, a sentence for each component."""
    for impact in phase.impacts:
        who = f" for {short(impact.component)}" if impact.component else ""
        yield f"Expected impact{who}: {impact.low:.3g} to {impact.high:.3g} % less time"
