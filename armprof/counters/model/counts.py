"""The file of counts that the plugin writes: csrc/model/counts.h describes it, field by field the same."""

from __future__ import annotations

import mmap
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from armprof.errors import CannotCount

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

MAGIC = b"armprof counts 1"
_HEADER = [
    ("magic", "S16"),
    *(
        (f"{section}_at", "u8")
        for section in ("blocks", "words", "sites", "modules", "regions", "lines", "owners", "banks")
    ),
    *((name, "u8") for name in ("bank_size", "bank_blocks_at", "bank_sites_at")),
    *((name, "u4") for name in ("blocks", "words", "sites", "modules", "regions", "banks")),
    *((name, "u4") for name in ("exhausted", "threads", "forks", "execs", "zeroed")),
]
_BLOCK = [
    *((name, "u8") for name in ("address", "next", "target")),
    *((name, "u4") for name in ("number", "words", "size", "lines", "ending", "hash", "sites", "sites_known")),
    ("only_line", "u8"),
]
_SITE = [("address", "u8"), ("block", "u4"), ("bytes", "u2"), ("store", "u2")]
_MODULE = [("start", "u8"), ("end", "u8"), ("offset", "u8"), ("path", "S1000")]
_REGION = [("parent", "u4"), ("name", "S252")]
_LINE = [("line", "u8"), ("times", "u8"), ("touched", "u8", 2), ("site", "u4", 2), ("thread", "u4", 2)]
_LINES = 1 << 10  # room for so many
BLOCK_COUNTS = (
    "executed", "taken", "mispredicted", "l1i_refill", "l2_refill", "ll_miss", "itlb_refill", "itlb_walk",
)  # fmt: skip
SITE_COUNTS = (
    "l1d_refill", "l2_refill", "ll_miss", "dtlb_refill", "dtlb_walk", "unaligned", "crossing", "contended",
    "false_sharing",
)  # fmt: skip
_BANK = [
    *((name, "u4") for name in ("number", "process", "order", "region")),
    *((n, "u8") for n in ("l1d_wb", "l2_wb", "prefetched", "prefetch_l2_refill", "prefetch_ll_miss", "entered")),
]

# How a block ends.
FALLS_THROUGH, CONDITIONAL, JUMP, CALL, INDIRECT_JUMP, INDIRECT_CALL, RETURN = range(7)


@dataclass(frozen=True)
class Bank:
    """The counts of one thread, or some one after another, within one region (0: none): by block and by site."""

    facts: Any  # a record of _BANK
    blocks: NDArray[np.uint64]  # columns as BLOCK_COUNTS
    sites: NDArray[np.uint64]  # columns as SITE_COUNTS

    def block(self, name: str) -> NDArray[np.uint64]:
        return self.blocks[:, BLOCK_COUNTS.index(name)]

    def site(self, name: str) -> NDArray[np.uint64]:
        return self.sites[:, SITE_COUNTS.index(name)]


@dataclass(frozen=True)
class Counts:
    """Arrays of records, as in counts.h. ``words`` are the instructions that the blocks point into."""

    header: Any
    blocks: NDArray[Any]
    words: NDArray[np.uint32]
    sites: NDArray[Any]
    modules: NDArray[Any]
    regions: NDArray[Any]
    lines: NDArray[Any]
    banks: tuple[Bank, ...]


def read(path: Path) -> Counts:
    """What is in the file. Raises CannotCount where the plugin never began to write it."""
    import numpy as np

    with path.open("rb") as file:
        if path.stat().st_size < np.dtype(_HEADER).itemsize:
            raise CannotCount("the emulator ended before the model counted anything")
        # A private view: the arrays copy what they take, so that the file may go.
        with mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_READ) as mapped:
            return _parse(mapped)


def _parse(mapped: mmap.mmap) -> Counts:
    import numpy as np

    def table(at: int, number: int, fields: Any) -> NDArray[Any]:
        kind = np.dtype(fields)
        end = at + int(number) * kind.itemsize
        if end > len(mapped):
            raise CannotCount("the file of counts is cut off: is the disk full?")
        return np.frombuffer(mapped[at:end], kind)

    header = table(0, 1, _HEADER)[0]
    if header["magic"] != MAGIC:
        raise CannotCount("the file of counts is not of this version of armprof")

    def bank(number: int) -> Bank:
        at = int(header["banks_at"]) + number * int(header["bank_size"])
        blocks = table(at + int(header["bank_blocks_at"]), int(header["blocks"]) * len(BLOCK_COUNTS), "u8")
        sites = table(at + int(header["bank_sites_at"]), int(header["sites"]) * len(SITE_COUNTS), "u8")
        return Bank(table(at, 1, _BANK)[0], blocks.reshape(-1, len(BLOCK_COUNTS)), sites.reshape(-1, len(SITE_COUNTS)))

    return Counts(
        header=header,
        blocks=table(int(header["blocks_at"]), header["blocks"], _BLOCK),
        words=table(int(header["words_at"]), header["words"], "u4"),
        sites=table(int(header["sites_at"]), header["sites"], _SITE),
        modules=table(int(header["modules_at"]), header["modules"], _MODULE),
        regions=table(int(header["regions_at"]), header["regions"], _REGION),
        lines=table(int(header["lines_at"]), _LINES, _LINE),
        banks=tuple(bank(number) for number in range(int(header["banks"]))),
    )
