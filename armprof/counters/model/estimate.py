"""An estimate of the cycles, by instruction and by what they go to. docs/model.md says by what rule.

The parts of an estimate sum to its cycles. What is known of an instruction stands at its entry of the tally.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from functools import cached_property
from typing import TYPE_CHECKING, Any

from armprof import cpu
from armprof.binary import chains
from armprof.binary.a64 import Instruction
from armprof.binary.flow import CHASED, FIXED, GATHERED, LINE, STRIDED
from armprof.counters.model import shapes
from armprof.counters.model.code import ExecutedCode, LoopBody
from armprof.counters.model.geometry import DEFAULT_CORE, Geometry
from armprof.counters.model.misses import LEVELS, Misses, Window, misses, penalties, prefetched, waits, walked
from armprof.counters.model.tally import Tally
from armprof.cpu import Core
from armprof.cpu.pipeline import Pipeline

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from armprof.counters.model.tally import Numbers

    Cycles = NDArray[Any]

WIDTH = 4  # instructions per cycle, where the core's table has no slots

FRONTEND = ("mispredict", "fetch")
MEMORY = ("chased", "gathered", "strided", "elsewhere", "contended")
BACKEND = ("busy", "latency", "divide", "barrier", "atomic", *MEMORY)
PARTS = ("base", *FRONTEND, *BACKEND)
_OF_KIND = {CHASED: "chased", GATHERED: "gathered", STRIDED: "strided", FIXED: "elsewhere"}

Shape = Callable[[LoopBody, Mapping[int, LoopBody], shapes.Seen], set[int]]

DIVIDES = ("divide", "divide_long", "fp_divide", "fp_divide_double", "fp_root", "fp_root_double")


def pipeline(core: Core) -> tuple[Pipeline, int]:
    """The core's pipeline and how many lines may be on their way; a Neoverse N1's where its table does not tell."""
    reference = cpu.core(DEFAULT_CORE).pipeline
    assert reference is not None
    assert reference.outstanding is not None
    own = core.pipeline or reference
    return own, own.outstanding or reference.outstanding


def assumed(core: Core) -> str:
    """What of it is a Neoverse N1's, in words; "" where nothing is."""
    if core.pipeline is None:
        return "latencies of instructions, reorder window, outstanding misses"
    return "" if core.pipeline.outstanding else "outstanding misses"


def why_not(core: Core) -> str | None:
    """Why there is no estimate for this core; None where there is one."""
    if core.mispredict_cycles is None:
        return f"the table of {core.title} does not tell what a mispredicted branch costs: there is no estimate"
    missing = [level.upper() for level in ("l1", *LEVELS) if level not in core.load_cycles]
    if missing:
        return f"the table of {core.title} does not tell how long loads from {', '.join(missing)} take: there is no estimate"
    return None


