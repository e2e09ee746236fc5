"""What the model takes from a core's table, what it assumes where the table says nothing, and what a user may set."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from armprof import cpu
from armprof.cpu import Core
from armprof.errors import ArmprofError

DEFAULT_CORE = "neoverse-n1"
LINE_BYTES = 64

# Not in any core's table: these are the model's own.
_OWN = {
    "page_bits": 12,  # 4 KiB, the page of most distributions
    "prefetch": 4,  # lines ahead
    "inclusive": 1,  # what leaves L2 leaves L1D too, as on the Neoverse cores
    "returns": 16,
}
_LIMITS = {
    "l1i_tlb": (2, 254),
    "l1d_tlb": (2, 254),
    "page_bits": (12, 30),
    "prefetch": (0, 64),
    "inclusive": (0, 1),
    "returns": (1, 64),
}
_LL_WAYS = 16


@dataclass(frozen=True)
class Geometry:
    """``settings`` are the plugin's arguments; ``assumed`` those that the core's table does not give."""

    core: Core
    settings: Mapping[str, int]
    assumed: tuple[str, ...] = ()


def geometry(core: Core | str | None = None, overrides: Mapping[str, int] | None = None) -> Geometry:
    """The geometry of the core, of this machine's where none is named and the machine is one, else of a Neoverse N1.

    ``overrides`` sets single values (``{"l1d_bytes": 32768, "prefetch": 0}``). Raises ArmprofError for a name that is no
    setting, and for a core whose lines are not of 64 bytes.
    """
    core = _core(core)
    reference = cpu.core(DEFAULT_CORE)
    settings: dict[str, int] = {}
    assumed: list[str] = []
    for name, (own, other) in _facts(core, reference).items():
        if own is None:
            assumed.append(name)
        settings[name] = other if own is None else own
    settings |= _OWN
    for name, value in (overrides or {}).items():
        if name not in settings:
            raise ArmprofError(f"the model has no setting {name!r}; known: {', '.join(settings)}")
        settings[name] = value
    _check(settings)
    return Geometry(core, settings, tuple(name for name in assumed if name not in (overrides or {})))


def _check(settings: Mapping[str, int]) -> None:
    """Raises ArmprofError for a geometry that there cannot be."""
    for name in ("l1i", "l1d", "l2", "ll"):
        size, ways = settings[f"{name}_bytes"], settings[f"{name}_ways"]
        if size == 0 and name in ("l2", "ll"):
            continue
        sets, rest = divmod(size, ways * LINE_BYTES) if ways else (0, 0)
        if not sets or rest or ways > 1 << 16 or size > 1 << 32:
            raise ArmprofError(f"{name}_bytes={size} is no multiple of its ways and lines: {ways} x {LINE_BYTES} bytes")
        if sets & (sets - 1) and name in ("l1i", "l1d"):
            raise ArmprofError(f"{name}_bytes={size} in {ways} ways are {sets} sets: an L1 cache has a power of two")
    entries, ways = settings["l2_tlb"], settings["l2_tlb_ways"]
    if entries and (not ways or entries % ways):
        raise ArmprofError(f"l2_tlb={entries} is no multiple of its {ways} ways")
    for name, (least, most) in _LIMITS.items():
        if not least <= settings[name] <= most:
            raise ArmprofError(f"{name}={settings[name]} is not from {least} to {most}")


def _core(core: Core | str | None) -> Core:
    if core is None:
        here = cpu.host().core
        core = here if here is not None and here.known and here.name in cpu.core_names() else DEFAULT_CORE
    return cpu.core(core) if isinstance(core, str) else core


def _facts(core: Core, reference: Core) -> dict[str, tuple[int | None, int]]:
    """Of each setting what the core's table says, and what the reference's does."""
    facts: dict[str, tuple[int | None, int]] = {}
    for level, prefix in (("l1i", "l1i"), ("l1d", "l1d"), ("l2", "l2"), ("llc", "ll")):
        mine, theirs = core.caches.get(level), reference.caches[level]
        if mine is not None and mine.line_bytes != LINE_BYTES:
            raise ArmprofError(f"{core.title} has lines of {mine.line_bytes} bytes; the model knows lines of 64 alone")
        size = (mine.modelled_kib if mine else None), theirs.modelled_kib or 0
        facts[f"{prefix}_bytes"] = (size[0] and size[0] * 1024), size[1] * 1024
        ways = (mine.ways if mine else None), theirs.ways or _LL_WAYS
        facts[f"{prefix}_ways"] = ways if ways[0] or prefix != "ll" else (ways[1], ways[1])
    for level in ("l1i", "l1d"):
        tlb = core.tlbs.get(level)
        facts[f"{level}_tlb"] = (tlb.entries if tlb else None), reference.tlbs[level].entries
    tlb, theirs_l2 = core.tlbs.get("l2"), reference.tlbs["l2"]
    facts["l2_tlb"] = (tlb.entries if tlb else None), theirs_l2.entries
    facts["l2_tlb_ways"] = (tlb.ways if tlb else None), theirs_l2.ways or 1
    return facts
