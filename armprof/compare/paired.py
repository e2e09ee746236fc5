"""Paired comparison: both sides timed in turns within the same moments, until it is decided or the time is over."""

from __future__ import annotations

import inspect
import math
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from armprof.compare.cause import Explanation
from armprof.compare.evidence import ERROR, LOOKS, Evidence, PercentileChange, look, percentiles
from armprof.compare.reasons import cause
from armprof.compare.verdict import Verdict
from armprof.components.pairs import Callables, Commands, Pair, PairCounts
from armprof.components.trial import REPEATS, spread
from armprof.display import Displayed
from armprof.errors import ArmprofError, CannotCount
from armprof.run.record import Component

SECONDS = 3.0
TOLERANCE = 0.01
MOST_SET_UP = 4  # times the given time: setting up comes on top of it, and must end too
ROUNDS_WANTED = 50  # in the given time: few enough for tails, many enough to tell 1 % on a noisy machine

Progress = Callable[[str, float], None]


@dataclass(frozen=True, slots=True)
class ComparedPair:
    """One pair, and what came of it."""

    name: str  # the symbol; "" where there is one pair
    findings: tuple[PercentileChange, ...]  # the median first
    rounds: int
    samples: int  # of each side
    batch: int  # operations of each sample
    counted: PairCounts | None = None  # what calls of either side counted, in passes of their own
    cause: Explanation | None = None  # of a change

    @property
    def verdict(self) -> Verdict:
        """Slower where anything is; else what is said of the median, or of a tail that is faster beside the same median."""
        verdicts = [finding.verdict for finding in self.findings]
        if Verdict.SLOWER in verdicts:
            return Verdict.SLOWER
        if verdicts[0] == Verdict.UNCHANGED and Verdict.FASTER in verdicts:
            return Verdict.FASTER
        return verdicts[0]

    def __str__(self) -> str:
        told = [
            f"{one.name} {one.verdict}"
            if one.change is None
            else f"{one.name} {one.verdict}, {100 * one.change:+.2f} %"
            for one in self.findings
        ]
        return f"{self.name} {self.verdict} ({'; '.join(told)})".lstrip()


@dataclass(frozen=True, slots=True)
class Comparison(Displayed):
    """What `ab` found. ``confidence``: how surely all intervals together hold what they are of."""

    old: str
    new: str
    compared: tuple[ComparedPair, ...]
    confidence: float
    seconds: float  # that timing took
    budget_s: float
    notes: tuple[str, ...] = ()

    @property
    def verdict(self) -> Verdict:
        """The worst of all: slower, undecided, faster, unchanged."""
        verdicts = {each.verdict for each in self.compared}
        order = (Verdict.SLOWER, Verdict.UNDECIDED, Verdict.FASTER, Verdict.UNCHANGED)
        return next(verdict for verdict in order if verdict in verdicts)

    @property
    def is_regression(self) -> bool:
        """Whether the new side is slower, so that a gate fails."""
        return self.verdict == Verdict.SLOWER

    def __repr__(self) -> str:
        return f"<Comparison of {self.old} with {self.new}: {'; '.join(map(str, self.compared))}>"


def nothing_told(doing: str, done: float) -> None:
    """Progress for nobody."""


def ab(
    old: Callable[[], object],
    new: Callable[[], object],
    *,
    seconds: float = SECONDS,
    tolerance: float = TOLERANCE,
    progress: Progress = nothing_told,
) -> Comparison:
    """Compares what two functions take, called in turns within the same moments.

        armprof.ab(lambda: parse_v1(text), lambda: parse_v2(text))

    Ends when it is decided, and after ``seconds`` in any case: it may then be undecided. A change of the median below
    ``tolerance`` counts as none. The verdict, with an interval for each percentile, is in the Comparison.

    Raises ArmprofError for what is no function. What the functions raise passes through.
    """
    from armprof.components.pinning import pinned
    from armprof.measurement import name_of, refuse_generator

    for side in (old, new):
        if not callable(side):
            raise ArmprofError(
                f"ab() calls two functions again and again, and {side!r} is none: ab(f, g), not ab(f(), g())"
            )
        refuse_generator(side, "ab()")
        if inspect.iscoroutinefunction(side):
            raise ArmprofError(
                f"ab() of the coroutine {name_of(side)}() would time its creation; "
                "compare functions that run it: lambda: asyncio.run(f())"
            )
    with pinned():
        return compare_pairs(name_of(old), name_of(new), [Callables(old, new)], seconds, tolerance, progress)


def ab_commands(
    old: Sequence[str],
    new: Sequence[str],
    *,
    seconds: float = SECONDS,
    tolerance: float = TOLERANCE,
    progress: Progress = nothing_told,
) -> Comparison:
    """Compares how long two commands take, from start to end. Raises ArmprofError where one cannot be run or fails."""
    import shlex

    return compare_pairs(shlex.join(old), shlex.join(new), [Commands(old, new)], seconds, tolerance, progress)


