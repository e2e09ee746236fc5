"""The pages in a browser: at three widths, light and dark, printed, by keyboard, and for who listens to them.

One Chromium opens all of them. The report is that of the built-in kernels, the comparison that of two runs of some.
"""

from __future__ import annotations

import os
import re
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from . import browser as chromium_of
from . import pages

if not chromium_of.executable() and os.environ.get("ARMPROF_GUEST_REQUIRED") != "1":
    pytest.skip("pages are not opened: there is no chromium; apt install chromium", allow_module_level=True)

from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import Browser

MOST_SHEETS = 30  # of the report of ten components


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The pages, as the command line writes them."""
    at = tmp_path_factory.mktemp("pages")
    for write in pages.MADE:
        write(at)
    return at


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    with chromium_of.started() as started:
        yield started


@pytest.fixture(params=pages.PAGES)
def page(request: pytest.FixtureRequest, folder: Path) -> Path:
    return folder / f"{request.param}.html"


@pytest.mark.parametrize("scheme", chromium_of.SCHEMES)
def test_a_page_fits_every_width_loads_nothing_and_has_no_complaint(page: Path, scheme: str, browser: Browser) -> None:
    told: list[str] = []
    asked: list[str] = []
    with chromium_of.opened(browser, page, 1280, scheme) as shown:
        shown.on("console", lambda message: told.append(message.text))
        shown.on("pageerror", lambda error: told.append(str(error)))
        shown.on("request", lambda request: asked.append(request.url))
        shown.reload()
        for width in chromium_of.WIDTHS:
            shown.set_viewport_size({"width": width, "height": chromium_of.HEIGHTS[width]})
            assert shown.evaluate("document.documentElement.scrollWidth") <= width
            assert shown.locator("h2").first.is_visible()
        open_all(shown)
        assert shown.evaluate("document.documentElement.scrollWidth") <= width
    assert told == []
    assert [url for url in asked if not url.startswith("data:")] == [page.as_uri()]


# Each page as most see it, and one of each kind in other windows, in the dark and on paper.
SEEN = [(name, 1280, "light", "screen") for name in pages.PAGES] + [
    (name, width, scheme, media)
    for name in ("report", "samples", "trends", "inspection-counted")
    if name in pages.PAGES
    for width, scheme, media in ((360, "dark", "screen"), (768, "light", "print"))
]


@pytest.mark.parametrize(("name", "width", "scheme", "media"), SEEN)
def test_axe_finds_nothing_to_object_to(
    name: str, width: int, scheme: str, media: Any, folder: Path, browser: Browser
) -> None:
    with chromium_of.opened(browser, folder / f"{name}.html", width, scheme) as shown:
        open_all(shown)
        shown.emulate_media(media=media)
        found = Axe().run(shown)
    assert found.violations_count == 0, found.generate_report()
    assert found.response["passes"]


def open_all(shown: Any) -> None:
    shown.evaluate("document.querySelectorAll('details').forEach(one => { one.open = true })")


def test_on_paper_is_what_matters_and_what_was_unfolded(folder: Path, browser: Browser) -> None:
    with chromium_of.opened(browser, folder / "report.html") as shown:
        evidence = shown.locator("details.printed:not([open]) > :not(summary)").first
        folded = shown.locator("details:not(.printed, [open]) > :not(summary)")
        assert not evidence.is_visible()
        shown.emulate_media(media="print")
        assert evidence.is_visible()
        assert not folded.first.is_visible()
        assert shown.locator("details:not(.printed, [open]) > summary").first.is_visible()
        assert not shown.locator("nav").is_visible()
        assert shown.evaluate("getComputedStyle(document.body).backgroundColor") == "rgb(255, 255, 255)"
        left = folded.count()
        shown.locator("details:not(.printed, [open])").last.evaluate("one => { one.open = true }")
        assert folded.count() < left


def test_a_report_of_ten_components_is_one_that_is_printed(folder: Path, browser: Browser) -> None:
    with chromium_of.opened(browser, folder / "many.html") as shown:
        printed = sheets(shown.pdf(format="A4"))
        assert pages.MANY <= printed <= MOST_SHEETS
        open_all(shown)
        assert sheets(shown.pdf(format="A4")) > printed


def sheets(pdf: bytes) -> int:
    assert pdf.startswith(b"%PDF")
    return len(re.findall(rb"/Type\s*/Page\b", pdf))


def test_the_keyboard_reaches_and_unfolds(folder: Path, browser: Browser) -> None:
    with chromium_of.opened(browser, folder / "report.html") as shown:
        shown.keyboard.press("Tab")
        skip = shown.locator(".skip")
        assert skip.evaluate("one => one === document.activeElement && one.getBoundingClientRect().left >= 0")
        assert skip.evaluate("one => getComputedStyle(one).outlineStyle") != "none"
        shown.keyboard.press("Enter")
        assert shown.evaluate("document.activeElement.id") == "content"
        summary = shown.locator("summary").first
        summary.focus()
        shown.keyboard.press("Enter")
        assert shown.locator("details").first.get_attribute("open") is not None


def test_a_plot_tells_its_number_where_one_points(folder: Path, browser: Browser) -> None:
    with chromium_of.opened(browser, folder / "report.html") as shown:
        tips = shown.locator("#components svg.bar g.point title").all_text_contents()
        assert tips
        assert all(tip.startswith("p50 ") for tip in tips)


@pytest.mark.parametrize(
    ("name", "mark", "told"),
    [
        ("samples", "#flames g", r"divided_by_the_same: 60\.00 %"),
        ("samples", "#functions g", r"divided_by_the_same"),
        ("trends", "#memory g.value", r"2023-11-14 \d\d:\d\d: .* MiB"),
        ("trends", "#memory g.crossing", r"memory_bytes above 1\.21 GiB \(memory\): 2023-11-.*"),
        ("inspection", "g.hole", r"a hole of \d+ bytes at offset \d+"),
    ],
)
def test_so_do_the_marks_of_other_plots(name: str, mark: str, told: str, folder: Path, browser: Browser) -> None:
    if name not in pages.PAGES:
        pytest.skip(f"not installed: {pages.COMPILER}")
    with chromium_of.opened(browser, folder / f"{name}.html") as shown:
        tips = shown.locator(f"{mark} title").all_text_contents()
    assert any(re.fullmatch(told, tip) for tip in tips), tips


def test_a_page_with_a_script_in_it_would_not_run_it(folder: Path, browser: Browser, tmp_path: Path) -> None:
    """Were a name to become markup in spite of all, the policy of the page stands behind."""
    text = (folder / "report.html").read_text(encoding="utf-8")
    broken = tmp_path / "broken.html"
    broken.write_text(
        text.replace("</main>", "<script>document.title = 'run'</script><img src=x onerror=alert(1)></main>")
    )
    with chromium_of.opened(browser, broken) as shown:
        assert shown.title() != "run"


def test_pictures_are_made_of_pages(folder: Path, tmp_path: Path) -> None:
    """As for the documentation."""
    script = str(Path(__file__).parent / "browser.py")
    subprocess.run([sys.executable, script, str(tmp_path), str(folder / "uncounted.html")], check=True, timeout=300)
    assert len(list(tmp_path.glob("uncounted-*.png"))) == 6
    assert (tmp_path / "uncounted.pdf").read_bytes().startswith(b"%PDF")
