"""What verbs that bench have in common: which components there are, for how long, and a bar while they run."""

from __future__ import annotations

import argparse
import math
from collections.abc import Callable, Iterable, Mapping
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from armprof.components import Definition
    from armprof.run.record import Run


def known(
    file: Path | None = None, modules: Iterable[str] = (), more: Iterable[Definition] = ()
) -> Mapping[str, Definition]:
    """The kernels, those of armprof.toml or of the ``file`` in its place, those that modules register, and ``more``, which
    take the place of others of their names.
    """
    from armprof import config
    from armprof.components import KERNELS, configured, registry

    path = config.found(file)
    stated = configured.read(path) if path is not None else []
    for name in modules:
        configured.load(name, Path.cwd())
    known = registry.joined(KERNELS.values(), registry.REGISTERED.values(), stated)
    return known | {definition.name: definition for definition in more}


def number(least: float, most: float, what: str) -> Callable[[str], float]:
    """What argparse makes a number of, as in ``--seconds 0.5``."""

    def parsed(text: str) -> float:
        try:
            value = float(text)
        except ValueError:
            value = math.nan
        if not least <= value <= most:
            raise argparse.ArgumentTypeError(f"{text!r} is no {what} from {least:.10g} to {most:.10g}")
        return value

    return parsed


def bench_all(file: Path | None = None) -> Run:
    """All components that there are, benched here and now."""
    from armprof.commands.progress import progress
    from armprof.components import bench

    components = known(file)
    with progress() as tell:
        return bench(progress=tell, components=components)
