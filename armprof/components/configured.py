"""Components of an armprof.toml, and modules whose functions register themselves."""

from __future__ import annotations

import sys
from importlib import import_module
from operator import attrgetter
from pathlib import Path
from typing import Any

from armprof import config
from armprof.components.callables import callable_
from armprof.components.failure import told
from armprof.components.processes import command
from armprof.components.symbols import symbol
from armprof.components.work import Definition
from armprof.errors import ArmprofError
from armprof.run.codec import MismatchError

# What a component's table may say, by the key that says what it is.
KINDS = {"library": ("library", "symbol", "loop"), "callable": ("callable",), "command": ("command",)}
COMMON = ("title", "operation")

MODULES = "modules"  # the one key of [components] that is no component


def read(path: Path) -> list[Definition]:
    """The components that this armprof.toml defines; its modules are imported, and register theirs.

    Libraries and modules are looked for beside the file. Raises ArmprofError, which names the file and the table.
    """
    try:
        tables = config.table(config.parse(config.read(path), str(path)), "components")
        for name in _modules(tables):
            load(name, path.parent)
        return [_component(tables, name, path) for name in tables if name != MODULES]
    except ValueError as error:
        raise ArmprofError(f"{path}: {error}") from None


def load(name: str, folder: Path) -> Any:
    """The module of that name, from the folder or from where Python looks. Raises ArmprofError."""
    if name.endswith(".py") or "/" in name:
        dotted = name.removeprefix("./").removesuffix(".py").replace("/", ".")
        raise ArmprofError(f"a module is named as import names it: {dotted}, not {name}")
    where = str(folder.resolve())
    if where not in sys.path:
        sys.path.insert(0, where)
    try:
        return import_module(name)
    except ArmprofError:
        raise
    except (Exception, SystemExit) as error:
        raise ArmprofError(f"the module {name} cannot be imported: {told(error)}") from None


def _modules(tables: dict[str, Any]) -> list[str]:
    path, names = f"components.{MODULES}", tables.get(MODULES, [])
    if not isinstance(names, list):
        raise MismatchError(path, "a list of modules", names)
    return [config.text(name, f"{path}[{i}]") for i, name in enumerate(names)]


def _component(tables: dict[str, Any], name: str, file: Path) -> Definition:
    path = f"components.{config.path_of(name)}"
    known = [key for keys in KINDS.values() for key in keys]
    given = config.table(tables, name, (*known, *COMMON), path)
    kinds = [kind for kind in KINDS if kind in given]
    if len(kinds) != 1:
        raise ValueError(f"{path}: expected one of {', '.join(KINDS)}, found {' and '.join(kinds) or 'none'}")
    for key in given:
        if key not in (*KINDS[kinds[0]], *COMMON):
            raise ValueError(f"{path}.{key}: not for a {kinds[0]}")
    loop = given.get("loop", False)
    if not isinstance(loop, bool):
        raise MismatchError(f"{path}.loop", "true or false", loop)
    texts = {key: config.text(value, f"{path}.{key}") for key, value in given.items() if key != "loop"}
    title, operation, origin = texts.get("title", ""), texts.get("operation", ""), f"{path} in {file}"
    try:
        match kinds[0]:
            case "library":
                library = file.parent / texts["library"]
                return symbol(library, texts.get("symbol", name), loop, name, title, operation, origin)
            case "callable":
                return callable_(_named(texts["callable"], file), name, title, operation, origin)
            case _:
                return command(texts["command"], name, title, operation, origin)
    except ArmprofError as error:
        raise ArmprofError(f"{file}: {path}: {error}") from None


def _named(reference: str, file: Path) -> Any:
    """What "package.module:function" names."""
    module, colon, name = reference.partition(":")
    if not (module and colon and name):
        raise ArmprofError(f"{reference!r} is no module:function")
    try:
        return attrgetter(name)(load(module, file.parent))
    except AttributeError:
        raise ArmprofError(f"the module {module} has no {name}") from None
