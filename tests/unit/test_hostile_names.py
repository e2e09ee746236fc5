"""Names of others in every format: what a run, samples, a store or a fleet calls itself is text and nothing else. It moves no
cursor, is no command to the CI that reads what a step prints, and closes no tag, string or fence around it.
"""

from __future__ import annotations

import io
import json
import os
import re
import xml.etree.ElementTree as ElementTree
from collections.abc import Callable, Sequence
from dataclasses import replace
from pathlib import Path
from unittest import mock

import markup
import pytest
import report_runs as runs
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st
from markdown_it import MarkdownIt
from test_samples import CLOCK

from armprof.cli import main
from armprof.commands import sampled
from armprof.commands.reporting import RUN_FORMATS
from armprof.counters.reading import Status, uncounted
from armprof.monitor.fleet import Fleet, Kind, Outlier
from armprof.monitor.history import Past
from armprof.monitor.rules import Figure
from armprof.monitor.trends import PerformanceTrends, Trend
from armprof.report import formats, harmless
from armprof.report.source import source
from armprof.run import file
from armprof.run.record import Component, Place, Share, Where
from armprof.samples import Frame, Row, Samples, Thread
from armprof.samples import file as samples_file
from armprof.samples.trace import Losses

COMMANDS = (
    "::error file=x,line=1::owned",
    "::add-mask::e",
    "::stop-commands::x",
    "##[error]x",
    "##vso[task.setvariable]x",
)
HOSTILE = (
    *COMMANDS,
    *(f"a\n{one}" for one in COMMANDS),
    "a b c d e f g h i j k l m n o p q r s t u v w x y z 0 1 2 3 4 5 6 7 8 ::error::owned ::error::again",  # is wrapped
    "\x1b[2J\x1b]0;owned\x07\x1b]8;;http://example.com\x07x",
    "\x9b31m\u202e\u2066\u200f\r\n\t\x00\ud800\ufeff\x7f",
    "<script>alert(1)</script><img src=x onerror=alert(1)>",
    "]]></failure></testsuite><!--",
    "\"><svg onload='alert(1)'>",
    "```\n</details>\n# owned\n[x](javascript:alert(1))",
    "../../../../etc/passwd",
    "/etc/shadow",
    "x" * 3000,
)
names = st.lists(
    st.text(st.characters(), min_size=1, max_size=60) | st.text("`|\\<>&*_[]()#:;\"'/.\n\x1b ", min_size=1),
    min_size=1,
    max_size=3,
)
EXAMPLES = int(os.environ.get("ARMPROF_HOSTILE_NAMES", "3"))  # beside those above, in each format


def hostile(test: Callable[..., None]) -> Callable[..., None]:
    often = settings(max_examples=EXAMPLES, suppress_health_check=list(HealthCheck), deadline=None, database=None)
    return often(given(names=names)(example(names=list(HOSTILE))(test)))


def check_lines(text: str) -> None:
    """No character that a terminal acts on, no line that a CI does."""
    for line in text.split("\n"):
        assert line.isprintable() or line == "", repr(line)
        assert not re.match(r"\s*::[\w-]", line), repr(line)
        assert not re.search(r"##(vso|teamcity)?\[", line), repr(line)


def hostile_run(names: Sequence[str]) -> str:
    """The text of a run file of a component for each name, in which everything is called so."""
    full = runs.reading(**runs.TROUBLED)

    def component(name: str) -> Component:
        odd = {name: uncounted(name, Status.UNSUPPORTED, name), **full.counts}
        reading = replace(full, counts=odd, scope=name, access=name, notes=(name,))
        share = (Share(Place(name, name, name, 1), dict(runs.TROUBLED)),)
        return runs.kernel(name, reading, title=name, operation=name, notes=(name,), where=Where(share, share))

    made = runs.run(*map(component, names), runs.kernel("feed_handler"))  # which has a budget
    said = names[0]
    return file.render(
        replace(made, host={"description": said}, created=said, armprof_version=said, notes=tuple(names))
    )


def hostile_samples(names: Sequence[str]) -> Samples:
    frames = tuple(Frame(name, number, name, name, 1) for number, name in enumerate(names))
    rows = tuple(Row(0, 0, number, 1, 1) for number in range(len(names)))
    stacks = tuple((number, 0) for number in range(len(names)))
    threads = (Thread(1, 1, names[0]),)
    return Samples((CLOCK,), frames, stacks, threads, rows, Losses(), 1, 1, names[0], notes=tuple(names))


def told(capfd: pytest.CaptureFixture[str], *words: str | Path) -> str:
    capfd.readouterr()
    status = main([str(word) for word in words])
    out, err = capfd.readouterr()
    check_lines(err)
    assert status in (0, 1, 2), err
    assert "Traceback" not in err
    return out


def check_format(format: str, out: str) -> None:
    if format in ("text", "markdown", "junit", "flamegraph", "collapsed"):
        check_lines(out.replace("\u2060", "") if format == "markdown" else out)  # word joiners, which are our own
    if format in ("junit", "flamegraph"):
        allowed = {"junit": {"testsuites", "testsuite", "testcase", "failure", "skipped", "system-out"}}
        tags = {element.tag.rpartition("}")[2] for element in ElementTree.fromstring(out).iter()}
        assert tags <= allowed.get(format, {"svg", "title", "rect", "text", "g"})
    if format in ("json", "sarif", "gitlab", "rdjson", "speedscope", "bmf", "google-benchmark"):
        json.loads(out)
        assert all(line.isprintable() and not line.lstrip().startswith("::") for line in out.split("\n"))
    if format == "github":
        for line in out.removesuffix("{}").splitlines():
            assert line.isprintable()
            assert re.match(r"::(error|warning|notice) [^:]*::|armprof: ", line)
            assert "\n" not in line
    if format == "html":
        markup.plain(out)
    if format == "markdown":
        assert "<script" not in MarkdownIt("commonmark", {"html": False}).render(out)
        assert not re.search(r"^\s{0,3}# owned", out, re.MULTILINE)


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("NO_COLOR", "1")
    return tmp_path


