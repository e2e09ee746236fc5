"""What the plugin counted, laid out by instruction: sums over it are totals, groups of it functions and lines."""

from __future__ import annotations

import tomllib
from collections.abc import Callable, Sequence
from functools import cache, cached_property
from importlib.resources import files
from typing import TYPE_CHECKING, Any, TypeVar

from armprof.counters.model import counts as file
from armprof.counters.model.counts import Bank, Counts

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    Numbers = NDArray[np.int64]
    Mask = NDArray[np.bool_]

Made = TypeVar("Made")


class Tally:
    """The counts of some banks, together. Every array has an entry for each instruction of each block.

    An instruction that is in several blocks has several entries, at the same `address`.
    """

    def __init__(self, counts: Counts, banks: Sequence[Bank] | None = None) -> None:
        self.counts = counts
        self.banks = counts.banks if banks is None else tuple(banks)
        self._made: dict[str, Any] = {}

    def once(self, name: str, make: Callable[[], Made]) -> Made:
        """What is made of this tally by that name, made once."""
        if name not in self._made:
            self._made[name] = make()
        made: Made = self._made[name]
        return made

    @cached_property
    def _layout(self) -> tuple[Numbers, Numbers]:
        """Of each entry the block, and its place there."""
        import numpy as np

        sizes = self.counts.blocks["size"].astype(np.int64)
        block = np.repeat(np.arange(len(sizes)), sizes)
        starts = np.cumsum(sizes) - sizes
        return block, np.arange(len(block)) - starts[block]

    @cached_property
    def address(self) -> NDArray[np.uint64]:
        block, place = self._layout
        found: NDArray[np.uint64] = self.counts.blocks["address"][block] + 4 * place.astype("u8")
        return found

    @cached_property
    def word(self) -> NDArray[np.uint32]:
        block, place = self._layout
        return self.counts.words[self.counts.blocks["words"][block] + place]

    @cached_property
    def executed(self) -> Numbers:
        return self.by_block("executed")[self._layout[0]]

    def by_block(self, name: str) -> Numbers:
        """A count of blocks by their number, the banks together."""
        import numpy as np

        zeros = np.zeros(len(self.counts.blocks), np.int64)
        return sum((bank.block(name).astype(np.int64) for bank in self.banks), zeros)

    def first(self, name: str) -> Numbers:
        """A count of blocks, at the first instruction of each."""
        return self._at(self._layout[1] == 0, self.by_block(name))

    def last(self, name: str, *endings: int) -> Numbers:
        """A count of blocks, at the last instruction of each that ends in one of these ways."""
        import numpy as np

        block, place = self._layout
        ends = place == self.counts.blocks["size"][block].astype(np.int64) - 1
        if endings:
            ends &= np.isin(self.counts.blocks["ending"][block], endings)
        return self._at(ends, self.by_block(name))

    def _at(self, chosen: Mask, by_block: Numbers) -> Numbers:
        import numpy as np

        return np.where(chosen, by_block[self._layout[0]], 0)

    def lines(self) -> Numbers:
        """The cache lines of code that were gone through, at the first instruction of each block."""
        block, place = self._layout
        touched: Numbers = (place == 0) * self.executed * self.counts.blocks["lines"][block].astype("i8")
        return touched

    @cached_property
    def _site_entry(self) -> Numbers:
        """Of each site the entry of its instruction."""
        import numpy as np

        sites, blocks = self.counts.sites, self.counts.blocks
        sizes = blocks["size"].astype(np.int64)
        starts = np.cumsum(sizes) - sizes
        place = (sites["address"] - blocks["address"][sites["block"]]) // 4
        found: Numbers = starts[sites["block"]] + place.astype(np.int64)
        return found

    def sites(self, name: str, store: bool | None = None) -> Numbers:
        """A count of sites, of loads or stores alone where ``store`` says so, at their instructions."""
        import numpy as np

        values = sum((bank.site(name).astype(np.int64) for bank in self.banks), np.zeros(len(self.counts.sites), "i8"))
        if name == "unaligned":  # counted in bytes: an instruction may make several accesses
            values //= np.maximum(self.counts.sites["bytes"], 1)
        return self._spread(values, store)

    def accesses(self, store: bool | None = None) -> Numbers:
        """How often a load or store was executed, at its instruction."""
        return self._spread(None, store) * self.executed

    def _spread(self, values: Numbers | None, store: bool | None) -> Numbers:
        import numpy as np

        spread = np.zeros(len(self.address), np.int64)
        chosen = slice(None) if store is None else self.counts.sites["store"] == store
        spread[self._site_entry[chosen]] = 1 if values is None else values[chosen]
        return spread

    def kind(self, *names: str) -> Mask:
        """Whether the instruction is of one of these kinds in instructions.toml."""
        import numpy as np

        found = np.zeros(len(self.word), bool)
        for name in names:
            for mask, value in _kinds()[name]:
                found |= (self.word & np.uint32(mask)) == value
        return found

    def bank_total(self, name: str) -> int:
        """What is counted of a thread alone, and of no instruction."""
        return sum(int(bank.facts[name]) for bank in self.banks)


@cache
def _kinds() -> dict[str, Any]:
    return tomllib.loads(files(__package__).joinpath("instructions.toml").read_text(encoding="utf-8"))


ENDINGS = {
    "immediate": (file.CONDITIONAL, file.JUMP, file.CALL),
    "return": (file.RETURN,),
    "indirect": (file.INDIRECT_JUMP, file.INDIRECT_CALL, file.RETURN),
    "chosen": (file.INDIRECT_JUMP, file.INDIRECT_CALL),
    "unconditional": (file.JUMP, file.CALL, file.INDIRECT_JUMP, file.INDIRECT_CALL, file.RETURN),
    "any": (file.CONDITIONAL, file.JUMP, file.CALL, file.INDIRECT_JUMP, file.INDIRECT_CALL, file.RETURN),
}
