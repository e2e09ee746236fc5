"""The pictures of the page about the HTML pages: `make docs` makes the pages and opens them, so that pictures are never old.

`python docs/pictures.py` makes them alone, in build/pictures.
"""

from __future__ import annotations

import sys
import tempfile
from contextlib import redirect_stderr, redirect_stdout
from importlib import import_module
from io import StringIO
from pathlib import Path
from typing import NamedTuple

from armprof.cli import main

ROOT = Path(__file__).parents[1]
FOLDER = ROOT / "build" / "pictures"
NONE = "\n## What it looks like\n\nPictures are made where Chromium is installed: `apt install chromium`.\n"


class Shown(NamedTuple):
    """A page as one window shows it, and what can be learnt from it."""

    page: str
    width: int
    scheme: str
    title: str
    learnt: str


SHOWN = (
    Shown(
        *("report", 1280, "light", "The report of three kernels"),
        "What to do first and what it may gain at most, before any number.",
    ),
    Shown(
        *("comparison", 1280, "dark", "A comparison, in the dark"),
        "What became slower or faster, each change with its interval on one axis, and what is undecided, with the reason.",
    ),
    Shown(
        *(
            "inspection-counted",
            1280,
            "light",
            "An ARM64 program with planted faults, and samples as if the first took most",
        ),
        "Which of the findings lie where the time goes, and what mending each can gain at most; the others are possibilities.",
    ),
    Shown(
        *("trends", 1280, "light", "An hour with a planted leak of memory, and a threshold"),
        "When the threshold will be crossed, within which interval, and how each figure came there.",
    ),
    Shown(*("report", 360, "light", "The report on a telephone"), "The same, in one column."),
)


def made() -> dict[Shown, Path]:
    """Makes the pages and their pictures: none without a browser, and none of an ARM64 program without its compiler."""
    sys.path.insert(0, str(ROOT / "tests"))
    browser, pages = import_module("browser.browser"), import_module("browser.pages")
    if browser.executable() is None:
        return {}
    FOLDER.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        with redirect_stdout(StringIO()), redirect_stderr(StringIO()):
            of_kernels(folder)
            for write in (pages.of_a_store, pages.of_a_program):
                if write in pages.MADE:
                    write(folder)
        with browser.started() as started:
            return {
                one: browser.picture(started, file, one.width, one.scheme, FOLDER)
                for one in SHOWN
                if (file := folder / f"{one.page}.html").exists()
            }


def of_kernels(folder: Path) -> None:
    """The pages of three kernels, and of two runs of them."""
    run, again, report, comparison = (
        str(folder / name) for name in ("run.json", "again.json", "report.html", "comparison.html")
    )
    kernels = ["order_book", "strategy", "spsc_ring"]
    main(["bench", *kernels, "--seconds", "0.1", "--output", run])
    main(["bench", *kernels, "--seconds", "0.1", "--like", run, "--output", again])
    main(["report", run, "--format", "html", "--output", report])
    main(["compare", run, again, "--format", "html", "--output", comparison])


def markdown() -> str:
    """What follows the words of the page; where there is no browser, that there is none."""
    pictures = made()
    if not pictures:
        return NONE
    images = (
        f"**{one.title}.** {one.learnt}\n\n![{one.title}](../build/pictures/{file.name})\n"
        for one, file in pictures.items()
    )
    return "\n## What it looks like\n\n" + "\n".join(images)


if __name__ == "__main__":
    for picture in made().values():
        print(picture)
