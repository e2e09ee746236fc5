"""armprof report: from a file, from standard input, from the built-in kernels; and what is no input at all."""

from __future__ import annotations

import io
import json
import os
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest
import report_runs as runs

from armprof import components
from armprof.cli import main
from armprof.commands import progress
from armprof.components import Progress
from armprof.run.file import write
from armprof.run.record import Run

FIXTURES = Path(__file__).parent / "fixtures" / "perf"
FIELD = os.environ.get("ARMPROF_FIELD_DATA")

PERF = """
 Performance counter stats for 'sleep 1':

     1,000,000,000      cycles
     2,000,000,000      instructions
       700,000,000      l1d_cache
        70,000,000      l1d_cache_refill

       0.500000000 seconds time elapsed
"""

Report = Callable[..., str]


@pytest.fixture
def report(capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch) -> Report:
    """What `armprof report` prints."""
    monkeypatch.setenv("COLUMNS", "80")
    monkeypatch.delenv("FORCE_COLOR", raising=False)

    def run(*words: str | Path) -> str:
        assert main(["report", *map(str, words)]) == 0
        out, err = capsys.readouterr()
        assert err == ""
        return out

    return run


@pytest.fixture
def refusal(capsys: pytest.CaptureFixture[str]) -> Report:
    """The one line that `armprof report` says no with."""

    def run(*words: str | Path) -> str:
        assert main(["report", *map(str, words)]) == 2
        out, err = capsys.readouterr()
        assert out == ""
        assert err.startswith("armprof: ")
        assert err.count("\n") == 1
        return err.rstrip("\n")

    return run


@pytest.fixture
def perf(tmp_path: Path) -> Path:
    path = tmp_path / "perf.txt"
    path.write_text(PERF)
    return path


@pytest.fixture
def stdin(monkeypatch: pytest.MonkeyPatch) -> Callable[[str], None]:
    def put(text: str) -> None:
        monkeypatch.setattr(sys, "stdin", io.TextIOWrapper(io.BytesIO(text.encode())))

    return put


def test_a_run_file(report: Report, tmp_path: Path) -> None:
    write(runs.three_kernels(), tmp_path / "run.json")
    assert report(tmp_path / "run.json").startswith("3 components: pool, ring, parser\n")


@pytest.mark.parametrize("name", ["plain.txt", "plain.csv", "plain.json"])
def test_a_perf_output_in_each_form(name: str, report: Report) -> None:
    assert report(FIXTURES / name).startswith(name)
    assert json.loads(report(FIXTURES / name, "--format", "json"))["source"] == "imported"


def test_standard_input(report: Report, stdin: Callable[[str], None], tmp_path: Path) -> None:
    stdin(PERF)
    assert report("-").startswith("standard input: sleep 1\n")
    write(runs.three_kernels(), tmp_path / "run.json")
    stdin((tmp_path / "run.json").read_text())
    assert report("-").startswith("3 components")


def test_the_core_of_a_perf_output_can_be_named(report: Report, perf: Path) -> None:
    assert "core     not known" in report(perf)
    assert "core     Neoverse N1\n" in report(perf, "--core", "neoverse-n1")
    cpu = json.loads(report(perf, "--core", "Neoverse N2 r0p3", "--format", "json"))["cpu"]
    assert (cpu["name"], cpu["revision"]) == ("neoverse-n2", "r0p3")


def test_output_goes_to_a_file(report: Report, perf: Path, tmp_path: Path) -> None:
    printed = report(perf), report(perf, "--format", "json")
    assert report(perf, "--output", tmp_path / "text") == ""
    assert report(perf, "--format", "json", "--output", tmp_path / "json") == ""
    assert ((tmp_path / "text").read_text(), (tmp_path / "json").read_text()) == printed


def test_explain(report: Report, perf: Path) -> None:
    assert "Rules that stayed silent" not in report(perf)
    assert "Rules that stayed silent" in report(perf, "--explain")


def test_without_a_file_the_kernels_are_benched_first(report: Report, monkeypatch: pytest.MonkeyPatch) -> None:
    def bench(progress: Progress, **_: object) -> Run:
        progress("timing", 0.5)
        return runs.without_pmu()

    monkeypatch.setattr(components, "bench", bench)
    assert report().startswith("3 components: pool, ring, parser\n")


