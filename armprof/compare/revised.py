"""Components compared with each other, and those of two revisions of a project: both sides in turns, as ever."""

from __future__ import annotations

from collections.abc import Sequence
from contextlib import ExitStack, closing
from dataclasses import replace
from pathlib import Path

from armprof.compare.paired import SECONDS, TOLERANCE, Comparison, Progress, compare_pairs, nothing_told
from armprof.components.pairs import Pair
from armprof.components.pinning import pinned
from armprof.components.revisions import SHORT, Project, build
from armprof.components.trees import Components, Load, Tree
from armprof.errors import ArmprofError


def ab_components(
    old: str,
    new: str,
    load: Load,
    *,
    seconds: float = SECONDS,
    tolerance: float = TOLERANCE,
    progress: Progress = nothing_told,
) -> Comparison:
    """Compares two components, of those that ``load`` gives in this folder. Raises ArmprofError where one is none or fails."""
    with ExitStack() as stack:
        pinning = stack.enter_context(pinned())
        here = (stack.enter_context(closing(Tree("this folder", Path.cwd(), load, pinning))) for _ in range(2))
        pairs = [Components((next(here), next(here)), (old, new))]
        return compare_pairs(old, new, pairs, seconds, tolerance, progress)


def ab_revisions(
    base: str,
    head: str,
    load: Load,
    *,
    names: Sequence[str] = (),
    command: str | None = None,
    seconds: float = SECONDS,
    tolerance: float = TOLERANCE,
    progress: Progress = nothing_told,
) -> Comparison:
    """Compares components of two revisions of the project around this folder, each checked out and built for itself.

    ``load`` gives the components in each of the folders; compared are those named, or all that there were at ``base``.
    ``command`` builds a tree. The working tree is not touched. Raises ArmprofError where a revision is none, is not built, or
    lacks a component.
    """
    project = Project(Path.cwd())
    commits = project.commit(base), project.commit(head)
    labels = [f"{revision} ({commit[:SHORT]})" for revision, commit in zip((base, head), commits, strict=True)]
    with ExitStack() as stack:
        folders = []
        for label, commit in zip(labels, commits, strict=True):
            progress(f"building {label}" if command else f"checking out {label}", 0.0)
            folders.append(stack.enter_context(project.checked_out(commit)))
            if not folders[-1].is_dir():
                raise ArmprofError(f"{label} has no folder {Path.cwd().relative_to(project.top)}")
            if command:
                build(command, folders[-1], label)
        pinning = stack.enter_context(pinned())
        old, new = (
            stack.enter_context(closing(Tree(label, folder, load, pinning)))
            for label, folder in zip(labels, folders, strict=True)
        )
        chosen = list(dict.fromkeys(names)) or list(old.names)
        if not chosen:
            raise ArmprofError(f"{old.label} has no components: armprof.toml defines them, or name a command behind --")
        pairs: list[Pair] = [Components((old, new), (name, name), name) for name in chosen]
        found = compare_pairs(labels[0], labels[1], pairs, seconds, tolerance, progress)
        added = [name for name in new.names if name not in old.names and not names]
    notes = [f"{name} is new in {labels[1]}, and not compared" for name in added]
    if project.is_changed:
        notes.append("uncommitted changes of the working tree are on neither side")
    return replace(found, notes=(*found.notes, *notes))
