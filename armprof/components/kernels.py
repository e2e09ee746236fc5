"""The C kernels as components: what each is, and how its loop is set up."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

from armprof.binary import fingerprint
from armprof.components.feed import generate, read_file
from armprof.components.ticks import Ticks
from armprof.components.work import CLoop, Definition, Work
from armprof.counters.machine import native
from armprof.errors import ArmprofError

CHECKSUM_OPERATIONS = 1 << 20  # of a kernel without input of its own


def _native_work(prefix: str, *arguments: Any, **more: Any) -> Work:
    state = getattr(native().lib, f"{prefix}_create")(*arguments)
    if state == native().ffi.NULL:
        raise MemoryError(f"{prefix}_create")
    return _loop(prefix, state, **more)


def _loop(prefix: str, state: Any, period: int, notes: tuple[str, ...] = (), keeps: Any = None) -> CLoop:
    """The loop of that name, with its state, which is freed with it."""
    ffi, lib = native().ffi, native().lib
    loop = CLoop(ffi.addressof(lib, prefix), ffi.gc(state, getattr(lib, f"{prefix}_destroy")), keeps)
    loop.period, loop.notes = period, notes
    return loop


def _object_pool(seed: int, input: Path | None) -> Work:
    return _native_work("ap_pool_loop", seed, period=CHECKSUM_OPERATIONS)


def _spsc_ring(seed: int, input: Path | None) -> Work:
    return _native_work("ap_ring_loop", seed, period=CHECKSUM_OPERATIONS)


def _itch50(seed: int, input: Path | None) -> Work:
    feed = generate(seed) if input is None else read_file(input)
    return _native_work("ap_itch_loop", feed.data, feed.size, period=feed.frames, notes=feed.notes, keeps=feed.data)


def _market(prefix: str, seed: int, input: Path | None) -> CLoop:
    """A loop that copies what it takes of the feed and says how long its period is."""
    ffi, lib = native().ffi, native().lib
    feed = generate(seed) if input is None else read_file(input)
    state = getattr(lib, f"{prefix}_create")(feed.data, feed.size)
    if state == ffi.NULL and input is None:
        raise MemoryError(f"{prefix}_create")
    if state == ffi.NULL:
        raise ArmprofError(f"{input}: adds no order to a book, or more than there is memory for")
    period = getattr(lib, f"{prefix}_period")(state)
    return _loop(prefix, state, period, feed.notes)


def _order_book(seed: int, input: Path | None) -> Work:
    return _market("ap_book_loop", seed, input)


def _feed_handler(seed: int, input: Path | None) -> Work:
    return _market("ap_feed_loop", seed, input)


def _tick_to_trade(seed: int, input: Path | None) -> Work:
    work = _market("ap_trade_loop", seed, input)
    work.ticks = Ticks(work.state, work.period)
    return work


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


def _code(loop: str) -> str | None:
    """The hash of the loop's machine code in the native module."""
    from importlib.util import find_spec

    found = find_spec("armprof._native")
    return fingerprint.of_file(Path(found.origin), loop) if found and found.origin else None


def _kernel(
    name: str,
    title: str,
    operation: str,
    takes_input: bool,
    set_up: Callable[[int, Path | None], Work],
    loop: str,
    **more: Any,
) -> Definition:
    """A component that is trusted not to fail."""
    more |= {"isolated": False, "origin": "a built-in kernel", "code": lambda: _code(loop)}
    return Definition(name, title, "kernel", operation, set_up, takes_input, **more)


KERNELS: Mapping[str, Definition] = {
    kernel.name: kernel
    for kernel in (
        _kernel("timing", "Timing framework", "stamp", False, _timing, "ap_timing_loop"),
        _kernel("treasury", "Treasury calculations", "yield from price", False, _treasury, "ap_treasury_loop"),
        _kernel("strategy", "Strategy decision", "decision", False, _strategy, "ap_strategy_loop"),
        _kernel("risk", "Risk checks", "order", False, _risk, "ap_risk_loop"),
        _kernel("object_pool", "Object pool", "get and put", False, _object_pool, "ap_pool_loop"),
        _kernel("spsc_ring", "SPSC ring buffer", "push and pop", False, _spsc_ring, "ap_ring_loop"),
        _kernel("itch50", "ITCH 5.0 parser", "message", True, _itch50, "ap_itch_loop"),
        _kernel("feed_handler", "Feed handler", "message", True, _feed_handler, "ap_feed_loop"),
        _kernel("order_book", "Order book", "order message", True, _order_book, "ap_book_loop"),
        _kernel("tick_to_trade", "Tick to trade", "message", True, _tick_to_trade, "ap_trade_loop", takes_rate=True),
    )
}
