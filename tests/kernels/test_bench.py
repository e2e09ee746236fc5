"""bench(): what a run holds, what it says of its input, and what it refuses."""

from __future__ import annotations

import argparse
import os
import re
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import itch_spec
import native_itch
import pytest

from armprof import _native
from armprof.commands import bench as command
from armprof.components import KERNELS, bench, feed, runner, trial
from armprof.components.ticks import Ticks
from armprof.counters import pmu
from armprof.counters.reading import Reading
from armprof.errors import ArmprofError, CannotCount
from armprof.run.record import Run

QUICK = 0.01
NAMES = list(KERNELS)


@pytest.fixture
def uncounted(monkeypatch: pytest.MonkeyPatch) -> None:
    """Counting takes 0.2 s for each group of events, and most of these tests are about something else."""

    def count(work: Callable[[], object]) -> Reading:
        raise CannotCount("a test", "run it yourself")

    monkeypatch.setattr(pmu, "count", count)


@pytest.fixture(autouse=True)
def no_model(monkeypatch: pytest.MonkeyPatch) -> None:
    """Where no PMU counts, a model would: tests/model is about that."""
    monkeypatch.setattr(runner, "_model", lambda chosen, seed, input: (None, []))


@pytest.fixture(autouse=True)
def small_stream(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(feed.generate, "__defaults__", (5000,))


def test_every_kernel_is_timed_counted_and_checked() -> None:
    run = bench(seconds=QUICK)
    assert [component.name for component in run.components] == NAMES
    for component in run.components:
        times = component.latency
        assert times is not None
        assert 0 < times.p50_ns <= times.p95_ns <= times.p99_ns <= times.p999_ns <= times.max_ns
        assert times.samples >= 1000
        assert times.batch >= 1
        assert times.clock_cost_ns > 0
        if component.critical_path is None:
            assert component.throughput_per_s == pytest.approx(1e9 / times.mean_ns)
        assert re.fullmatch("[0-9a-f]{16}", component.checksum or "")
        assert component.kind == "kernel"
        reading = component.reading
        assert reading is not None
        assert (reading.value("task_clock") or 0) > 0
        assert component.reading_operations
    assert run.host["arch"] == os.uname().machine
    assert re.fullmatch(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\+00:00", run.created)


def test_tick_to_trade_is_timed_tick_by_tick_where_orders_are_sent() -> None:
    (component,) = bench(["tick_to_trade"], seconds=QUICK).components
    times, path = component.latency, component.critical_path
    assert times is not None
    assert (times.batch, times.operation) == (1, "tick that sends orders")
    assert component.operation == "message"
    assert component.throughput_per_s
    assert component.open_loop is None
    assert path is not None
    assert [stage.name for stage in path.stages] == ["feed", "book", "decision", "risk", "order"]
    assert path.operations >= 1000
    assert path.stamp_cost_ns > 0
    if path.stages[0].reading is None:
        assert path.uncounted


def test_a_rate_is_run_beside_the_rest(uncounted: None) -> None:
    risk, trade = bench(["risk", "tick_to_trade"], seconds=0.3, rate_per_s=50_000).components
    assert risk.open_loop is None
    loop = trade.open_loop
    assert loop is not None
    assert loop.rate_per_s == 50_000
    assert 0 < loop.operations <= 15_000
    assert 0 < loop.latency.samples <= loop.operations
    assert loop.latency.operation == "tick that sends orders"


def test_a_rate_at_which_no_order_was_sent_is_told(monkeypatch: pytest.MonkeyPatch, uncounted: None) -> None:
    monkeypatch.setattr(Ticks, "at_rate", lambda ticks, rate, seconds: None)
    (component,) = bench(["tick_to_trade"], seconds=QUICK, rate_per_s=1).components
    assert component.open_loop is None
    assert "in 0.01 s at 1 messages per second, nothing led to an order" in component.notes[-1]


def test_a_day_without_orders_has_no_latency_and_says_so(tmp_path: Path, uncounted: None) -> None:
    path = tmp_path / "quiet.itch50"
    messages = itch_spec.frames(native_itch.generate(1, 5000))
    (add,) = [m for m in messages if m[:1] == b"A"][:1]
    path.write_bytes(len(add).to_bytes(2, "big") + add)
    (component,) = bench(["tick_to_trade"], path, seconds=QUICK, rate_per_s=10_000).components
    assert component.latency is component.critical_path is component.open_loop is None
    assert component.throughput_per_s
    assert any("no message of the input led to an order" in note for note in component.notes)


def test_a_rate_for_components_that_take_none_is_refused() -> None:
    with pytest.raises(ArmprofError, match="these can: tick_to_trade"):
        bench(["risk"], rate_per_s=1000)


def test_a_checksum_is_that_of_one_period_of_the_input(uncounted: None) -> None:
    ffi, lib = _native.ffi, _native.lib
    run = bench(["itch50", "spsc_ring"], seconds=QUICK, seed=3)
    data = native_itch.generate(3, 5000)
    buffer = ffi.from_buffer("uint8_t[]", data)
    state = ffi.gc(lib.ap_itch_loop_create(buffer, len(data)), lib.ap_itch_loop_destroy)
    assert run.components[0].checksum == f"{lib.ap_itch_loop(state, 5000):016x}"
    ring = ffi.gc(lib.ap_ring_loop_create(3), lib.ap_ring_loop_destroy)
    assert run.components[1].checksum == f"{lib.ap_ring_loop(ring, 1 << 20):016x}"


def test_the_seed_and_nothing_else_decides_the_checksums(uncounted: None) -> None:
    def checksums(seed: int, seconds: float = QUICK) -> list[str | None]:
        return [component.checksum for component in bench(seed=seed, seconds=seconds).components]

    assert checksums(1) == checksums(1, seconds=2 * QUICK)
    assert all(one != two for one, two in zip(checksums(1), checksums(2), strict=True))


def test_what_cannot_be_counted_is_said_once_and_the_times_stay(uncounted: None) -> None:
    run = bench(seconds=QUICK)
    said = [note for note in run.notes if "counted" in note]
    assert said == ["nothing was counted: a test; run it yourself"]
    assert all(component.reading is None and component.latency for component in run.components)
    assert all(component.reading_operations is None for component in run.components)


def test_counting_runs_whole_periods_of_the_input(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(trial, "COUNTED_SECONDS", 0.001)
    (component,) = bench(["itch50"], seconds=QUICK).components
    assert component.reading_operations
    assert component.reading_operations % 5000 == 0


def test_names_are_taken_in_order_and_once(uncounted: None) -> None:
    run = bench(["spsc_ring", "object_pool", "spsc_ring"], seconds=QUICK)
    assert [component.name for component in run.components] == ["spsc_ring", "object_pool"]


def test_a_run_to_be_compared_with_another_is_timed_in_its_batches(uncounted: None) -> None:
    (base,) = bench(["spsc_ring"], seconds=QUICK).components
    assert base.latency is not None
    assert len(base.rounds) == trial.ROUNDS
    other = replace(base.latency, batch=base.latency.batch * 4)
    (head,) = bench(["spsc_ring"], seconds=QUICK, like=Run((replace(base, latency=other),))).components
    assert head.latency is not None
    assert head.latency.batch == other.batch


def test_progress_goes_from_start_to_end(uncounted: None) -> None:
    steps: list[float] = []
    bench(seconds=QUICK, progress=lambda doing, done: steps.append(done))
    assert steps == sorted(steps)
    assert steps[0] == 0
    assert steps[-1] <= 1


def notes_of(run: Run) -> str:
    return "\n".join(run.components[0].notes)


def test_a_file_feeds_the_parser(tmp_path: Path, uncounted: None) -> None:
    path = tmp_path / "day.itch50"
    path.write_bytes(native_itch.generate(1, 5000))
    from_file, generated = bench(["itch50"], path, seconds=QUICK), bench(["itch50"], seed=1, seconds=QUICK)
    assert from_file.components[0].checksum == generated.components[0].checksum
    assert "day.itch50, 5,000 messages" in notes_of(from_file)


def test_bad_frames_and_a_cut_end_are_counted_and_said(tmp_path: Path, uncounted: None) -> None:
    good = native_itch.generate(1, 100)
    path = tmp_path / "worn.itch50"
    path.write_bytes(good + b"\0\1?" + b"\0\2SS" + b"\0\0" + good + good[:10])
    notes = notes_of(bench(["itch50"], path, seconds=QUICK))
    assert "200 messages" in notes
    assert "its last 10 bytes were left out" in notes
    assert "3 of 203 frames are no messages (1 of unknown type, 2 of wrong length)" in notes


def test_of_a_long_file_the_first_part_is_taken(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, uncounted: None
) -> None:
    data = native_itch.generate(1, 3000)
    monkeypatch.setattr(feed, "FILE_LIMIT", 60_000)
    path = tmp_path / "long.itch50"
    path.write_bytes(data)
    notes = notes_of(bench(["itch50"], path, seconds=QUICK))
    assert "the first 0.1 MB of the file were taken" in notes
    assert "left out" not in notes


@pytest.mark.parametrize(
    ("content", "complaint"),
    [
        (b"", "is empty"),
        (b"a text, and not a short one, in lines\n" * 100, "it has no whole frame"),
        (b"\x1f\x8b\x08" + b"x" * 100, "unpack it"),
        (bytes(range(256)) * 300, "of its .* frames are messages"),
        (b"\0" * 1000, "0 of its 500 frames are messages"),  # a file without its lengths filled in
    ],
)
def test_what_is_no_itch_file_is_said_in_a_line(tmp_path: Path, content: bytes, complaint: str) -> None:
    path = tmp_path / "file"
    path.write_bytes(content)
    with pytest.raises(ArmprofError, match=complaint) as caught:
        bench(["itch50"], path)
    assert str(path) in str(caught.value)
    assert "\n" not in str(caught.value)


def test_a_file_that_fills_no_book_is_said_in_a_line(tmp_path: Path) -> None:
    path = tmp_path / "opening.itch50"
    path.write_bytes(native_itch.generate(1, 10))
    with pytest.raises(ArmprofError, match="adds no order to a book") as caught:
        bench(["order_book"], path)
    assert str(path) in str(caught.value)


@pytest.mark.parametrize(("name", "complaint"), [("missing", "No such file"), (".", "Is a directory")])
def test_a_file_that_cannot_be_read_is_said_in_a_line(tmp_path: Path, name: str, complaint: str) -> None:
    with pytest.raises(ArmprofError, match=complaint):
        bench(["itch50"], tmp_path / name)


def test_unknown_components_are_answered_with_the_known_ones() -> None:
    with pytest.raises(ArmprofError, match="no component is called 'itch'; did you mean itch50") as caught:
        bench(["itch"])
    assert all(name in str(caught.value) for name in NAMES)
    with pytest.raises(ArmprofError, match="'zzz'; there are"):
        bench(["zzz"])


def test_a_file_for_components_that_take_none_is_refused(tmp_path: Path) -> None:
    with pytest.raises(ArmprofError, match="these do: itch50, "):
        bench(["object_pool"], tmp_path / "any")


def arguments(*words: str) -> argparse.Namespace:
    parser = argparse.ArgumentParser()
    command.prepare(parser)
    return parser.parse_args(words)


def test_the_verb_reports_in_80_columns_and_writes_the_run(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], uncounted: None
) -> None:
    path = tmp_path / "run.json"
    assert command.run(arguments("--seconds", "0.01", "--output", str(path))) == 0
    out, err = capsys.readouterr()
    assert all(len(line) <= 80 for line in out.splitlines())
    assert all(re.search(rf"^{name} +.* \d[\d.]* [nu]s ", out, re.MULTILINE) for name in NAMES)
    assert "nothing was counted: a test" in out
    assert str(path) in err
    assert path.stat().st_size > 1000


def test_the_verb_prints_what_it_wrote_as_json(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], uncounted: None
) -> None:
    path = tmp_path / "run.json"
    command.run(arguments("spsc_ring", "--seconds", "0.01", "--output", str(path), "--format", "json"))
    assert capsys.readouterr().out.strip() == path.read_text().strip()


@pytest.mark.parametrize(
    "words",
    [
        ("--seed", "-1"),
        ("--seed", "x"),
        ("--seed", str(2**64)),
        ("--seconds", "0"),
        ("--seconds", "soon"),
        *(("--rate", rate) for rate in ("0", "M", "1MM", "nan", "inf", "2G", "1m")),
    ],
)
def test_impossible_numbers_are_refused(words: tuple[str, str], capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as caught:
        arguments(*words)
    assert caught.value.code == 2
    assert words[1] in capsys.readouterr().err


def test_a_rate_has_a_unit_or_none() -> None:
    assert [arguments("--rate", rate).rate for rate in ("250k", "1.5M", "1e6", "20_000")] == [250e3, 1.5e6, 1e6, 20e3]
