"""Samples that perf printed: `perf script` with stacks and without, and `perf report --stdio`."""

from __future__ import annotations

import contextlib
import json
import subprocess
import sys
from importlib.resources import files
from pathlib import Path

import jsonschema
import pytest
from hypothesis import given
from hypothesis import strategies as st

from armprof.cli import main
from armprof.errors import ArmprofError
from armprof.samples import Thread, perf

WITH_STACKS = """\
# captured on    : Tue Nov 24 10:00:00 2026
python3 worker  4711/4712  [001]  1234.567890:     250000 cycles:u:
\t            7f12 walk+0x10 (/lib/libwalk.so)
  walk.h:21
\t            4a00 main (/bin/prog)

python3 worker  4711/4712  [000]  1234.667890:     250000 cycles:u:
\t            7f16 [unknown] (/lib/libwalk.so)
\t            4a10 step (inlined)
\t            4a10 main+0x20 (/bin/prog)

"""
WITHOUT_STACKS = """\
 prog   812 100.000001:          1 cpu-clock:pppH:      ffff80 walk+0x4 (/bin/prog)
 prog   812 100.001001:          1 cpu-clock:pppH:      ffff90 main+0x8 (/bin/prog)
"""
REPORT = """\
# To display the perf.data header info, please use --header/--header-only options.
#
# Total Lost Samples: 0
#
# Samples: 2K of event 'cycles:u'
# Event count (approx.): 400000
#
# Overhead  Command  Shared Object      Symbol
# ........  .......  .................  .....................
#
    75.00%  prog     prog               [.] walk
    25.00%  prog     libc.so.6          [.] operator new(unsigned long)

# Samples: 10  of event 'l1d_cache_refill:u'
# Event count (approx.): 1010
    100.00%  prog     prog              [.] walk
"""


def test_stacks_threads_and_lines_of_perf_script() -> None:
    assert perf.reader(WITH_STACKS) is perf.script
    samples = perf.script(WITH_STACKS, "x")
    assert samples.source == "imported"
    assert samples.threads == (Thread(4711, 4712, "python3 worker"),)
    assert {name: (share.own, share.total) for name, share in samples.functions("cycles").items()} == {
        "walk": (0.5, 0.5),
        "[libwalk.so]": (0.5, 0.5),
        "main": (0.0, 1.0),
        "step": (0.0, 0.5),
    }
    assert samples.lines()["walk.h:21"].own == 0.5
    assert [frame.inlined for frame in samples.frames if frame.function == "step"] == [True]


def test_a_place_on_the_line_of_its_sample() -> None:
    assert perf.reader(WITHOUT_STACKS) is perf.script
    samples = perf.script(WITHOUT_STACKS, "x")
    assert [event.name for event in samples.events] == ["cpu_clock"]
    assert {name: share.own for name, share in samples.functions().items()} == {"main": 0.5, "walk": 0.5}


def test_shares_of_perf_report_by_event() -> None:
    assert perf.reader(REPORT) is perf.report
    samples = perf.report(REPORT, "x")
    assert {name: share.own for name, share in samples.functions("cycles").items()} == {
        "walk": 0.75,
        "operator new(unsigned long)": 0.25,
    }
    assert list(samples.functions("l1d_cache_refill")) == ["walk"]
    assert sum(row.weight for row in samples.rows_of("cycles")) == 400_000


@pytest.mark.parametrize("text", [WITH_STACKS, REPORT])
def test_functions_are_shown_and_what_perf_does_not_tell_is_no_0(text: str, tmp_path: Path, capsys) -> None:
    (tmp_path / "perf.txt").write_text(text)
    assert main(["report", str(tmp_path / "perf.txt")]) == 0
    shown = " ".join(capsys.readouterr().out.split())
    assert "walk" in shown
    assert "not in this output" in shown
    assert main(["report", str(tmp_path / "perf.txt"), "--format", "json"]) == 0
    document = json.loads(capsys.readouterr().out)
    assert {document[name] for name in ("losses", "duration_ns", "reading_ns")} == {None}
    schema = json.loads((files("armprof.samples") / "samples.schema.json").read_text(encoding="utf-8"))
    jsonschema.validate(document, schema)


def test_lines_that_are_not_understood_are_told_and_are_no_lost_samples() -> None:
    samples = perf.script(f"{WITH_STACKS}\nnonsense\n", "x")
    assert samples.losses is None
    assert "1 lines were not understood" in " ".join(samples.notes)


def test_samples_of_perf_may_come_by_standard_input() -> None:
    command = [sys.executable, "-m", "armprof", "report", "-"]
    done = subprocess.run(command, input=WITH_STACKS, capture_output=True, text=True, check=True)
    assert done.stdout.startswith("samples of standard input")


@pytest.mark.parametrize("text", ["", "hello world", "1,cycles,1", "{}", "# Samples:\n", "a b c: d\n"])
def test_other_texts_are_not_taken_for_samples(text: str) -> None:
    assert perf.reader(text) is None


@given(st.text(max_size=300), st.sampled_from([WITH_STACKS, WITHOUT_STACKS, REPORT]), st.integers(0, 500))
def test_whatever_stands_in_it_gives_samples_or_one_line(noise: str, good: str, at: int) -> None:
    text = good[:at] + noise + good[at:]
    for read in (perf.script, perf.report):
        with contextlib.suppress(ArmprofError):
            assert read(text, "x").rows
