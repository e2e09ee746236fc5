"""Whether two runs can be compared: what differs between them besides the code that they measured."""

from __future__ import annotations

from dataclasses import dataclass

from armprof.errors import ArmprofError
from armprof.run.record import Component, Run

# Fields of a run's host. A time on another machine says nothing of the code; another kernel may, and is told.
MACHINE = ("arch", "model", "core", "cpus")
SETTINGS = ("kernel",)


@dataclass(frozen=True, slots=True)
class Difference:
    """One thing that differs. ``is_machine``: the runs come from different machines."""

    what: str
    base: str
    head: str
    is_machine: bool = False

    def __str__(self) -> str:
        return f"{self.what}: {self.base} and {self.head}"


def differences(base: Run, head: Run) -> tuple[Difference, ...]:
    """What differs between the machines and the versions of armprof; what one of the runs does not tell is different."""
    found = []
    for what in (*MACHINE, *SETTINGS):
        one, other = (_told(run.host.get(what)) for run in (base, head))
        if one != other:
            found.append(Difference(what, one, other, is_machine=what in MACHINE))
    if base.armprof_version != head.armprof_version:
        found.append(Difference("armprof", _told(base.armprof_version), _told(head.armprof_version)))
    return tuple(found)


def _told(value: object) -> str:
    return "not told" if value is None or value == "" else str(value)


def unlike_machines(found: tuple[Difference, ...]) -> str | None:
    """In what the machines differ; None where they do not."""
    return "; ".join(str(difference) for difference in found if difference.is_machine) or None


def refuse_unlike(found: tuple[Difference, ...]) -> None:
    """Raises ArmprofError where the runs come from different machines."""
    if machines := unlike_machines(found):
        raise ArmprofError(
            f"the runs are of unlike machines ({machines}): bench both on one machine, or compare them with --unlike"
        )


def why_not(base: Component, head: Component) -> str | None:
    """Why two components of one name are not the same work; None where they are."""
    if failure := base.failure or head.failure:
        return f"its own code failed: {failure}"
    for field in ("kind", "operation"):
        one, other = getattr(base, field), getattr(head, field)
        if one != other:
            return f"its {field} was {one!r} and is {other!r}"
    if None not in (base.checksum, head.checksum) and base.checksum != head.checksum:
        return "its outputs differ (another checksum): the input or the work is not the same"
    batches = [component.latency.batch for component in (base, head) if component.latency]
    if len(set(batches)) > 1:
        return f"it was timed in batches of {batches[0]} and of {batches[1]} operations: bench it with --like BASE"
    return None
