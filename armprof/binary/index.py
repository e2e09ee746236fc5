"""The tables of one file, by address: made once, kept in the cache, and searched as arrays."""

from __future__ import annotations

import hashlib
from pathlib import Path
from typing import Any

import numpy as np

from armprof.binary import cache, dwarf, split, starts
from armprof.binary.elf import STT_FUNC, STT_GNU_IFUNC, STT_OBJECT, Elf
from armprof.binary.separate import alternate_file, with_debug

FORMAT = 3  # of the arrays below; another one makes all kept indexes void
NONE = 0xFFFFFFFF
LONGEST_TEXT = 65536

# From start up to, not including, end. The name is a text; NONE: the function has none.
SPAN = np.dtype([("start", "<u8"), ("end", "<u8"), ("name", "<u4"), ("padding", "<u4")])

Arrays = dict[str, Any]


def index(elf: Elf) -> tuple[Arrays, dict[str, Any]]:
    """The arrays, and facts: what the lines are from and what could not be read."""
    found = with_debug(elf)
    separate = found if found is not elf else None
    key = _key(elf, separate)
    kept = cache.load(key)
    if kept is not None and kept[1]["split"] == split.stamp(skeletons(kept[0]), programs(elf, separate)):
        return kept
    arrays, facts = _made(elf, separate)
    cache.save(key, arrays, facts)
    return arrays, facts


def programs(elf: Elf, separate: Elf | None) -> list[Path]:
    """The files of the program: what its units keep elsewhere is looked for beside them."""
    return [one.path for one in (elf, separate) if one is not None]


def skeletons(arrays: Arrays) -> list[split.Skeleton]:
    """The units that keep their entries in files of their own."""
    table = arrays["skeletons"].tolist()
    return [split.Skeleton(id, text(arrays, name) or "", text(arrays, folder) or "") for id, name, folder, *_ in table]


def text(arrays: Arrays, number: int) -> str | None:
    """The text of that number, None where there is none."""
    if number >= len(arrays["text_starts"]):
        return None
    start = int(arrays["text_starts"][number])
    found: bytes = arrays["texts"][start : start + LONGEST_TEXT].tobytes().partition(b"\0")[0]
    return found.decode(errors="replace")


def _key(elf: Elf, separate: Elf | None) -> str:
    """The build id stands for what is in a file, but a stripped file has the same: so the table of sections, too."""
    key = hashlib.sha256(f"{FORMAT}".encode())
    for one in (elf, separate):
        if one is None:
            key.update(b"none")
        elif one.build_id is None:
            key.update(hashlib.blake2b(one.data).digest())
        else:
            key.update(f"{one.build_id} {one.size}".encode() + one.section_headers.tobytes())
    return key.hexdigest()[:40]


def _made(elf: Elf, separate: Elf | None) -> tuple[Arrays, dict[str, Any]]:
    source = separate or elf
    alternate = alternate_file(source)
    arrays, complete = dwarf.read(source, alternate, (), elf.code)
    elsewhere, beside = skeletons(arrays), programs(elf, separate)
    stamp = split.stamp(elsewhere, beside)
    if stamp:
        arrays, complete = dwarf.read(source, alternate, split.read(elsewhere, beside), elf.code)
    texts = _Texts(arrays)
    tables = [*elf.symbols(), *(separate.symbols() if separate else ())]
    functions = _spans(elf, tables, (STT_FUNC, STT_GNU_IFUNC), texts)
    arrays["functions"] = _with_starts(functions, starts.functions(elf))
    arrays["variables"] = _spans(elf, tables, (STT_OBJECT,), texts)
    arrays["texts"], arrays["text_starts"] = texts.arrays()
    known = len(arrays["units"]) or len(arrays["skeletons"])
    facts = {"debug": str(source.path) if known else None, "complete": complete, "split": stamp}
    return arrays, facts


