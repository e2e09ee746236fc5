"""The run file: what is written comes back, and whatever else is read is refused in one clear line."""

from __future__ import annotations

import json
import os
from contextlib import suppress
from dataclasses import replace
from pathlib import Path
from typing import Any

import jsonschema
import pytest
from contract import schema, strict
from hypothesis import given
from hypothesis import strategies as st

from armprof.counters.reading import Count, Reading, Status, uncounted
from armprof.errors import ArmprofError
from armprof.run.file import VERSION, is_run_file, parse, read, render, write
from armprof.run.record import (
    Component,
    Contention,
    CriticalPath,
    Latency,
    OpenLoop,
    Place,
    Round,
    Run,
    Share,
    Stage,
    Where,
)

SCHEMA = schema("run/run")


text = st.text(st.characters(), max_size=20)  # with lone surrogates, as in the bytes of a command's arguments
numbers = st.floats(allow_nan=False, allow_infinity=False) | st.integers(-(2**70), 2**70)
whole = st.integers(-(2**70), 2**70)
times = st.integers(0, 2**64)
notes = st.lists(text, max_size=2).map(tuple)


@st.composite
def counts(draw: st.DrawFn) -> dict[str, Count]:
    made = {}
    for name in draw(st.lists(text, max_size=4, unique=True)):
        status = draw(st.sampled_from(Status))
        made[name] = Count(
            event=name,
            value=draw(numbers) if status.has_value else None,
            raw=draw(st.none() | numbers),
            enabled_ns=draw(st.none() | times),
            running_ns=draw(st.none() | times),
            status=status,
            reason=draw(st.none() | text if status.has_value else st.text(st.characters(), min_size=1)),
            unit=draw(text),
            group=draw(st.none() | whole),
            label=draw(st.none() | text),
            stated_coverage=draw(st.none() | st.floats(0, 1)),
        )
    return made


readings = st.builds(
    Reading,
    counts=counts(),
    source=text,
    core=st.none() | text,
    duration_ns=st.none() | whole,
    scope=text,
    access=text,
    overhead=st.dictionaries(text, numbers, max_size=2),
    notes=notes,
)
latencies = st.builds(
    Latency, *[numbers] * 6, samples=whole, batch=whole, clock_cost_ns=numbers, operation=st.none() | text
)
shares = st.floats(0, 1)
stages = st.builds(Stage, name=text, title=text, p50_share=shares, p99_share=shares, reading=st.none() | readings)
paths = st.builds(
    CriticalPath,
    stages=st.lists(stages, min_size=1, max_size=3).map(tuple),
    p50_ns=numbers,
    p99_ns=numbers,
    operations=whole,
    p50_operations=whole,
    p99_operations=whole,
    stamp_cost_ns=numbers,
    reading_operations=st.none() | whole,
    uncounted=st.none() | text,
)
open_loops = st.builds(
    OpenLoop,
    rate_per_s=st.floats(0, exclude_min=True, allow_nan=False, allow_infinity=False),
    achieved_per_s=numbers,
    operations=whole,
    latency=latencies,
    on_time_until=shares,
    behind_ns=numbers,
    most_behind_ns=numbers,
)
places = st.builds(Place, function=text, module=text, file=st.none() | text, line=st.none() | whole)
shares_of_code = st.lists(st.builds(Share, places, st.dictionaries(text, numbers, max_size=2)), max_size=2).map(tuple)
contentions = st.builds(
    Contention,
    kind=st.sampled_from(["false sharing", "sharing"]),
    address=whole,
    variable=st.none() | text,
    times=whole,
    threads=st.lists(whole, max_size=2).map(tuple),
    places=st.lists(places, max_size=2).map(tuple),
)
wheres = st.builds(Where, shares_of_code, shares_of_code, st.lists(contentions, max_size=2).map(tuple))
components = st.builds(
    Component,
    name=text,
    title=text,
    kind=text,
    operation=text,
    reading=st.none() | readings,
    groups=st.lists(readings, max_size=2).map(tuple),
    reading_operations=st.none() | whole,
    spread=st.dictionaries(text, numbers, max_size=2),
    timed_code=st.none() | text,
    counted_code=st.none() | text,
    latency=st.none() | latencies,
    rounds=st.lists(st.builds(Round, numbers, numbers, numbers), max_size=2).map(tuple),
    throughput_per_s=st.none() | numbers,
    checksum=st.none() | text,
    critical_path=st.none() | paths,
    open_loop=st.none() | open_loops,
    notes=notes,
    where=st.none() | wheres,
)
runs = st.builds(
    Run,
    components=st.lists(components, max_size=3).map(tuple),
    host=st.dictionaries(text, st.none() | text | numbers, max_size=3),
    created=text,
    armprof_version=text,
    notes=notes,
)

