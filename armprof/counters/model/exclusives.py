"""Store exclusives that failed. The emulator does not tell, but the program asks: the branch on a store's status does."""

from __future__ import annotations

from typing import TYPE_CHECKING

from armprof.counters.model import counts as file
from armprof.counters.model.tally import Tally
from armprof.errors import CannotCount

if TYPE_CHECKING:
    from armprof.counters.model.tally import Numbers

_CBZ, _CBNZ = 0x34, 0x35  # of 32 bits, by the highest byte


def failed(tally: Tally) -> Numbers:
    """How often each store exclusive failed: how its block's last branch, the next instruction, went.

    Raises CannotCount where a store was executed whose status no such branch looks at.
    """
    import numpy as np

    word, executed = tally.word, tally.executed
    status = np.append(word[1:], 0) & 0xFF00001F  # of the next instruction: what it is, and its register
    register = word >> 16 & 0x1F
    ends = np.append(tally.last("executed", file.CONDITIONAL)[1:], 0)
    taken = np.append(tally.last("taken")[1:], 0)
    stores = tally.kind("strex_spec") & (executed > 0)
    on_failure, on_success = (stores & (ends > 0) & (status == op << 24 | register) for op in (_CBNZ, _CBZ))
    unknown = stores & ~on_failure & ~on_success
    if unknown.any():
        where = int(tally.address[unknown][0])
        raise CannotCount(f"no branch follows the store exclusive at {where:#x}, so whether it failed is not known")
    return np.where(on_failure, taken, 0) + np.where(on_success, ends - taken, 0)


def passed(tally: Tally) -> Numbers:
    """How often each store exclusive stored."""
    return tally.kind("strex_spec") * tally.executed - failed(tally)
