"""The pages as a reader follows them: from the top, typing what stands there, and looking whether the same comes out.

    ```sh         runs; what it prints is not shown
    ```python     runs
    ```console    runs what stands behind $, and what is below each command is what it prints, on stdout and stderr

`...` in what is shown stands for anything. Words are compared to the letter, numbers to 5 %: a program reads its
environment before it begins, so even what the model counts is not the same to the last digit in every shell. After a line
`<!-- numbers vary -->` any number will do, and its unit. All blocks of a page run in one folder, in their order.

`python tests/docs/pages.py PAGE...` writes into the pages what the commands print now, where that is something else.
"""

from __future__ import annotations

import math
import os
import re
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cache
from pathlib import Path

PROJECT = Path(__file__).parents[2]
PAGES = [
    PROJECT / "README.md",
    *sorted((PROJECT / "docs").glob("*.md")),
    *sorted((PROJECT / "examples").rglob("README.md")),
]
VARIES = "<!-- numbers vary -->\n"
BLOCK = re.compile(rf"^({VARIES})?```(sh|python|console)\n(.*?)^```$", re.MULTILINE | re.DOTALL)
NUMBER = re.compile(r"(?<![\w.:])[-+]?\d[\d,]*(?:\.\d+)?(?:e[+-]?\d+)?(?![\w])")
UNIT = r"(?: (?:ns|us|µs|ms|s|B|KiB|MiB|GiB)\b)?"
COMPILER = "aarch64-linux-gnu-gcc"
COMPARED_WITH = "12."  # what other compilers make of a program is counted otherwise

# What is shown and not run here, by how it begins, each with the reason.
NOT_RUN = {
    **dict.fromkeys(("make report", "make test", "make docs", "make lint"), "continuous integration runs it"),
    "sudo": "changes the machine",
    "armprof monitor": "goes on until it is ended; tests/unit/test_monitor_command.py runs it",
    "python -m armprof.monitor.passwords": "asks for a password; tests/unit/test_monitor_passwords.py gives one",
    "armprof trends": "takes a store of a day; tests/unit/test_monitor_trends.py makes some",
    "armprof fleet": "takes a Prometheus; tests/unit/test_monitor_fleet.py starts one",
    "armprof record --pid": "takes a process of yours; tests/unit/test_record.py samples one",
    "armprof record -e": "takes a counter of the machine; tests/hardware/test_sampling.py counts by one",
    **dict.fromkeys(
        ("perf record -e arm_spe", "armprof report perf.data", "armprof inspect ./program --counts perf.data"),
        "takes a machine with SPE; tests/unit/test_samples_perfdata.py reads what perf writes there",
    ),
    "cd tests": "the suite of programs is in the repository, beside these tests",
    "python -m diagnosis": "tests/diagnosis runs it",
}


@dataclass(frozen=True)
class Command:
    """A line to type, and what the page shows below it; None where that is not said."""

    text: str
    shown: str | None = None

    @property
    def is_run(self) -> bool:
        return not self.text.startswith(tuple(NOT_RUN))


@dataclass(frozen=True)
class Block:
    """One block of a page. `start` and `end` are where its text is."""

    kind: str
    text: str
    start: int
    end: int
    varies: bool

    @property
    def commands(self) -> Sequence[Command]:
        """Those of a console, each with what is shown; of a shell all lines as one."""
        if self.kind != "console":
            lines = (line for line in self.text.splitlines() if Command(line).is_run)
            return [Command("\n".join(lines))]
        found = re.findall(r"^\$ ((?:.*\\\n)*.*)\n((?:(?!\$ ).*\n)*)", self.text, re.MULTILINE)
        return [Command(text, shown) for text, shown in found]


def blocks(page: str) -> list[Block]:
    """Every block of the text of a page that runs."""
    return [Block(one[2], one[3], one.start(3), one.end(3), bool(one[1])) for one in BLOCK.finditer(page)]


class CommandError(Exception):
    """A command that ended otherwise than well."""


def workplace(folder: Path, page: Path) -> None:
    """Lays into the folder what pages name: the examples and the C sources, and for a page that changes it the package."""
    changes_package = "PYTHONPATH=." in page.read_text(encoding="utf-8")
    for name in ("examples", "csrc", *(["armprof"] * changes_package)):
        shutil.copytree(PROJECT / name, folder / name, ignore=shutil.ignore_patterns("__pycache__"))