COUNTED = Count("cpu_cycles", 1234567.0, 1234567, 2000, 2000, Status.COUNTED, group=0)
HIDDEN = uncounted("l1d_cache", Status.UNSUPPORTED, "the guest hides it")
IDLE = Count("idle", 0, 0, None, None, Status.COUNTED, stated_coverage=1.0)
READING = Reading(
    {count.event: count for count in (COUNTED, IDLE, HIDDEN)}, "pmu", core="neoverse-n1", duration_ns=2000
)
RUN = Run(
    components=(
        Component(
            "ring",
            "Ring",
            "kernel",
            "push",
            reading=READING,
            latency=Latency(1.5, 1.4, 2.0, 3.0, 4.0, 9.0, 1000, 64, 18.6),
            critical_path=CriticalPath((Stage("push", "Push", 0.25, 0.75),), 1.5, 2.5, 1000, 100, 10, 20.0),
            open_loop=OpenLoop(1e6, 999999.0, 1000, Latency(1, 1, 1, 1, 1, 1, 1, 1, 1), 0.96, 3.0, 4.0),
        ),
    ),
    host={"arch": "aarch64", "cpus": 4},
)


@given(runs)
def test_a_run_comes_back_as_it_was_written(run: Run) -> None:
    written = render(run)
    assert parse(written) == run
    jsonschema.validate(json.loads(written), strict(SCHEMA))


def test_numbers_keep_their_precision(tmp_path: Path) -> None:
    count = replace(COUNTED, value=0.1 + 0.2, raw=2**63 + 1)
    run = replace(RUN, components=(replace(RUN.components[0], reading=replace(READING, counts={"cpu_cycles": count})),))
    write(run, tmp_path / "run.json")
    back = read(tmp_path / "run.json").components[0].reading
    assert back is not None
    assert (back["cpu_cycles"].value, back["cpu_cycles"].raw) == (0.1 + 0.2, 2**63 + 1)


@pytest.mark.parametrize("value", [float("nan"), float("inf"), float("-inf")])
def test_a_run_with_a_number_that_is_none_is_not_written(value: float, tmp_path: Path) -> None:
    run = replace(RUN, components=(replace(RUN.components[0], throughput_per_s=value),))
    with pytest.raises(ValueError, match="JSON"):
        write(run, tmp_path / "run.json")
    assert list(tmp_path.iterdir()) == []


def test_writing_replaces_the_file_in_one_step(tmp_path: Path) -> None:
    path = tmp_path / "run.json"
    path.write_text("old")
    old = path.open()
    write(RUN, path)
    with old:
        assert old.read() == "old", "who was reading keeps what was there"
    assert read(path) == RUN
    assert [p.name for p in tmp_path.iterdir()] == ["run.json"]


def test_what_lies_where_the_unfinished_file_would_be_is_not_written_through(tmp_path: Path) -> None:
    victim, path = tmp_path / "victim", tmp_path / "run.json"
    victim.write_text("precious")
    (tmp_path / f".run.json.{os.getpid()}").symlink_to(victim)
    write(RUN, path)
    assert (read(path), victim.read_text()) == (RUN, "precious")
    assert sorted(os.listdir(tmp_path)) == ["run.json", "victim"]


def test_a_link_stays_a_link(tmp_path: Path) -> None:
    (tmp_path / "latest.json").symlink_to("run.json")
    write(RUN, tmp_path / "latest.json")
    assert (tmp_path / "latest.json").is_symlink()
    assert read(tmp_path / "run.json") == RUN


def test_a_pipe_is_written_to_and_not_replaced(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "pipe")
    reader = os.open(tmp_path / "pipe", os.O_RDONLY | os.O_NONBLOCK)
    try:
        write(RUN, tmp_path / "pipe")
        assert parse(os.read(reader, 1 << 16).decode()) == RUN
    finally:
        os.close(reader)
    assert (tmp_path / "pipe").is_fifo()


