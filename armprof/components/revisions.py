"""Revisions of a project beside each other: each checked out into a folder of its own and built there.

What is named by a user is turned into a commit before anything else is done with it. The working tree is never touched; that
a folder was there is known to git until it is removed again, and no hook runs.
"""

from __future__ import annotations

import os
import subprocess
import tempfile
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

from armprof.components.processes import ended
from armprof.errors import ArmprofError

SHORT = 10  # digits of a commit that are shown


class Project:
    """The git repository around a folder. Raises ArmprofError where there is none."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        told = self._git("rev-parse", "--show-toplevel", "--show-prefix").split("\n")
        self.top, self._prefix = Path(told[0]), told[1] if len(told) > 1 else ""

    def commit(self, revision: str) -> str:
        """The commit that a branch, a tag or whatever git calls a revision is. Raises ArmprofError."""
        try:
            return self._git("rev-parse", "--verify", "--quiet", "--end-of-options", f"{revision}^{{commit}}").strip()
        except ArmprofError:
            raise ArmprofError(f"{self.top} has no revision {revision!r}") from None

    @property
    def is_changed(self) -> bool:
        """Whether files of the working tree differ from what is committed."""
        return bool(self._git("--no-optional-locks", "status", "--porcelain", "--untracked-files=no").strip())

    @contextmanager
    def checked_out(self, commit: str) -> Iterator[Path]:
        """A folder with that commit, gone in the end. Gives the place in it that this folder has in the working tree."""
        with tempfile.TemporaryDirectory(prefix="armprof-") as parent:
            tree = Path(parent, commit[:SHORT])
            try:
                self._git("worktree", "add", "--quiet", "--detach", str(tree), commit)
                yield tree / self._prefix
            finally:
                subprocess.run(
                    [*self._words("worktree", "remove", "--force", "--force", str(tree))],
                    capture_output=True,
                    env=_environment(),
                    check=False,
                )

    def _git(self, *words: str) -> str:
        try:
            done = subprocess.run(
                self._words(*words), capture_output=True, stdin=subprocess.DEVNULL, env=_environment(), check=False
            )
        except (OSError, ValueError) as error:  # ValueError: a NUL in a name
            raise ArmprofError(f"cannot run git: {getattr(error, 'strerror', None) or error}") from None
        if done.returncode:
            raise ArmprofError(f"git {words[0]}: {_last_line(done.stderr) or ended(done.returncode)}")
        return os.fsdecode(done.stdout)

    def _words(self, *words: str) -> list[str]:
        return ["git", "-C", str(self._folder), "-c", f"core.hooksPath={os.devnull}", *words]


def build(command: str, tree: Path, label: str) -> None:
    """Runs the shell's command in the tree. Raises ArmprofError with its last words where it fails."""
    with tempfile.TemporaryFile() as out:
        done = subprocess.run(
            ["sh", "-c", command],
            cwd=tree,
            stdin=subprocess.DEVNULL,
            stdout=out,
            stderr=out,
            env=_environment(),
            check=False,
        )
        if done.returncode:
            out.seek(0)
            said = _last_line(out.read())
            raise ArmprofError(f"{command!r} does not build {label}: {ended(done.returncode)}{said and f', {said}'}")


def _environment() -> dict[str, str]:
    """Without what a git hook sets: it would lead git, and a build, to another repository."""
    return {name: value for name, value in os.environ.items() if not name.startswith("GIT_")}


def _last_line(said: bytes) -> str:
    lines: Sequence[str] = [line for line in said.decode(errors="replace").splitlines() if line.strip()]
    return lines[-1].strip() if lines else ""