def test_progress_shows_on_a_terminal_alone(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    with progress.progress() as tell:
        tell("timing", 0.5)
    assert capsys.readouterr() == ("", "")
    monkeypatch.setattr(sys.stderr, "isatty", lambda: True)
    monkeypatch.setenv("TERM", "xterm")
    with progress.progress() as tell:
        tell("timing the kernels", 1.0)
    out, err = capsys.readouterr()
    assert out == ""
    assert "timing the kernels" in err
    with progress.progress(after=3600) as tell:
        tell("what is done at once", 0.5)
    assert capsys.readouterr() == ("", "")


@pytest.mark.parametrize(
    ("words", "says"),
    [
        (["nowhere.txt"], "cannot read nowhere.txt: No such file"),
        (["."], "cannot read .: Is a directory"),
        (["--core", "neoverse-n1"], "--core is for a perf output"),
        (["PERF", "--core", "neoverse-n12"], "unknown core 'neoverse-n12' (did you mean"),
        (["PERF", "--output", "nowhere/report"], "cannot write"),
    ],
)
def test_what_cannot_be_done_is_said_in_one_line(words: list[str], says: str, refusal: Report, perf: Path) -> None:
    assert says in refusal(*(word.replace("PERF", str(perf)) for word in words))


@pytest.mark.parametrize(
    ("content", "says"),
    [
        ("", "is empty"),
        ("root:x:0:0\n", "nor is it a run file of `armprof bench`"),
        ('{"a": 1}', "nor is it a run file of `armprof bench`"),
        ('{"format": "armprof-report", "version": 1}', "nor is it a run file"),
        ('{"format": "armprof-run", "version": 9}', "version 9; armprof"),
        ('{"format": "armprof-run", "version": 1, "compo', "is cut off in line 1"),
        ('{"format": "armprof-run", "version": 1, "components": 3}', "$.components: expected a list, found 3"),
        ("PERFILE2", "is damaged, or was not written to its end"),
    ],
)
def test_a_file_that_is_neither_is_refused_in_one_line(
    content: str, says: str, refusal: Report, tmp_path: Path
) -> None:
    (tmp_path / "file").write_text(content)
    line = refusal(tmp_path / "file")
    assert says in line
    assert str(tmp_path / "file") in line


def test_a_run_file_names_its_core_itself(refusal: Report, tmp_path: Path) -> None:
    write(runs.run(), tmp_path / "run.json")
    assert "is a run file, which names its core" in refusal(tmp_path / "run.json", "--core", "neoverse-n1")


def test_a_hostile_file_name_cannot_move_the_cursor(refusal: Report) -> None:
    assert refusal("\x1b[2Jx\n\u202e").isprintable()


def test_files_are_analyzed_where_the_native_module_cannot_be_built(perf: Path) -> None:
    missing = ("armprof._native", "armprof._blocks", "cffi", "numpy", "pandas")
    code = (
        f"import sys; sys.modules.update(dict.fromkeys({missing!r})); "
        f"from armprof.cli import main; sys.exit(main(['report', {str(perf)!r}]))"
    )
    found = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, timeout=60)
    assert (found.returncode, found.stderr) == (0, "")
    assert found.stdout.startswith("perf.txt: sleep 1\n")


@pytest.mark.skipif(not FIELD, reason="set ARMPROF_FIELD_DATA to the folder of published perf outputs")
class TestPublished:
    """Perf outputs that people published, as their reader sees them."""

    FOLDER = Path(FIELD or "") / "perfstat"

    def test_git_is_advised_on_its_code_first_and_then_on_its_branches(self, report: Report) -> None:
        text = report(self.FOLDER / "n1-git-ops-perf-stat.txt", "--core", "neoverse-n1")
        assert "1. Lay the code out for the instruction cache\n   0-20.5 % latency (ceiling 24.1 %)" in text
        assert "3. Make branches predictable or remove them\n   0-8.1 % latency (ceiling 9.6 %)" in text
        assert "Branch prediction accuracy (a)  96.38 %   50.0 %  medium" in text
        assert "Instructions per cycle             1.47   58.3 %  medium" in text

    def test_openssl_is_fine(self, report: Report) -> None:
        text = report(self.FOLDER / "n1-openssl-crypto-perf-stat.txt", "--core", "neoverse-n1")
        assert "judged: nothing to recommend" in text

    def test_15_ms_of_brotli_are_not_judged(self, report: Report) -> None:
        text = report(self.FOLDER / "n1-brotli-perf-stat.txt", "--core", "neoverse-n1")
        assert "not judged: a run of 15.6 ms" in text
        assert "br_pred, br_mis_pred: the counter never ran" in text

    def test_a_count_of_0_beside_millions_is_suspect(self, report: Report) -> None:
        text = report(self.FOLDER / "n2-yitian710-cache-false-sharing.txt", "--core", "neoverse-n2")
        assert "ll_cache_rd: 0 although ll_cache_miss_rd is 7,397,206" in text

    def test_every_file_makes_a_report_of_80_columns(self, report: Report) -> None:
        paths = [path for path in self.FOLDER.rglob("*") if path.is_file() and path.suffix != ".md"]
        assert paths
        for path in paths:
            assert max(map(len, report(path, "--explain").splitlines())) <= 80
