"""Which formats there are besides text and JSON, and the module that renders each."""

from __future__ import annotations

from collections.abc import Mapping
from importlib import import_module
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from armprof.report.review import Review
    from armprof.run.record import Run

# of a Review: what a reviewer, a CI or a forge reads
REVIEWS: Mapping[str, str] = {
    "markdown": "armprof.report.markdown",
    "junit": "armprof.report.junit",
    "sarif": "armprof.report.sarif",
    "github": "armprof.report.github",
    "gitlab": "armprof.report.gitlab",
    "rdjson": "armprof.report.rdjson",
}
# of a Run: what other programs read
RUNS: Mapping[str, str] = {
    "bmf": "armprof.report.bmf",
    "google-benchmark": "armprof.report.google_benchmark",
    "perf-stat": "armprof.report.perf_stat",
}
NEED_LOCATION = ("sarif", "gitlab", "rdjson")  # and show nothing of what is nowhere in the source


def review(format: str, what: Review) -> str:
    """The review in that format."""
    rendered: str = import_module(REVIEWS[format]).render(what)
    return rendered


def run(format: str, what: Run) -> str:
    """The run in that format. Raises ArmprofError where it cannot hold what the run has."""
    rendered: str = import_module(RUNS[format]).render(what)
    return rendered