def ab_symbols(
    old: Path,
    new: Path,
    symbols: Sequence[str],
    *,
    loop: bool = False,
    seconds: float = SECONDS,
    tolerance: float = TOLERANCE,
    progress: Progress = nothing_told,
) -> Comparison:
    """Compares functions ``void f(void)`` of two builds of a shared library; ``seconds`` for each.

    With ``loop`` they are loops, ``uint64_t f(void *state, uint64_t operations)``, with the state that ``f_create(seed)``
    makes.

    Raises ArmprofError where one cannot be loaded, or brings its process down.
    """
    from armprof.components.linked import Symbols
    from armprof.components.pinning import pinned

    with pinned():
        pairs = [Symbols(old, new, symbol, loop) for symbol in dict.fromkeys(symbols)]
        return compare_pairs(str(old), str(new), pairs, seconds, tolerance, progress)


def compare_pairs(
    old: str,
    new: str,
    pairs: Sequence[Pair],
    seconds: float,
    tolerance: float,
    progress: Progress = nothing_told,
) -> Comparison:
    """Takes rounds of the pairs until each is decided or the time is over."""
    if not (0 < seconds < math.inf and 0 < tolerance < math.inf):
        raise ArmprofError("seconds and tolerance are numbers above 0")
    start = time.monotonic()
    compared = _rounds(pairs, start, seconds, tolerance, progress)
    took = _spent(pairs, start, seconds * len(pairs))
    progress("counting", 1.0)
    counted, why = _counted(pairs)
    return Comparison(
        old=old,
        new=new,
        compared=tuple(map(_explained, compared, pairs, counted)),
        confidence=1 - ERROR,
        seconds=took,
        budget_s=seconds * len(pairs),
        notes=tuple(dict.fromkeys(note for pair in pairs for note in pair.notes)) + why,
    )


def _explained(compared: ComparedPair, pair: Pair, counted: PairCounts | None) -> ComparedPair:
    """With what was counted and, of a change, with its reason."""
    if not compared.verdict.is_change:
        return replace(compared, counted=counted)
    again = [each for _ in range(REPEATS) if counted and (each := pair.count())]
    sides = []
    for i, code in enumerate(pair.codes()):
        bare = Component(compared.name, "", "", "", timed_code=code)
        if counted:
            readings = [(one.old, one.new)[i] for one in (counted, *again)]
            bare = replace(
                bare, reading=readings[0], reading_operations=counted.calls, spread=spread(readings), counted_code=code
            )
        sides.append(bare)
    return replace(compared, counted=counted, cause=cause(sides[0], sides[1], of_time=True))


def _counted(pairs: Sequence[Pair]) -> tuple[list[PairCounts | None], tuple[str, ...]]:
    """The counts of each pair, and why there are none where nothing can be counted."""
    try:
        return [pair.count() for pair in pairs], ()
    except CannotCount as error:
        return [None for _ in pairs], (f"nothing was counted: {error}",)


def _spent(pairs: Sequence[Pair], start: float, budget: float) -> float:
    """Of the given time: without what setting up took."""
    set_up = min(sum(pair.set_up_s for pair in pairs), MOST_SET_UP * budget)
    return max(0.0, time.monotonic() - start - set_up)


def _rounds(
    pairs: Sequence[Pair], start: float, seconds: float, tolerance: float, progress: Progress
) -> tuple[ComparedPair, ...]:
    """Takes rounds of all pairs in turn until each is decided."""
    budget = seconds * len(pairs)
    for pair in pairs:
        progress(f"warming up {pair.name}".rstrip(), (time.monotonic() - start) / budget)
        pair.prepare(seconds / ROUNDS_WANTED * 1e9)
    evidence = [Evidence(pair.name, percentiles(tolerance), pair.resolution, pair.batch) for pair in pairs]
    taken = dict.fromkeys(range(len(pairs)), 0)
    samples = dict(taken)
    error, rounds = look(evidence), 0
    while (
        rounds < LOOKS and (spent := _spent(pairs, start, budget)) < budget and not all(e.is_decided for e in evidence)
    ):
        progress("comparing", spent / budget)
        for i, (pair, one) in enumerate(zip(pairs, evidence, strict=True)):
            if not one.is_decided:
                old, new = pair.round(new_first=bool(rounds % 2))
                one.add(old, new)
                taken[i] += 1
                samples[i] += len(old)
        error = look(evidence)
        rounds += 1
    return tuple(
        ComparedPair(one.name, one.findings(error), taken[i], samples[i], pairs[i].batch)
        for i, one in enumerate(evidence)
    )
