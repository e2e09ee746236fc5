"""What the instruction set of a core has, and of what compilers are told to compile for."""

from __future__ import annotations

import re
import tomllib
from collections.abc import Mapping
from functools import cache
from importlib.resources import files
from typing import Any

ALWAYS = frozenset({"fp", "simd"})


@cache
def _table() -> Mapping[str, Any]:
    return tomllib.loads(files(__package__).joinpath("features.toml").read_text(encoding="utf-8"))


def of_core(name: str) -> frozenset[str] | None:
    """The features of a core (``neoverse-n1``); None where the table has it not."""
    row = _table()["cores"].get(name)
    return None if row is None else _of_architecture(row[1]) | set(row[2].split())


def mcpu(name: str) -> str | None:
    """What compilers call the core."""
    row = _table()["cores"].get(name)
    return None if row is None else str(row[0])


def of_flag(flag: str) -> frozenset[str] | None:
    """The features that ``-mcpu=neoverse-n1`` or ``-march=armv8.2-a+sve`` lets a compiler use; None where not known."""
    name, _, extras = re.sub(r"^-m(cpu|arch)=", "", flag).partition("+")
    cores = {row[0]: core for core, row in _table()["cores"].items()}
    base = of_core(cores[name]) if name in cores else _of_architecture(name) if name in _table()["brings"] else None
    if base is None:
        return None
    told = set(base)
    for extra in filter(None, extras.split("+")):
        told = told - {extra.removeprefix("no")} if extra.startswith("no") else told | {extra}
    return frozenset(told)


def _of_architecture(name: str) -> frozenset[str]:
    """What comes with the architecture and with those before it."""
    table = _table()
    found = set(ALWAYS)
    major = name.partition(".")[0].removesuffix("-a")
    for other, brings in table["brings"].items():
        if other.startswith(major):
            found |= set(brings.split())
        if other == name:
            break
    included = table["includes"].get(name)
    return frozenset(found | _of_architecture(included) if included else found)
