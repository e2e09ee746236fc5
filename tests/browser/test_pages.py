"""The pages in a browser: at three widths, light and dark, printed, by keyboard, and for who listens to them.

One Chromium opens all of them. The report is that of the built-in kernels, the comparison that of two runs of some.
"""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from armprof.cli import main
from armprof.run import file
from armprof.run.record import Component

from . import browser as chromium_of

if not chromium_of.executable() and os.environ.get("ARMPROF_GUEST_REQUIRED") != "1":
    pytest.skip("pages are not opened: there is no chromium; apt install chromium", allow_module_level=True)

from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import Browser

PAGES = ("report", "comparison", "budget", "uncounted", "multiplexed")
SLOWER = 1.3
MULTIPLEXED = """
 Performance counter stats for './parse':

     4,000,000,000      cycles                  (50.02%)
     6,000,000,000      instructions            (50.02%)
     2,000,000,000      l1d_cache               (37.51%)
       200,000,000      l1d_cache_refill        (37.51%)
        90,000,000      br_mis_pred_retired     (37.50%)
     1,000,000,000      br_retired              (37.50%)
   <not supported>      ll_cache_miss_rd
       1.500000000 seconds time elapsed
"""


def write_page(to: Path, *words: str, status: int = 0) -> None:
    assert main([*words, "--format", "html", "--output", str(to)]) == status


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The pages, as the command line writes them."""
    at = tmp_path_factory.mktemp("pages")
    measured, slower, uncounted, multiplexed = (
        at / name for name in ("run.json", "slower.json", "uncounted.json", "multiplexed.txt")
    )
    assert main(["bench", "order_book", "tick_to_trade", "--seconds", "0.05", "--output", str(measured)]) == 0
    run = file.read(measured)
    file.write(replace(run, components=tuple(map(slowed, run.components))), slower)
    file.write(replace(run, components=tuple(replace(c, reading=None, where=None) for c in run.components)), uncounted)
    multiplexed.write_text(MULTIPLEXED)
    write_page(at / "report.html", "report", str(measured))
    write_page(at / "uncounted.html", "report", str(uncounted))
    write_page(at / "multiplexed.html", "report", str(multiplexed), "--core", "neoverse-n1")
    write_page(at / "budget.html", "budget", str(measured))
    write_page(at / "comparison.html", "compare", str(measured), str(slower), status=1)
    return at


def slowed(component: Component) -> Component:
    """The component as if it took longer, and executed more where it was counted."""
    latency, reading = component.latency, component.reading
    assert latency is not None
    assert latency.p95_ns is not None
    rounds = tuple(replace(one, p95_ns=SLOWER * one.p95_ns, mean_ns=SLOWER * one.mean_ns) for one in component.rounds)
    longer = replace(component, rounds=rounds, latency=replace(latency, p95_ns=SLOWER * latency.p95_ns))
    if reading is None or reading.value("inst_retired") is None:
        return longer
    more = replace(reading["inst_retired"], value=SLOWER * (reading.value("inst_retired") or 0.0))
    return replace(longer, reading=replace(reading, counts={**reading.counts, "inst_retired": more}))


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    with chromium_of.started() as started:
        yield started


@pytest.fixture(params=PAGES)
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


@pytest.mark.parametrize(
    ("name", "width", "scheme"), [("report", 360, "dark"), *((name, 1280, "light") for name in PAGES)]
)
def test_axe_finds_nothing_to_object_to(name: str, width: int, scheme: str, folder: Path, browser: Browser) -> None:
    with chromium_of.opened(browser, folder / f"{name}.html", width, scheme) as shown:
        open_all(shown)
        found = Axe().run(shown)
    assert found.violations_count == 0, found.generate_report()
    assert found.response["passes"]


def open_all(shown: Any) -> None:
    shown.evaluate("document.querySelectorAll('details').forEach(one => { one.open = true })")


def test_what_is_folded_is_printed(folder: Path, browser: Browser) -> None:
    with chromium_of.opened(browser, folder / "report.html") as shown:
        inside = shown.locator("details:not([open]) table").first
        assert not inside.is_visible()
        shown.emulate_media(media="print")
        assert inside.is_visible()
        assert not shown.locator("nav").is_visible()
        assert shown.evaluate("getComputedStyle(document.body).backgroundColor") == "rgb(255, 255, 255)"
        assert shown.pdf(format="A4").startswith(b"%PDF")


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