def start(page: Path, folder: Path) -> Path:
    """Where the reader of a page is in a workplace: an example's in its folder."""
    return folder / page.parent.relative_to(PROJECT) if "examples" in page.parts else folder


def run(block: Block, folder: Path) -> list[str]:
    """What each command of the block printed. Raises CommandError where one failed."""
    if block.kind == "python":
        return [_started([sys.executable, "-c", block.text], folder)]
    mark = "\0"
    commands = (f"printf '\\0'\n{command.text}\n" for command in block.commands if command.is_run)
    return _started(["bash", "-euc", "".join(commands)], folder).split(mark)[1:]


def _started(command: Sequence[str], folder: Path) -> str:
    path = f"{Path(sys.executable).parent}:{os.environ['PATH']}"
    environment = {**os.environ, "PATH": path, "COLUMNS": "80", "LC_ALL": "C.UTF-8"}
    both = {"stdout": subprocess.PIPE, "stderr": subprocess.STDOUT}
    done = subprocess.run(command, cwd=folder, env=environment, text=True, timeout=300, check=False, **both)
    if done.returncode != 0 or "Traceback" in done.stdout:
        raise CommandError(f"{command[-1]}\n{done.stdout}exit status {done.returncode}")
    return done.stdout


def is_shown(shown: str, printed: str, varies: bool) -> bool:
    """Whether the page shows what was printed."""
    unit = UNIT if varies else ""
    number = f"({NUMBER.pattern}){unit}"
    pattern = ".*?".join(
        number.join(re.sub(r"(?:\\\s)+", r"\\s+", re.escape(words)) for words in re.split(NUMBER.pattern + unit, part))
        for part in shown.strip().split("...")
    )
    found = re.fullmatch(pattern, printed.strip(), re.DOTALL)
    pairs = zip(NUMBER.findall(shown), found.groups() if found else (), strict=False)
    return found is not None and (varies or all(_near(*pair) for pair in pairs))


def _near(shown: str, printed: str) -> bool:
    if shown.isdecimal() and len(shown) < 4:  # a line, or how many of something: no measure
        return shown == printed
    first, second = (float(number.replace(",", "")) for number in (shown, printed))
    last_digit = 10.0 ** -len(shown.partition(".")[2]) if "." in shown and "e" not in shown else 0.0
    return math.isclose(first, second, rel_tol=0.05, abs_tol=1.01 * last_digit)


@cache
def missing(text: str) -> str | None:
    """Why the commands of such a page cannot run here."""
    needed = [word for word in ("g++",) if f"\n{word} " in text]
    needed += [COMPILER, "qemu-aarch64"] if needs_arm64(text) else []
    absent = [command for command in needed if shutil.which(command) is None]
    return f"there is no {' and no '.join(absent)}" if absent else None


def needs_arm64(text: str) -> bool:
    """Whether the page has a program for ARM64, or runs one."""
    return COMPILER in text or "--source model --" in text


@cache
def is_compared() -> bool:
    """Whether ARM64 programs are compiled here as they were for the pages."""
    told = subprocess.run([COMPILER, "-dumpversion"], capture_output=True, text=True, check=False).stdout
    return f"{told.strip()}.".startswith(COMPARED_WITH)


def _update(page: Path) -> None:
    text = page.read_text(encoding="utf-8")
    with tempfile.TemporaryDirectory() as folder:
        workplace(Path(folder), page)
        shift = 0
        for block in blocks(text):
            printed = iter(run(block, start(page, Path(folder))))
            if block.kind != "console":
                continue
            new = ""
            for command in block.commands:
                shown = command.shown or ""
                told = next(printed) if command.is_run else shown
                new += f"$ {command.text}\n{shown if is_shown(shown, told, block.varies) else told}"
            text = text[: block.start + shift] + new + text[block.end + shift :]
            shift += len(new) - len(block.text)
    page.write_text(text, encoding="utf-8")


if __name__ == "__main__":
    for name in sys.argv[1:]:
        _update(Path(name).resolve())