@pytest.mark.parametrize("format", ["text", "json", *RUN_FORMATS])
@hostile
def test_of_a_run(folder: Path, capfd: pytest.CaptureFixture[str], format: str, names: list[str]) -> None:
    (folder / "run.json").write_text(hostile_run(names))
    check_format(format, told(capfd, "report", "run.json", "--format", format, "--explain") or "{}")
    assert os.listdir(folder) == ["run.json"]


@pytest.mark.parametrize("format", ["text", "json", "html", *formats.REVIEWS])
@hostile
def test_of_a_comparison_and_a_budget(
    folder: Path, capfd: pytest.CaptureFixture[str], format: str, names: list[str]
) -> None:
    text = hostile_run(names)
    slower = text.replace('"p95_ns": 45.6', '"p95_ns": 99.9').replace('"mean_ns": 50.0', '"mean_ns": 99.0')
    (folder / "base.json").write_text(text)
    (folder / "head.json").write_text(slower)
    check_format(format, told(capfd, "compare", "base.json", "head.json", "--format", format))
    check_format(format, told(capfd, "budget", "head.json", "--format", format) or "{}")


@pytest.mark.parametrize("format", sampled.FORMATS)
@hostile
def test_of_samples(folder: Path, format: str, names: list[str]) -> None:
    (folder / "samples.json").write_text(samples_file.render(hostile_samples(names)))
    out = folder / "out"
    assert main(["report", "samples.json", "--format", format, "--output", str(out)]) == 0
    if format != "pprof":
        check_format(format, out.read_text("utf-8"))
    assert sorted(os.listdir(folder)) == ["out", "samples.json"]
    out.unlink()


@pytest.mark.parametrize("format", ["text", "markdown"])
@hostile
def test_of_annotated_source(folder: Path, capfd: pytest.CaptureFixture[str], format: str, names: list[str]) -> None:
    (folder / "run.json").write_text(hostile_run(names))
    (folder / "samples.json").write_text(samples_file.render(hostile_samples(names)))
    for kept in ("run.json", "samples.json"):
        out = told(capfd, "report", kept, "--annotate", "--format", format)
        check_format(format, out)
        assert "root:" not in out


@hostile
def test_of_a_store(monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str], names: list[str]) -> None:
    def analyze(*_: object) -> PerformanceTrends:
        past = [Past(Figure("level", name), name, (1, 2), (1.0, 2.0)) for name in names]
        return PerformanceTrends(names[0], 1, 2, 1, tuple(Trend(one, "steady", reason=one.target) for one in past), ())

    monkeypatch.setattr("armprof.monitor.analysis.analyze", analyze)
    monkeypatch.setattr("armprof.monitor.store.connect", lambda path: io.StringIO())
    monkeypatch.setattr("armprof.monitor.history.History", mock.MagicMock())
    check_format("text", told(capfd, "trends"))
    check_format("json", told(capfd, "trends", "--format", "json"))
    check_format("html", told(capfd, "trends", "--format", "html"))


@hostile
def test_of_a_fleet(monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str], names: list[str]) -> None:
    kinds = tuple(Kind(name, 1, 1.0, {}, None, 0.0) for name in names)
    outliers = tuple(Outlier(name, name, "ipc", 1.0, 2.0, 9.0) for name in names)
    found = Fleet(0.0, 60.0, (), kinds, outliers, (), tuple(names))
    monkeypatch.setattr("armprof.monitor.fleet.survey", lambda *_: found)
    check_format("text", told(capfd, "fleet", "--prometheus", "http://localhost:9090"))
    check_format("json", told(capfd, "fleet", "--prometheus", "http://localhost:9090", "--format", "json"))


@hostile
def test_of_what_a_monitor_tells(capfd: pytest.CaptureFixture[str], names: list[str]) -> None:
    for name in names:
        harmless.tell(f"process {name}")
    check_lines(capfd.readouterr().err)


# ---- Files that are named as source ----


@pytest.mark.parametrize(
    "secret", ["/etc/passwd", ".git/config", ".env", "id_rsa", "token.txt", "link.c", "include/../.git/config"]
)
@pytest.mark.parametrize("public", [False, True])
def test_what_is_no_source_is_not_shown(folder: Path, secret: str, public: bool) -> None:
    (folder / ".git").mkdir()
    for name in (".git/config", ".env", "id_rsa", "token.txt"):
        (folder / name).write_text("a secret\n")
    (folder / "link.c").symlink_to("/etc/passwd")
    found = source(secret, public)
    assert not found.lines
    assert found.reason


def test_source_is_shown_and_headers_without_a_suffix_are(folder: Path) -> None:
    (folder / "include").mkdir()
    for name in ("a.c", "include/vector", "b.RS"):
        (folder / name).write_text("int x;\n")
        assert source(name).line(1) == "int x;", name
        assert source(str(folder / name)).line(1) == "int x;"