def test_a_file_gets_the_permissions_of_any_new_file(tmp_path: Path) -> None:
    (tmp_path / "plain").write_text("")
    write(RUN, tmp_path / "run.json")
    assert (tmp_path / "run.json").stat().st_mode == (tmp_path / "plain").stat().st_mode


@pytest.mark.parametrize(
    ("place", "says"),
    [("nowhere/run.json", "No such file"), (".", "Is a directory"), ("a\0b", "null byte")],
)
def test_what_cannot_be_written_is_said(place: str, says: str, tmp_path: Path) -> None:
    with pytest.raises(ArmprofError, match=rf"^cannot write .*{says}"):
        write(RUN, tmp_path / place)


def test_a_missing_file_is_named(tmp_path: Path) -> None:
    with pytest.raises(ArmprofError, match=r"^cannot read .*gone\.json: No such file"):
        read(tmp_path / "gone.json")
    with pytest.raises(ArmprofError, match=r"^cannot read .*: Is a directory"):
        read(tmp_path)
    with pytest.raises(ArmprofError, match=r"^cannot read .*null byte"):
        read(Path("a\0b"))


@pytest.mark.parametrize(
    ("content", "says"),
    [
        ("", "is empty"),
        ("   \n", "is empty"),
        ("perf", "is not JSON, so no run file (line 1, column 1"),
        ("[1, 2]", "JSON of another program"),
        ("12", "JSON of another program"),
        ('{"a": 1}', "JSON of another program"),
        ('{"format": 7}', "JSON of another program"),
        ('{"format": "armprof-report", "version": 1}', "a file of the format 'armprof-report'"),
        ('{"format": "armprof-run"}', "$.version"),
        ('{"format": "armprof-run", "version": true}', "$.version"),
        ('{"format": "armprof-run", "version": 0}', "$.version"),
        ("[" * 100_000, "nested too deeply"),
        ('{"version": ' + "9" * 5000 + "}", "is no run file"),
        (render(RUN) + "x", "is not JSON"),
    ],
)
def test_what_is_no_run_file_is_refused_in_one_line(content: str, says: str) -> None:
    with pytest.raises(ArmprofError) as caught:
        parse(content, "the file")
    assert str(caught.value).startswith("the file")
    assert says in str(caught.value)
    assert "\n" not in str(caught.value)


def test_a_newer_version_asks_for_an_upgrade() -> None:
    newer = render(RUN).replace(f'"version": {VERSION}', '"version": 2')
    with pytest.raises(ArmprofError, match=r"version 2; armprof .* reads version 1: upgrade armprof"):
        parse(newer)


@pytest.mark.parametrize("number", ["NaN", "Infinity", "-Infinity", "1e999", "-1e999"])
def test_a_number_that_is_none_is_refused(number: str) -> None:
    with pytest.raises(ArmprofError, match=f"holds {number}, which is no number"):
        parse(render(RUN).replace("1.5", number), "x")


def test_every_cut_of_a_file_is_recognized() -> None:
    whole_text = render(RUN)
    for end in range(1, len(whole_text) - 2):
        with pytest.raises(ArmprofError, match=r"^x is cut off in line \d+"):
            parse(whole_text[:end], "x")


