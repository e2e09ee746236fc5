"""A trial in a process of its own: code that crashes ends that process, and the others keep their numbers."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import Any

from armprof.components.failure import Failed
from armprof.components.remote import Remote
from armprof.components.trial import Trial
from armprof.components.work import Definition
from armprof.run.record import Component


class Isolated:
    """A `Trial` as seen from here. What fails there is told by `component`, and nothing more is done with it."""

    def __init__(self, definition: Definition, make: Callable[[], Trial]) -> None:
        self._definition = definition
        self._failure: str | None = None
        self._timed: Component | None = None
        self._remote: Remote | None = None
        try:
            self._remote = Remote(make)
        except Failed as failed:
            self._failure = f"{failed} while it was warmed up"

    def time(self, turn: int) -> None:
        self._ask("timed", "time", turn)

    def count(self) -> str | None:
        self._timed = self._ask("timed", "component")  # before a crash in counting could take it
        why: str | None = self._ask("counted", "count")
        return why

    def component(self) -> Component:
        definition = self._definition
        found = self._ask("counted", "component") or self._timed
        found = found or Component(definition.name, definition.title, definition.kind, definition.operation)
        return replace(found, failure=self._failure)

    def close(self) -> None:
        """Ends the process."""
        if self._remote is not None:
            self._remote.close()

    def _ask(self, doing: str, method: str, *arguments: Any) -> Any:
        if self._failure is not None or self._remote is None:
            return None
        try:
            return self._remote.call(method, *arguments)
        except Failed as failed:
            self._failure = f"{failed} while it was {doing}"
            return None
