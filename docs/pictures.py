"""The pictures of the page about the HTML report: `make docs` makes the report and opens it, so that they are never old.

`python docs/pictures.py` makes them alone, in build/pictures.
"""

from __future__ import annotations

import sys
import tempfile
from contextlib import redirect_stderr, redirect_stdout
from importlib import import_module
from io import StringIO
from pathlib import Path

from armprof.cli import main

ROOT = Path(__file__).parents[1]
FOLDER = ROOT / "build" / "pictures"
SHOWN = {
    "report-1280-light": "The report of three kernels: the verdict, and what to do",
    "comparison-1280-dark": "A comparison, in the dark: what changed, each with its interval",
    "report-360-light": "The report on a telephone",
}


def made() -> list[Path]:
    """Makes the pages and their pictures."""
    sys.path.insert(0, str(ROOT / "tests" / "browser"))
    browser = import_module("browser")  # of the tests
    if browser.executable() is None:
        return []
    with tempfile.TemporaryDirectory() as folder:
        run, again, report, comparison = (
            f"{folder}/{name}" for name in ("run.json", "again.json", "report.html", "comparison.html")
        )
        kernels = ["order_book", "strategy", "spsc_ring"]
        with redirect_stdout(StringIO()), redirect_stderr(StringIO()):
            main(["bench", *kernels, "--seconds", "0.1", "--output", run])
            main(["bench", *kernels, "--seconds", "0.1", "--like", run, "--output", again])
            main(["report", run, "--format", "html", "--output", report])
            main(["compare", run, again, "--format", "html", "--output", comparison])
        return list(browser.pictures(FOLDER, [Path(report), Path(comparison)]))


def markdown() -> str:
    """What follows the words of the page; where there is no browser, that there is none."""
    if not made():
        return "\n## What it looks like\n\nPictures are made where Chromium is installed: `apt install chromium`.\n"
    images = (f"![{alt}](../build/pictures/{name}.png)\n" for name, alt in SHOWN.items())
    return "\n## What it looks like\n\n" + "\n".join(images)


if __name__ == "__main__":
    for picture in made():
        print(picture)