class Estimate:
    """Of one tally."""

    def __init__(self, tally: Tally, geometry: Geometry) -> None:
        self.tally = tally
        self.geometry = geometry
        self.core = geometry.core
        self.pipeline, self.outstanding = pipeline(self.core)
        self.width = self.core.slots or WIDTH

    @cached_property
    def code(self) -> ExecutedCode:
        """The code that matters."""
        return ExecutedCode(self.tally.counts, self.tally.by_block("executed"), self.tally.by_block("taken"))

    @cached_property
    def number(self) -> Numbers:
        """Of each entry of the tally the number of its instruction in the code, -1 where it is not looked at."""
        import numpy as np

        known = np.append(self.code.address, 0)
        at = np.searchsorted(self.code.address, self.tally.address)
        return np.where(known[at] == self.tally.address, at, -1)

    def of_code(self, values: Numbers | Cycles) -> Cycles:
        """By entry of the tally, summed to each instruction of the code."""
        import numpy as np

        known = self.number >= 0
        return np.bincount(self.number[known], weights=values[known], minlength=len(self.code.address))

    def of_tally(self, values: Cycles) -> Cycles:
        """By instruction of the code, spread over the tally's entries of it."""
        import numpy as np

        each = np.append(values / np.maximum(self.code.executed, 1), 0.0)  # the last is for what is not looked at
        spread: Cycles = each[self.number] * self.tally.executed
        return spread

    @cached_property
    def misses(self) -> Misses:
        """By entry of the tally."""
        return misses(self.tally)

    @cached_property
    def kinds(self) -> Mapping[int, str]:
        """How the address of each load and store in a loop moves, by number of the instruction."""
        return {a.number: a.kind for body in self.code.bodies for a in body.flow.accesses}

    # ---- Kinds of refills, and of loops ----

    def refills(self, kind: str) -> Cycles:
        """The refills of L1D of loads and stores of loops whose address moves so, by entry of the tally."""
        return self._chosen({n for n, found in self.kinds.items() if found == kind}) * self.tally.sites("l1d_refill")

    def sparse(self) -> Cycles:
        return self._shaped(shapes.sparse) * self.tally.sites("l1d_refill")

    def wide(self) -> Cycles:
        return self._shaped(shapes.wide) * self.tally.sites("l1d_refill")

    def scalar(self) -> Cycles:
        """The instructions of loops that could have vectors and have none."""
        numbers = {n for body in self.code.bodies if shapes.is_scalar(body) for n, _ in body.instructions}
        return self._chosen(numbers) * self.tally.executed

    def _shaped(self, shape: Shape) -> Cycles:
        return self._chosen(set().union(*(shape(body, self._body_of, self._seen) for body in self.code.bodies)))

    @cached_property
    def _seen(self) -> shapes.Seen:
        import numpy as np

        lines, pages = (self.of_code(self.tally.sites(name)) for name in ("l1d_refill", "dtlb_refill"))
        executed = np.maximum(self.code.executed, 1)
        lost = 2 * lines >= executed
        far = lost | (8 * pages >= executed)
        l1d = self.geometry.settings["l1d_bytes"] / LINE
        return shapes.Seen(frozenset(np.flatnonzero(far).tolist()), frozenset(np.flatnonzero(lost).tolist()), l1d)

    def _chosen(self, numbers: set[int]) -> Cycles:
        """1 for the entries of these instructions."""
        import numpy as np

        chosen = np.zeros(len(self.code.address) + 1)
        chosen[list(numbers)] = 1
        return chosen[self.number]  # the last is for what is not looked at

    # ---- The parts ----

    def cycles(self, *parts: str) -> Cycles:
        """The sum of these parts, by entry of the tally."""
        return sum((self.parts[part] for part in parts), 0.0 * self.tally.executed)

    @cached_property
    def parts(self) -> dict[str, Cycles]:
        """Everything by entry of the tally."""
        core, tally = self.core, self.tally
        assert core.mispredict_cycles is not None
        latency, refill = core.load_cycles, core.mispredict_cycles
        parts = dict.fromkeys(PARTS, 0.0 * tally.executed)
        parts["base"] = tally.executed / self.width
        parts["mispredict"] = 1.0 * tally.last("mispredicted") * refill
        parts["fetch"] = (
            tally.first("l1i_refill") * (latency["l2"] - latency["l1"])
            + tally.first("l2_refill") * (latency["llc"] - latency["l2"])
            + tally.first("ll_miss") * (latency["dram"] - latency["llc"])
            + tally.first("itlb_walk") * latency["l2"]
        )
        barrier = tally.kind("dmb_spec", "dsb_spec") * latency["l2"] + tally.kind("isb_spec") * refill
        parts["barrier"] = barrier * tally.executed
        l1_times = 2 * tally.kind("model_atomic") + 1 * tally.kind("ldrex_spec", "strex_spec")
        parts["atomic"] = l1_times * tally.executed * latency["l1"]
        parts["contended"] = tally.sites("contended") * (self.pipeline.from_core or latency["llc"])
        for part, values in self._of_code().items():
            parts[part] = parts[part] + self.of_tally(values)
        cold = self.number < 0
        parts["elsewhere"] = parts["elsewhere"] + cold * self.misses.alone(core)
        return parts

    def _of_code(self) -> dict[str, Cycles]:
        """What is found from instructions and loops, by instruction of the code."""
        import numpy as np

        number = len(self.code.address)
        found = {part: np.zeros(number) for part in BACKEND}
        found["elsewhere"] = self.misses.map(self.of_code).alone(self.core)
        numbers = self.misses.map(lambda values: self.of_code(values).tolist())
        took: dict[int, float] = {}  # cycles of a loop and of those within it, by its header
        for body in reversed(self.code.bodies):
            inner = sum(took[loop.header] for loop in body.loop.inner)
            took[body.loop.header] = self._arithmetic(body, inner, found)
            window = self._window(body, took[body.loop.header])
            for n, values in waits(body, numbers, window, self._serial(body), self._brought).items():
                found["elsewhere"][n] = 0.0
                found[_OF_KIND[self.kinds[n]]][n] += values
        self._straight_divides(found)
        return found

    def _straight_divides(self, found: dict[str, Cycles]) -> None:
        """A divide outside of loops keeps its unit to itself, too."""
        import numpy as np

        looped = {n for body in self.code.bodies for n, _ in body.instructions}
        divides = self.of_code(self.tally.kind("divide") * self.tally.executed)
        for n in np.flatnonzero(divides).tolist():
            timing = self.pipeline.instructions[self.code.instruction(n).kind]
            found["divide"][n] += (n not in looped) * divides[n] * max(0.0, timing.busy - 1 / self.width)

    def _arithmetic(self, body: LoopBody, inner: float, found: dict[str, Cycles]) -> float:
        """The cycles of the loop when no load misses, with the ``inner`` ones of those within it.

        What its own instructions take beyond the width is added to ``found``.
        """
        iterations = body.loop.iterations
        base = sum(body.frequency.values()) / self.width
        busy = {n: body.frequency[n] * self._busy(n, instruction) for n, instruction in body.instructions}
        used = dict.fromkeys(self.pipeline.units, 0.0)
        for n, instruction in body.instructions:
            for unit in self._units(instruction):
                used[unit] += busy[n] / self.pipeline.units[unit]
        unit = max(used, key=used.__getitem__)
        bound = max(base, used[unit])
        if bound > base:
            here = [(n, i) for n, i in body.instructions if unit in self._units(i)]
            total = sum(busy[n] for n, _ in here)
            for n, instruction in here:
                part = "divide" if instruction.kind in DIVIDES else "busy"
                found[part][n] += (bound - base) * iterations * busy[n] / total
        chain = chains.chain(body.flow, self._latency)
        waits = max(0.0, chain.cycles * self._continued(body, chain) * iterations - bound * iterations - inner)
        for n, share in chain.shares.items():
            found[self._part_of_chain(n)][n] += waits * share
        return bound * iterations + inner + waits

    def _busy(self, number: int, instruction: Instruction) -> float:
        """How long it keeps its unit busy; an access across the end of a line twice as long."""
        crossing = self._crossing[number] / max(1.0, self.code.executed[number])
        return float(self.pipeline.instructions[instruction.kind].busy * (1 + crossing))

    @cached_property
    def _crossing(self) -> list[float]:
        return list(self.of_code(self.tally.sites("crossing")).tolist())

    def _units(self, instruction: Instruction) -> tuple[str, ...]:
        """Its unit, and those that the unit is a part of."""
        units = [self.pipeline.instructions[instruction.kind].unit]
        while (more := self.pipeline.part_of.get(units[-1])) is not None:
            units.append(more)
        return tuple(units)

    def _latency(self, instruction: Instruction) -> tuple[float, float]:
        timing = self.pipeline.instructions[instruction.kind]
        return timing.latency, timing.latency if timing.late is None else timing.late

    def _part_of_chain(self, number: int) -> str:
        if self.code.instruction(number).kind in DIVIDES:
            return "divide"
        return "chased" if self.kinds.get(number) == CHASED else "latency"

    def _continued(self, body: LoopBody, chain: chains.Chain) -> float:
        """How much of a chain there is to wait for: less than all where it begins anew before the window is through."""
        instructions = self.code.executed_in(body.loop) / max(1.0, body.loop.iterations)
        window = self.pipeline.reorder / max(1.0, instructions)  # in iterations
        trips = body.loop.trips
        if trips >= window or any(goes_on(body, self._body_of, register) for register in chain.registers):
            return 1.0
        return trips / window

    @cached_property
    def _body_of(self) -> dict[int, LoopBody]:
        """Bodies by the header of their loop."""
        return {body.loop.header: body for body in self.code.bodies}

    def _window(self, body: LoopBody, cycles: float) -> Window:
        return Window(
            instructions=self.code.executed_in(body.loop),
            cycles=cycles,
            penalties=penalties(self.core),
            walk=self.core.load_cycles["l2"],
            reorder=self.pipeline.reorder,
            outstanding=self.outstanding,
        )

    def _serial(self, body: LoopBody) -> dict[int, float]:
        """Of each load in how large a share of its executions a mispredicted branch waits for it."""
        found: dict[int, float] = {}
        for branch, condition in body.flow.conditions.items():
            for load in body.flow.waits_for(condition) if self._mispredicted[branch] else ():
                rate = self._mispredicted[branch] / max(1.0, self.code.executed[load])
                found[load] = max(found.get(load, 0.0), rate)
        return found

    @cached_property
    def _mispredicted(self) -> list[float]:
        return list(self.of_code(self.tally.last("mispredicted")).tolist())

    @cached_property
    def _brought(self) -> dict[int, float]:
        """The cycles that the prefetcher's lines take, by the access that they are for: by its refills and its stride."""
        refills = self.of_code(self.tally.sites("l1d_refill")).tolist()
        accesses = (a for body in self.code.bodies for a in body.flow.accesses if a.kind == STRIDED)
        weights = {a.number: refills[a.number] * walked(a.stride) for a in accesses}
        total = sum(weights.values())
        cycles = prefetched(self.tally, self.core, self.outstanding, self.pipeline.bytes_per_cycle)
        return {n: cycles * weight / total for n, weight in weights.items()} if total else {}


def goes_on(body: LoopBody, bodies: Mapping[int, LoopBody], register: int) -> bool:
    """Whether what the register holds when the loop is entered comes from when it was left before."""
    parent = body.loop.parent
    if parent is None:
        return False
    flow = bodies[parent.header].flow
    begin = flow.entering.get(parent.order.index(body.loop.header), {})
    return register not in begin or register in begin[register].heads
