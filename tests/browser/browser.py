"""Chromium without a window, for the tests of pages and for pictures of them.

    python tests/browser/browser.py FOLDER PAGE.html...

writes pictures of the pages: at three widths, light and dark, and as they are printed.
"""

from __future__ import annotations

import shutil
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from playwright.sync_api import Browser, Page, sync_playwright

# Without a sandbox, which root cannot have; and without what Chromium asks the network for by itself.
FLAGS = ("no-sandbox", "disable-gpu", "disable-quic", "no-first-run", "disable-background-networking")
QUIET = ("disable-component-update", "disable-sync")
HEIGHTS = {360: 1200, 768: 1200, 1280: 1000}  # of a window, by its width
WIDTHS = tuple(HEIGHTS)
SCHEMES = ("light", "dark")


def executable() -> str | None:
    """Where Chromium is; None where there is none."""
    return shutil.which("chromium") or shutil.which("chromium-browser") or shutil.which("google-chrome")


@contextmanager
def started() -> Iterator[Browser]:
    """One Chromium, until the block ends."""
    with sync_playwright() as playwright:
        flags = [f"--{flag}" for flag in (*FLAGS, *QUIET)]
        browser = playwright.chromium.launch(executable_path=executable(), args=flags)
        try:
            yield browser
        finally:
            browser.close()


@contextmanager
def opened(browser: Browser, file: Path, width: int = 1280, scheme: str = "light") -> Iterator[Page]:
    """The page, in a window of that width."""
    page = browser.new_page(viewport={"width": width, "height": HEIGHTS[width]}, color_scheme=scheme)  # type: ignore[arg-type]
    try:
        page.goto(file.absolute().as_uri())
        yield page
    finally:
        page.close()


def picture(browser: Browser, file: Path, width: int, scheme: str, folder: Path) -> Path:
    """The top of the page, as much as a window shows."""
    made = folder / f"{file.stem}-{width}-{scheme}.png"
    with opened(browser, file, width, scheme) as page:
        page.screenshot(path=made)
    return made


def pictures(folder: Path, files: list[Path]) -> Iterator[Path]:
    """The pictures of each page, and the page as it is printed."""
    folder.mkdir(parents=True, exist_ok=True)
    with started() as browser:
        for file in files:
            for width in WIDTHS:
                for scheme in SCHEMES:
                    yield picture(browser, file, width, scheme, folder)
            with opened(browser, file) as page:
                made = folder / f"{file.stem}.pdf"
                page.pdf(path=made, format="A4")
                yield made


if __name__ == "__main__":
    if len(sys.argv) < 3:
        sys.exit(__doc__)
    for made in pictures(Path(sys.argv[1]), [Path(file) for file in sys.argv[2:]]):
        print(made)
