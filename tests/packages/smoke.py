"""What every installed armprof does, told by the Python that it is installed for: python smoke.py KIND.

It needs nothing but armprof and what that brings along. Of the kind `native` counts are
taken, of `hardware` those of the PMU too; of `python` it is said that none are.
"""

from __future__ import annotations

import io
import json
import sqlite3
import sys
import tempfile
from contextlib import closing, redirect_stderr, redirect_stdout
from importlib.metadata import entry_points, version
from importlib.resources import files
from pathlib import Path

COUNTS = """\
4000000000,,cycles,1000000000,100.00,,
6000000000,,instructions,1000000000,100.00,,
2000000000,,L1-dcache-loads,1000000000,100.00,,
200000000,,L1-dcache-load-misses,1000000000,100.00,,
"""


def command(*words: str, status: int = 0) -> str:
    """What a command prints; of one that fails, its line on stderr."""
    from armprof.cli import main

    out, err = io.StringIO(), io.StringIO()
    with redirect_stdout(out), redirect_stderr(err):
        ended = main(words)
    assert ended == status, f"armprof {' '.join(words)} ended with {ended}: {err.getvalue()}"
    return err.getvalue() if status else out.getvalue()


def files_are_analyzed(folder: Path) -> None:
    counts = folder / "counts.csv"
    counts.write_text(COUNTS)
    assert "Recommendations" in command("report", str(counts), "--core", "neoverse-n1")
    told = json.loads(command("report", str(counts), "--core", "neoverse-n1", "--format", "json"))
    assert told["components"][0]["metrics"]["l1_cache_hit_rate"]["value"] == 0.9
    assert "l1d_cache_refill" in command("events", "--core", "neoverse-n1")
    command("doctor")


def what_comes_along_is_there() -> None:
    import armprof

    assert version("armprof") == armprof.__version__
    for shell in ("bash", "zsh", "fish"):
        assert "completion" in command("completion", shell)
    assert (files("armprof") / "py.typed").is_file()
    assert (files("armprof") / "binary" / "origins.toml").is_file()
    assert [entry.value for entry in entry_points(group="armprof.display")]


def this_process_is_counted(events: list[str]) -> None:
    import armprof
    from armprof import _dwarf

    with armprof.measure(events=events) as m:
        sum(range(100_000))
    for event in events:
        assert m.counts[event].value, m.counts[event]
    region = armprof.region("smoke")
    for _ in range(3):
        with region:
            pass
    assert region.calls == 3
    assert _dwarf.lib
    assert (files("armprof") / "plugin" / "model.so").is_file()
    assert (files("armprof") / "csrc" / "kernels" / "itch50.c").is_file()


def a_result_draws_itself_in_notebooks() -> None:
    import armprof

    with armprof.measure(events=["task_clock"]) as m:
        sum(range(100_000))
    assert "<table" in (m.metrics._repr_html_() or "")


def a_kernel_is_benched(folder: Path) -> None:
    run = str(folder / "run.json")
    command("bench", "itch50", "--seconds", "0.05", "--output", run)
    assert "itch50" in command("report", run, "--format", "markdown")
    (component,) = json.loads(command("report", run, "--format", "json"))["components"]
    assert component["latency"]["p50_ns"] > 0


def the_machine_is_watched(folder: Path) -> None:
    store = folder / "store.db"
    command("monitor", "--quiet", "--duration", "300ms", "--interval", "100ms", "--store", str(store))
    with closing(sqlite3.connect(store)) as kept:
        assert kept.execute("SELECT count(*) FROM counts WHERE value > 0").fetchone()[0] > 0


def counting_says_why_not(folder: Path) -> None:
    import armprof

    for name in ("measure", "region", "profile"):
        try:
            raise AssertionError(f"armprof.{name} is there: {getattr(armprof, name)}")
        except armprof.CannotCount as error:
            line = str(error)
        assert "native module is missing" in line or "counts on Linux" in line, line
    for words in (["stat", "--", "true"], ["bench", "itch50"], ["report"], ["record", "--", "true"], ["monitor"]):
        line = command(*words, status=3)
        assert line.startswith("armprof: "), line
        assert line.count("\n") == 1, line


def main(kind: str) -> None:
    with tempfile.TemporaryDirectory() as temporary:
        folder = Path(temporary)
        files_are_analyzed(folder)
        what_comes_along_is_there()
        if kind == "python":
            counting_says_why_not(folder)
        else:
            this_process_is_counted(["task_clock"] + ["cpu_cycles", "inst_retired"] * (kind == "hardware"))
            a_kernel_is_benched(folder)
            the_machine_is_watched(folder)
        if kind == "native":  # the guest, where the PMU is, has no templates
            a_result_draws_itself_in_notebooks()
    print("smoke: {} on Python {}.{}".format(kind, *sys.version_info))


if __name__ == "__main__":
    main(*sys.argv[1:])