class _Texts:
    """Those of the debug information, and more behind them."""

    def __init__(self, arrays: Arrays) -> None:
        self._given, self._starts = arrays["texts"], arrays["text_starts"]
        self._added: list[bytes] = []

    def add(self, text: bytes) -> int:
        self._added.append(text)
        return len(self._starts) + len(self._added) - 1

    def arrays(self) -> tuple[Any, Any]:
        sizes = np.array([0, *(len(text) + 1 for text in self._added)], np.uint64)
        added = np.frombuffer(b"".join(text + b"\0" for text in self._added), np.uint8)
        more = len(self._given) + np.cumsum(sizes)[:-1].astype(np.uint64)
        return np.concatenate([self._given, added]), np.concatenate([self._starts, more])


def _spans(elf: Elf, tables: list[Any], kinds: tuple[int, ...], texts: _Texts) -> Any:
    """The symbols of these kinds, one for each address: of several names the shortest (not __libc_malloc, but malloc)."""
    found: list[tuple[Any, memoryview]] = []
    for table, names in tables:
        wanted = np.isin(table["info"] & 0xF, kinds) & (table["section"] != 0) & (table["name"] < len(names))
        if len(names):
            found.append((table[wanted], names))
    if not found:
        return np.empty(0, SPAN)
    start = np.concatenate([symbols["value"] for symbols, _ in found])
    size = np.concatenate([symbols["size"] for symbols, _ in found])
    length = np.concatenate([_lengths(symbols["name"], names) for symbols, names in found])
    origin = np.concatenate([np.full(len(symbols), n) for n, (symbols, _) in enumerate(found)])
    at = np.concatenate([symbols["name"] for symbols, _ in found]).astype(np.int64)
    order = np.lexsort((length, start))
    order = order[length[order] > 0]
    if not len(order):
        return np.empty(0, SPAN)
    first = np.flatnonzero(np.r_[True, np.diff(start[order]) != 0])
    spans = np.zeros(len(first), SPAN)
    chosen = order[first]
    spans["start"] = start[chosen]
    ends = spans["start"] + np.maximum.reduceat(size[order], first)
    spans["end"] = np.where(ends < spans["start"], spans["start"], ends)
    _fill(spans, elf.code)
    for i, n in enumerate(chosen.tolist()):
        names = found[origin[n]][1]
        spans["name"][i] = texts.add(bytes(names[at[n] : at[n] + length[n]]))
    return spans


def _lengths(names: Any, texts: memoryview) -> Any:
    """How long each name is; 0 where it does not end."""
    ends = np.flatnonzero(np.frombuffer(texts, np.uint8) == 0)
    place = np.searchsorted(ends, names)
    inside = place < len(ends)
    return np.where(inside, ends[np.where(inside, place, 0)] - names if len(ends) else 0, 0)


def _fill(spans: Any, code: Any) -> None:
    """What has no size, as in assembly, goes up to the next one or to the end of its section."""
    empty = np.flatnonzero(spans["end"] == spans["start"])
    if not len(empty) or not len(code):
        return
    place = np.searchsorted(code[:, 1], spans["start"][empty], "right")
    inside = place < len(code)
    ends = code[np.where(inside, place, 0), 1]
    inside &= code[np.where(inside, place, 0), 0] <= spans["start"][empty]
    following = np.r_[spans["start"][1:], np.uint64(2**64 - 1)][empty]
    spans["end"][empty] = np.where(inside, np.minimum(ends, following), spans["start"][empty])


def _with_starts(functions: Any, found: Any) -> Any:
    """The functions that have symbols, and between them those that have none."""
    place = np.searchsorted(functions["start"], found[:, 0], "right")
    before = np.where(place > 0, place - 1, 0)
    known = (place > 0) & (functions["end"][before] > found[:, 0]) if len(functions) else np.zeros(len(found), bool)
    more = np.zeros(int((~known).sum()), SPAN)
    more["start"], more["end"], more["name"] = found[~known, 0], found[~known, 1], NONE
    both = np.concatenate([functions, more])
    return both[np.argsort(both["start"], kind="stable")]
