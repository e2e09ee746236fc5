"""Where what was sampled comes from: of each kind of instruction those that stand before the places of the samples.

A function without any of a kind has it from the one that calls it: in a handler it shows that a call by a register was
predicted wrong. Who that is the stack tells; a function that keeps no frame is left out of it, and then the function that the
next frame calls is the one that calls.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import TYPE_CHECKING, NamedTuple

from armprof.run.record import Origin, Place, Share
from armprof.samples.names import binary_of, frames_of
from armprof.samples.profile import UNKNOWN, Frame, Samples
from armprof.samples.trace import EXACT

if TYPE_CHECKING:
    from armprof.binary import Binary
    from armprof.binary.origins import Body

ARM64 = 183  # e_machine
HOT = 0.005  # of an event: the code of a function that has less is not looked at, nor who called it for less
ENOUGH = 0.01  # of an event: an origin that has less is left out

_Counts = dict[str, float]


class _Spot(NamedTuple):
    """Where a sample is, by numbers of frames: in the function itself, what is inlined first; and where that was called."""

    own: tuple[int, ...]
    caller: int | None


def place_of(frame: Frame) -> Place:
    """The frame as a run keeps it."""
    return Place(frame.function or UNKNOWN, frame.module, frame.file, frame.line)


def origins(samples: Samples) -> tuple[Origin, ...]:
    """Of all kinds. None of what the core itself has put on its instruction, nor of a file that is another one by now."""
    if samples.source != "pmu":
        return ()
    late = {number: event.name for number, event in enumerate(samples.events) if event.skid != EXACT}
    totals: _Counts = {}
    by_stack: dict[int, _Counts] = {}
    for row in samples.rows:
        if row.event in late:
            event, counts = late[row.event], by_stack.setdefault(row.stack, {})
            totals[event] = totals.get(event, 0.0) + row.weight
            counts[event] = counts.get(event, 0.0) + row.weight
    spots: dict[_Spot, _Counts] = {}
    for stack, counts in by_stack.items():
        _add(spots.setdefault(_spot(samples.frames, samples.stacks[stack]), {}), counts)
    hot = _hot(spots, totals, samples.frames)
    return tuple(_ranked(_placed(hot, samples.frames), totals)) if hot else ()


def _spot(frames: Sequence[Frame], stack: Sequence[int]) -> _Spot:
    size = next((n for n, frame in enumerate(stack, 1) if not frames[frame].inlined), len(stack))
    return _Spot(tuple(stack[:size]), stack[size] if size < len(stack) else None)


def _hot(spots: Mapping[_Spot, _Counts], totals: _Counts, frames: Sequence[Frame]) -> dict[_Spot, _Counts]:
    """Those in functions that have much of an event, each with its caller where that has much of the function."""
    functions: dict[tuple[str, str | None], _Counts] = {}
    calls: dict[tuple[str, str | None, int | None], _Counts] = {}
    keys = {}
    for spot, counts in spots.items():
        function = frames[spot.own[-1]]
        keys[spot] = key = function.module, function.function
        _add(functions.setdefault(key, {}), counts)
        _add(calls.setdefault((*key, spot.caller), {}), counts)
    much = {key for key, counts in functions.items() if _has(HOT, counts, totals)}
    known = {key for key, counts in calls.items() if _has(HOT, counts, totals)}
    hot: dict[_Spot, _Counts] = {}
    for spot, key in keys.items():
        if key in much:
            kept = spot if (*key, spot.caller) in known else spot._replace(caller=None)
            _add(hot.setdefault(kept, {}), spots[spot])
    return hot


def _placed(spots: Mapping[_Spot, _Counts], frames: Sequence[Frame]) -> dict[tuple[str, Place], dict[Place, _Counts]]:
    """What was sampled where, by kind and place of the origin."""
    from armprof.binary.origins import kinds

    code = _Code(spots, frames)
    sampled: dict[tuple[str, _Site], dict[int, _Counts]] = {}
    for spot, counts in spots.items():
        for kind in kinds():
            origin = code.origin(kind, spot)
            if origin is not None:
                _add(sampled.setdefault((kind, origin), {}).setdefault(spot.own[0], {}), counts)
    places = code.places({origin for _, origin in sampled})
    found: dict[tuple[str, Place], dict[Place, _Counts]] = {}
    for (kind, origin), by_frame in sampled.items():
        place = places[origin]
        if place.line is not None:
            for frame, counts in by_frame.items():
                _add(found.setdefault((kind, place), {}).setdefault(place_of(frames[frame]), {}), counts)
    return found


def _ranked(found: Mapping[tuple[str, Place], Mapping[Place, _Counts]], totals: _Counts) -> Iterator[Origin]:
    """Those that have enough of an event, of each kind the most of the first event first."""
    first = next(iter(totals))
    sums: dict[tuple[str, Place], _Counts] = {}
    for key, sampled in found.items():
        for counts in sampled.values():
            _add(sums.setdefault(key, {}), counts)
    for key in sorted(found, key=lambda key: (key[0], -sums[key].get(first, 0.0))):
        if _has(ENOUGH, sums[key], totals):
            shares = sorted(found[key].items(), key=lambda one: -one[1].get(first, 0.0))
            yield Origin(*key, tuple(Share(place, counts) for place, counts in shares))


def _has(part: float, counts: _Counts, totals: _Counts) -> bool:
    """Whether it is so much of any event."""
    return any(count and count >= part * totals[event] for event, count in counts.items())


def _add(counts: _Counts, more: Mapping[str, float]) -> None:
    for event, count in more.items():
        counts[event] = counts.get(event, 0.0) + count


class _Site(NamedTuple):
    """An instruction, by its number in the code of its function."""

    module: str
    body: Body
    number: int

    @property
    def address(self) -> int:
        return int(self.body.code.addresses[self.number])


class _Code:
    """The functions that were sampled, those that called them, and those that these calls lead to."""

    def __init__(self, spots: Iterable[_Spot], frames: Sequence[Frame]) -> None:
        self._frames = frames
        sampled: dict[str, dict[int, tuple[Frame, ...]]] = {}
        calls: dict[str, set[int]] = {}
        for spot in spots:
            own = tuple(frames[number] for number in spot.own)
            sampled.setdefault(own[0].module, {})[own[0].address] = own
            if spot.caller is not None:
                caller = frames[spot.caller]
                calls.setdefault(caller.module, set()).add(_call(caller))
        modules = sampled.keys() | calls.keys()
        self._binaries = {module: _readable(module, sampled.get(module, {})) for module in modules}
        self._sites: dict[tuple[str, int], _Site] = {}  # by module and address, of those that were asked for
        for module in modules:
            self._read(module, sampled.get(module, {}).keys() | calls.get(module, set()))
        for module, addresses in calls.items():
            sites = (self._sites.get((module, at)) for at in addresses)
            self._read(module, {to for site in sites if site and (to := site.body.called_at(site.number)) is not None})
        self._origins: dict[tuple[str, int], _Site | None] = {}  # by kind and frame
        self._called: dict[tuple[str, int, int], _Site | None] = {}  # by kind, function and frame of the caller

    def origin(self, kind: str, spot: _Spot) -> _Site | None:
        """The instruction of that kind that the sample comes from; None where it is not known."""
        at = self._frames[spot.own[0]]
        site = self._sites.get((at.module, at.address))
        if site is None:
            return None
        if site.body.of_kind(kind) and not _is_helper(kind, site.body):
            own = kind, spot.own[0]
            if own not in self._origins:
                self._origins[own] = _before(kind, site)
            return self._origins[own]
        if spot.caller is None:
            return None
        by_caller = kind, site.body.function.start, spot.caller
        if by_caller not in self._called:
            call = self._call_of(site, self._frames[spot.caller])
            self._called[by_caller] = None if call is None else _before(kind, call)
        return self._called[by_caller]

    def _call_of(self, called: _Site, caller: Frame) -> _Site | None:
        """What called that function."""
        call = self._sites.get((caller.module, _call(caller)))
        if call is None:
            return None
        to = call.body.called_at(call.number)
        if to is None or to == called.body.function.start or to in call.body.code.stubs:
            return call
        between = self._sites.get((caller.module, to))
        if between is None or caller.module != called.module:
            return None
        calls = between.body.calls_to(called.body.function.start)
        return between._replace(number=calls[0]) if len(calls) == 1 else None

    def places(self, sites: Iterable[_Site]) -> dict[_Site, Place]:
        """The lines of these."""
        by_module: dict[str, list[_Site]] = {}
        for site in sites:
            by_module.setdefault(site.module, []).append(site)
        found = {}
        for module, those in by_module.items():
            binary = self._binaries[module]
            assert binary is not None
            for site, frames in zip(those, frames_of(binary, module, [site.address for site in those]), strict=True):
                found[site] = place_of(frames[0])
        return found

    def _read(self, module: str, addresses: Iterable[int]) -> None:
        """The functions at these addresses, all at once."""
        from armprof.binary.code import Code
        from armprof.binary.origins import Body

        binary, wanted = self._binaries[module], sorted(addresses)
        if binary is None or not wanted:
            return
        found = zip(wanted, binary.functions_at(wanted), strict=True)
        at = {address: function for address, function in found if function is not None}
        code = Code(binary, sorted(set(at.values()), key=lambda function: function.start))
        bodies = {function: Body(code, number) for number, function in enumerate(code.functions)}
        for address, function in at.items():
            number = code.number_at(address)
            if function in bodies and number is not None:
                self._sites.setdefault((module, address), _Site(module, bodies[function], number))


def _before(kind: str, site: _Site) -> _Site | None:
    number = site.body.before(kind, site.number)
    return None if number is None else site._replace(number=number)


def _call(caller: Frame) -> int:
    """The address of the call: a caller's place is the last byte of it."""
    return caller.address & ~3


def _is_helper(kind: str, body: Body) -> bool:
    """Whether the function is what the compiler made of one instruction of the kind: that is where it is called."""
    from armprof.binary.origins import kinds

    names = kinds()[kind].calls
    return names is not None and re.fullmatch(names, body.function.name) is not None


def _readable(module: str, sampled: Mapping[int, tuple[Frame, ...]]) -> Binary | None:
    """The file, if it is one of A64 code in which the places still bear the names that they had."""
    binary = binary_of(module)
    if binary is None or binary.elf.machine != ARM64:
        return None
    return binary if frames_of(binary, module, list(sampled)) == list(sampled.values()) else None
