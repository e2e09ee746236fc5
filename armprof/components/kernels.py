"""The C kernels as components: what each is, and how its loop is set up."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from armprof.components.feed import generate, read_file
from armprof.components.ticks import Ticks
from armprof.counters.machine import native
from armprof.errors import ArmprofError

CHECKSUM_OPERATIONS = 1 << 20  # of a kernel without input of its own


@dataclass(frozen=True)
class Work:
    """A kernel's loop with its state, ready to run. Not to be used by two threads at once."""

    function: str  # name of the loop in C, an ap_loop
    state: Any  # its state, freed with this object
    period: int  # operations after which the input starts anew; the checksum is that of the first period
    notes: tuple[str, ...] = ()
    keeps: Any = None  # memory that the state points into
    ticks: Ticks | None = None  # its single ticks, which are then what is timed

    def run(self, operations: int) -> int:
        """Runs the loop and returns its checksum so far."""
        checksum: int = getattr(native().lib, self.function)(self.state, operations)
        return checksum


@dataclass(frozen=True)
class Kernel:
    """One kernel: ``operation`` says what is timed and counted, ``set_up(seed, input)`` makes it ready."""

    name: str
    title: str
    operation: str
    takes_input: bool
    set_up: Callable[[int, Path | None], Work]
    takes_rate: bool = False  # whether it can be run at a rate


def _native_work(prefix: str, *arguments: Any, **more: Any) -> Work:
    ffi, lib = native().ffi, native().lib
    state = getattr(lib, f"{prefix}_create")(*arguments)
    if state == ffi.NULL:
        raise MemoryError(f"{prefix}_create")
    return Work(prefix, ffi.gc(state, getattr(lib, f"{prefix}_destroy")), **more)


def _object_pool(seed: int, input: Path | None) -> Work:
    return _native_work("ap_pool_loop", seed, period=CHECKSUM_OPERATIONS)


def _spsc_ring(seed: int, input: Path | None) -> Work:
    return _native_work("ap_ring_loop", seed, period=CHECKSUM_OPERATIONS)


def _itch50(seed: int, input: Path | None) -> Work:
    feed = generate(seed) if input is None else read_file(input)
    return _native_work("ap_itch_loop", feed.data, feed.size, period=feed.frames, notes=feed.notes, keeps=feed.data)


def _market(prefix: str, seed: int, input: Path | None) -> Work:
    """A loop that copies what it takes of the feed and says how long its period is."""
    ffi, lib = native().ffi, native().lib
    feed = generate(seed) if input is None else read_file(input)
    state = getattr(lib, f"{prefix}_create")(feed.data, feed.size)
    if state == ffi.NULL and input is None:
        raise MemoryError(f"{prefix}_create")
    if state == ffi.NULL:
        raise ArmprofError(f"{input}: adds no order to a book, or more than there is memory for")
    period = getattr(lib, f"{prefix}_period")(state)
    return Work(prefix, ffi.gc(state, getattr(lib, f"{prefix}_destroy")), period, feed.notes)


def _order_book(seed: int, input: Path | None) -> Work:
    return _market("ap_book_loop", seed, input)


def _feed_handler(seed: int, input: Path | None) -> Work:
    return _market("ap_feed_loop", seed, input)


def _tick_to_trade(seed: int, input: Path | None) -> Work:
    work = _market("ap_trade_loop", seed, input)
    return replace(work, ticks=Ticks(work.state, work.period))


def _timing(seed: int, input: Path | None) -> Work:
    ffi, lib = native().ffi, native().lib
    timing = ffi.new("ap_timing *")
    lib.ap_timing_init(timing, lib.AP_TIMING_COUNTER, lib.AP_TIMING_CALIBRATION_NS)
    cost = lib.ap_timing_measure(timing)
    source = (
        f"{ffi.string(timing.why).decode()}; {timing.ticks_per_second / 1e6:.3f} MHz, good to "
        f"{timing.error_ppm:.1f} ppm; steps of {timing.resolution_ns:.2f} ns"
    )
    costs = (
        f"a stamp {cost.stamp_ns:.1f} ns, the bare instruction {cost.instruction_ns:.1f} ns, "
        f"a fenced stamp {cost.fenced_ns:.1f} ns, clock_gettime {cost.system_ns:.1f} ns"
    )
    return _native_work("ap_timing_loop", seed, period=CHECKSUM_OPERATIONS, notes=(source, costs))


def _treasury(seed: int, input: Path | None) -> Work:
    return _native_work("ap_treasury_loop", seed, period=CHECKSUM_OPERATIONS)


def _strategy(seed: int, input: Path | None) -> Work:
    return _native_work("ap_strategy_loop", seed, period=CHECKSUM_OPERATIONS)


def _risk(seed: int, input: Path | None) -> Work:
    return _native_work("ap_risk_loop", seed, period=CHECKSUM_OPERATIONS)


KERNELS: Mapping[str, Kernel] = {
    kernel.name: kernel
    for kernel in (
        Kernel("timing", "Timing framework", "stamp", False, _timing),
        Kernel("treasury", "Treasury calculations", "yield from price", False, _treasury),
        Kernel("strategy", "Strategy decision", "decision", False, _strategy),
        Kernel("risk", "Risk checks", "order", False, _risk),
        Kernel("object_pool", "Object pool", "get and put", False, _object_pool),
        Kernel("spsc_ring", "SPSC ring buffer", "push and pop", False, _spsc_ring),
        Kernel("itch50", "ITCH 5.0 parser", "message", True, _itch50),
        Kernel("feed_handler", "Feed handler", "message", True, _feed_handler),
        Kernel("order_book", "Order book", "order message", True, _order_book),
        Kernel("tick_to_trade", "Tick to trade", "message", True, _tick_to_trade, takes_rate=True),
    )
}