@pytest.mark.parametrize(
    ("old", "new", "says"),
    [
        (
            '"p50_ns": 1.4',
            '"p50_ns": "1.4"',
            "$.components[0].latency.p50_ns: expected a number, found '1.4'",
        ),
        (
            '"p50_ns": 1.4,',
            "",
            "$.components[0].latency: expected a field 'p50_ns', found an object",
        ),
        (
            '"batch": 64',
            '"batch": 64.5',
            "$.components[0].latency.batch: expected a whole number, found 64.5",
        ),
        (
            '"batch": 64',
            '"batch": true',
            "$.components[0].latency.batch: expected a whole number, found true",
        ),
        (
            '"batch": 64',
            '"batch": null',
            "$.components[0].latency.batch: expected a whole number, found null",
        ),
        ('"samples": 1000', '"samples": {}', "$.components[0].latency.samples: expected a whole number"),
        ('"p50_ns": 1.4', f'"p50_ns": 1{"0" * 400}', "$.components[0].latency.p50_ns: expected a number"),
        (
            '"status": "counted"',
            '"status": "guessed"',
            "$.components[0].reading.counts.cpu_cycles.status: expected one of counted, scaled, ",
        ),
        (
            '"event": "cpu_cycles"',
            '"event": "other"',
            "$.components[0].reading.counts.cpu_cycles.event: expected 'cpu_cycles', found 'other'",
        ),
        (
            '"status": "counted"',
            '"status": "unsupported"',
            "$.components[0].reading.counts.cpu_cycles: a count that is unsupported cannot have a value",
        ),
        (
            '"value": 1234567.0,',
            '"value": null,',
            "$.components[0].reading.counts.cpu_cycles: a count that is counted cannot have no value",
        ),
        (
            '"stated_coverage": 1.0',
            '"stated_coverage": 1.5',
            "$.components[0].reading.counts.idle: its coverage, 1.5, is not between 0 and 1",
        ),
        (
            '"running_ns": 2000',
            '"running_ns": -2000',
            "$.components[0].reading.counts.cpu_cycles: its coverage, -1, is not between 0 and 1",
        ),
        (
            '"reason": "the guest hides it"',
            '"reason": null',
            "$.components[0].reading.counts.l1d_cache: a count without a value needs a reason",
        ),
        (
            '"p99_share": 0.75',
            '"p99_share": 75',
            "$.components[0].critical_path.stages[0].p99_share: expected a share from 0 to 1, found 75",
        ),
        (
            '"on_time_until": 0.96',
            '"on_time_until": -0.96',
            "$.components[0].open_loop.on_time_until: expected a share from 0 to 1, found -0.96",
        ),
        (
            '"rate_per_s": 1000000.0',
            '"rate_per_s": 0',
            "$.components[0].open_loop.rate_per_s: expected a rate above 0, found 0",
        ),
        (
            '"samples": 1000',
            f'"samples": {10**400}',
            "$.components[0].latency.samples: expected a whole number, found 1000",
        ),
        ('"name": "ring"', '"name": 3', "$.components[0].name: expected text, found 3"),
        ('"cpus": 4', '"cpus": []', "$.host.cpus: expected text or a whole number or a number, found a list"),
        ('"notes": []', '"notes": "none"', "$.components[0].reading.notes: expected a list, found 'none'"),
    ],
)
def test_a_wrong_field_is_named_by_its_path(old: str, new: str, says: str) -> None:
    broken = render(RUN).replace(old, new, 1)
    assert broken != render(RUN)
    with pytest.raises(ArmprofError) as caught:
        parse(broken, "run.json")
    assert str(caught.value).startswith(f"run.json: {says}")


def test_a_path_without_stages_is_refused() -> None:
    content = json.loads(render(RUN))
    content["components"][0]["critical_path"]["stages"] = []
    with pytest.raises(ArmprofError, match="expected at least one stage"):
        parse(json.dumps(content))


def test_the_counts_of_a_stage_are_checked_as_all_are() -> None:
    content = json.loads(render(RUN))
    component = content["components"][0]
    component["critical_path"]["stages"][0]["reading"] = component["reading"] | {
        "counts": {"idle": component["reading"]["counts"]["cpu_cycles"]}
    }
    with pytest.raises(ArmprofError, match=r"critical_path.stages\[0\].reading.counts.idle.event: expected 'idle'"):
        parse(json.dumps(content))


def test_a_field_that_is_not_known_is_passed_over() -> None:
    assert parse(render(RUN).replace('"name"', '"colour": ["red"], "name"', 1)) == RUN


@given(st.recursive(st.none() | st.booleans() | numbers | text, lambda inner: st.lists(inner, max_size=3)))
def test_a_field_of_any_type_gives_a_run_or_one_line(value: Any) -> None:
    data = json.loads(render(RUN))
    for place in (data["components"][0], data["components"][0]["reading"], data["host"], data):
        for key in list(place):
            if place is data and key in ("format", "version"):
                continue
            kept, place[key] = place[key], value
            with suppress(ArmprofError):
                parse(json.dumps(data))
            place[key] = kept


def test_a_run_file_is_told_from_other_text() -> None:
    assert is_run_file(render(RUN))
    assert is_run_file("\ufeff" + render(RUN)[:40])
    assert is_run_file(json.dumps(json.loads(render(RUN)), sort_keys=True))
    assert not is_run_file('{"counter-value": "1.0", "event": "cycles"}')
    assert not is_run_file('Performance counter stats for "format": "armprof-run"')
    assert not is_run_file("")
