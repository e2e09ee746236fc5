"""Which event a label of perf's names, on which PMU, in which mode of the processor."""

from __future__ import annotations

import re
from dataclasses import dataclass
from functools import lru_cache

from armprof.cpu import canonical, names

# The modifiers that change what is counted; the others (p, P, D, W, ...) change how.
_MODES = {"u": "user mode", "k": "kernel mode", "h": "hypervisor", "G": "guests", "H": "the host"}
_NAMED_CORE = re.compile(r"armv[89]_(cortex|neoverse)_([a-z]\d+\w*?)(?:_\d+)?$")


@dataclass(frozen=True, slots=True)
class LabelledEvent:
    """``name`` is the canonical one, or the label in lower case where armprof does not know the event.

    ``vague`` ranks the labels of one event: 0 Arm's own name, 1 perf's name for one cache or predictor, 2
    perf's generic names, behind which each kernel puts what it likes.
    """

    name: str
    known: bool
    pmu: str = ""
    modes: str = ""
    software: bool = False
    unit: str = ""  # of a count that is printed without one: newer perf prints task-clock as bare nanoseconds
    vague: int = 0

    @property
    def mode(self) -> str:
        return " and ".join(_MODES[m] for m in self.modes)


@lru_cache(maxsize=4096)
def identify(label: str) -> LabelledEvent:
    """The event of a label; labels that armprof does not know keep their own text, in lower case."""
    parts = names.split_label(label)
    if parts is None:
        return LabelledEvent(label.lower(), known=False)
    modes = "".join(sorted(m for m in set(parts.modifiers) if m in _MODES))
    name = canonical(label)
    if name is None:
        text = f"{parts.pmu}/{label.split('/')[1]}/" if parts.pmu else parts.event
        return LabelledEvent(text.lower(), known=False, modes=modes)
    if name in names.SOFTWARE:
        return LabelledEvent(name, known=True, modes=modes, software=True, unit=names.SOFTWARE[name][1])
    if parts.event.lower() == name or names.raw_code(parts.event) is not None:
        vague = 0
    else:
        vague = 2 if parts.event.lower() in names.ALIASES else 1
    return LabelledEvent(name, known=True, pmu=parts.pmu, modes=modes, vague=vague)


def core_of(pmu: str) -> str | None:
    """The core in a PMU's name: "neoverse-n1" of ``armv8_neoverse_n1``, None of ``armv8_pmuv3_0``."""
    match = _NAMED_CORE.match(pmu)
    return f"{match[1]}-{match[2]}" if match else None
