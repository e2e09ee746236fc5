"""Components of users: `armprof.component` registers them, and no two components have the same name."""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterable, Sequence
from pathlib import Path
from typing import Any, TypeVar, overload

from armprof.components.callables import callable_
from armprof.components.kernels import KERNELS
from armprof.components.processes import command as command_
from armprof.components.symbols import symbol as symbol_
from armprof.components.work import Definition
from armprof.errors import ArmprofError

F = TypeVar("F", bound=Callable[[], Any])

REGISTERED: dict[str, Definition] = {}


@overload
def component(name: F, /) -> F: ...


@overload
def component(name: str, /, *, title: str = "", operation: str = "") -> Callable[[F], F]: ...


@overload
def component(name: str, /, *, command: str | Sequence[str], title: str = "", operation: str = "") -> None: ...


@overload
def component(
    name: str,
    /,
    *,
    library: str | Path,
    symbol: str | None = None,
    loop: bool = False,
    title: str = "",
    operation: str = "",
) -> None: ...


def component(
    name: Any = None,
    /,
    *,
    command: str | Sequence[str] | None = None,
    library: str | Path | None = None,
    symbol: str | None = None,
    loop: bool = False,
    title: str = "",
    operation: str = "",
) -> Any:
    """Registers a component beside the built-in kernels: `armprof.components.bench` and `armprof bench` then know it.

        @armprof.component
        def decode(): ...

        @armprof.component("decode, small", operation="message")
        def small(): ...

        armprof.component("unpack", command="gzip -dkf data.gz")
        armprof.component("parse", library="./libparse.so", symbol="parse_all")

    A function is called without arguments; one of a library is ``void f(void)`` or, with ``loop=True``,
    ``uint64_t f(void *state, uint64_t operations)``. ``operation`` is the word for what is done once.

    Raises ArmprofError where it cannot be run like that, and for a name that another component has.
    """
    if callable(name):
        _register(callable_(name, getattr(name, "__name__", repr(name)), title, operation, _origin(name)))
        return name
    if not isinstance(name, str) or not name:
        raise ArmprofError(f"a component is called by a name, not by {name!r}; as a decorator it is @armprof.component")
    if command is not None and library is not None:
        raise ArmprofError(f"component {name!r} is a command or a function of a library, not both")
    if library is None and (symbol or loop):
        raise ArmprofError(f"component {name!r} has a symbol of no library")
    here = f"{sys._getframe(1).f_globals.get('__name__')}.component({name!r})"
    if command is not None:
        return _register(command_(command, name, title, operation, here))
    if library is not None:
        return _register(symbol_(Path(library), symbol or name, loop, name, title, operation, here))

    def register(function: F) -> F:
        _register(callable_(function, name, title, operation, _origin(function)))
        return function

    return register


def _register(definition: Definition) -> None:
    """A function takes the place of the one that a reloaded module defined before."""
    others = (other for other in REGISTERED.values() if other.origin != definition.origin)
    joined(KERNELS.values(), others, [definition])
    REGISTERED[definition.name] = definition


def _origin(function: object) -> str:
    return f"{getattr(function, '__module__', '?')}.{getattr(function, '__qualname__', repr(function))}"


def joined(*groups: Iterable[Definition]) -> dict[str, Definition]:
    """All definitions by name. Raises ArmprofError where two have the same."""
    found: dict[str, Definition] = {}
    for definition in (one for group in groups for one in group):
        other = found.setdefault(definition.name, definition)
        if other is not definition:
            raise ArmprofError(f"two components are called {definition.name!r}: {other.origin}, {definition.origin}")
    return found
