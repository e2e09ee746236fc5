"""The store of runs, its baselines, and what the verb says of them."""

from __future__ import annotations

import json
from concurrent.futures import ProcessPoolExecutor
from dataclasses import replace
from importlib.resources import files
from pathlib import Path
from random import Random

import jsonschema
import pytest
from test_compare_counts import counted
from test_compare_runs import run, timed

from armprof.cli import main
from armprof.errors import ArmprofError
from armprof.history.store import RunStore
from armprof.history.trend import moved, series
from armprof.run import file
from armprof.run.record import Run

SCHEMA = json.loads((files("armprof.report") / "history.schema.json").read_text(encoding="utf-8"))


def made(at: int, ns: float = 100.0, **host: str | int) -> Run:
    """A run of that minute."""
    return replace(run(timed("f", ns), **host), created=f"2026-11-25T{at // 60:02}:{at % 60:02}:00+00:00")


@pytest.fixture
def store(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> RunStore:
    monkeypatch.chdir(tmp_path)
    return RunStore()


# ---- the store -------------------------------------------------------------------------------------------------------


def test_what_is_kept_comes_back_in_the_order_of_time(store: RunStore) -> None:
    for at in (3, 1, 2):
        store.add(made(at))
    assert [one.run for one in store.runs()] == [made(1), made(2), made(3)]
    assert [one.name[:16] for one in store.runs()] == [f"20261125T000{at}00Z" for at in (1, 2, 3)]


def test_a_run_that_is_kept_twice_is_there_once_and_another_of_its_second_beside_it(store: RunStore) -> None:
    assert store.add(made(1)) == store.add(made(1))
    store.add(made(1, 101))
    assert len(list(store.runs())) == 2


def test_a_run_that_does_not_tell_its_time_is_kept_too(store: RunStore) -> None:
    hostile = replace(made(1), created="../../2026")
    assert store.add(hostile).startswith("00000000T000000Z-")
    assert [one.run for one in store.runs()] == [hostile]


def add_all(folder: Path, writer: int, number: int) -> None:
    for i in range(number):
        RunStore(folder).add(made(i, 100.0 + writer))
        RunStore(folder).approve("main", made(i, 100.0 + writer))


def test_writers_at_the_same_time_lose_nothing(store: RunStore) -> None:
    writers, number = 4, 25
    with ProcessPoolExecutor(writers) as pool:
        list(pool.map(add_all, [store.folder] * writers, range(writers), [number] * writers))
    assert len(list(store.runs())) == writers * number
    assert store.baseline("main").created == made(number - 1).created
    left = [path.name for path in store.folder.rglob("*") if path.is_file() and path.suffix != ".json"]
    assert left == []


def test_what_a_writer_left_half_done_is_passed_over(store: RunStore) -> None:
    store.add(made(1))
    (store.folder / "runs" / ".20261125T000200Z-0.json.123").write_text('{"format": "armprof-run"')
    assert len(list(store.runs())) == 1


@pytest.mark.parametrize("name", ["main", "release/1.2", "..", "../../harm", ".hidden", "with space", "ä"])
def test_a_baseline_has_any_name_and_stays_in_the_store(name: str, store: RunStore) -> None:
    store.approve(name, made(1))
    assert store.baseline(name) == made(1)
    assert store.baselines() == [name]
    (path,) = Path.cwd().rglob("*.json")
    assert path.parent == Path.cwd() / ".armprof" / "baselines"
    store.approve(name, made(2))
    assert store.baseline(name) == made(2)
    store.forget(name)
    assert store.baselines() == []


@pytest.mark.parametrize("name", ["", "x" * 101, "a\nb", "a\0b"])
def test_what_is_no_name_of_a_baseline_is_told(name: str, store: RunStore) -> None:
    with pytest.raises(ArmprofError, match="is no name of a baseline"):
        store.approve(name, made(1))


def test_a_baseline_that_there_is_not_is_told(store: RunStore) -> None:
    store.approve("main", made(1))
    for asked in (store.baseline, store.forget):
        with pytest.raises(
            ArmprofError, match=r"\.armprof has no baseline 'mian', but main; `armprof history approve mian RUN`"
        ):
            asked("mian")


def test_pruning_leaves_the_last_runs_and_the_baselines(store: RunStore) -> None:
    for at in range(5):
        store.add(made(at))
    store.approve("main", made(0))
    assert store.prune(2) == 3
    assert [one.run for one in store.runs()] == [made(3), made(4)]
    assert store.prune(2) == 0
    assert store.baselines() == ["main"]


# ---- the series ------------------------------------------------------------------------------------------------------


def kept(store: RunStore, values: list[float], **host: str | int) -> None:
    for at, ns in enumerate(values):
        store.add(made(at, ns, **host))


def test_a_step_is_found_with_the_run_that_it_came_with(store: RunStore) -> None:
    random = Random(1)
    kept(store, [random.gauss(100 if at < 20 else 110, 1) for at in range(40)])
    (step,) = moved(series(store.runs()))
    assert (step.component, step.metric) == ("f", "p50_latency")
    assert step.run.startswith("20261125T002000Z")
    assert step.change == pytest.approx(0.1, abs=0.02)


def test_times_of_other_machines_are_no_part_of_the_series(store: RunStore) -> None:
    kept(store, [100.0 + at % 3 for at in range(20)], cpus=64)
    for at in range(20):
        store.add(made(100 + at, 200.0 + at % 3))
    (one,) = series(store.runs())
    assert len(one.values) == 20
    assert moved([one]) == []


def test_modelled_counts_are_followed_over_all_machines(store: RunStore) -> None:
    for at in range(20):
        counts = counted(cpu_cycles=100 if at < 10 else 103, inst_retired=50)
        store.add(replace(made(at, cpus=at), components=(counts,)))
    (step,) = moved(series(store.runs()))
    assert (step.metric, step.before, step.after) == ("cycles_per_operation", 100, 103)


# ---- the verb --------------------------------------------------------------------------------------------------------


def test_the_verb_keeps_approves_compares_and_prunes(store: RunStore, capsys: pytest.CaptureFixture[str]) -> None:
    for name, ns in (("a", 100.0), ("b", 130.0)):
        file.write(made(1, ns), Path(f"{name}.json"))
    assert main(["history", "add", "a.json", "b.json"]) == 0
    assert capsys.readouterr().out.count("20261125T000100Z-") == 2
    assert main(["history", "approve", "main", "a.json"]) == 0
    assert main(["compare", "--baseline", "main", "b.json"]) == 1
    assert main(["compare", "--baseline", "main", "a.json"]) == 0
    capsys.readouterr()
    assert main(["history"]) == 0
    assert capsys.readouterr().out.startswith("2 runs, no steps\nbaselines  main\n")
    assert main(["history", "prune", "1"]) == 0
    assert main(["history", "forget", "main"]) == 0
    assert main(["history", "--format", "json"]) == 0
    told = json.loads(capsys.readouterr().out)
    jsonschema.validate(told, SCHEMA)
    assert (len(told["runs"]), told["baselines"]) == (1, [])


def test_the_verb_tells_steps(store: RunStore, capsys: pytest.CaptureFixture[str]) -> None:
    random = Random(1)
    kept(store, [random.gauss(100 if at < 20 else 110, 1) for at in range(40)])
    assert main(["history"]) == 0
    out = capsys.readouterr().out
    assert out.startswith("40 runs, 1 step\n")
    assert "f p50_latency" in out
    assert all(len(line) <= 80 for line in out.splitlines())
    assert main(["history", "--format", "json"]) == 0
    jsonschema.validate(json.loads(capsys.readouterr().out), SCHEMA)


def test_an_empty_store_is_no_error(store: RunStore, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["history"]) == 0
    assert capsys.readouterr().out.startswith("0 runs, no steps\n")
    assert not store.folder.exists()


@pytest.mark.parametrize(
    ("content", "says"),
    [
        (b"", "is empty, not a run file"),
        (b'{"format": "armprof-run", "version": 1, "compo', "is cut off"),
        (b"\xff\xfe\x00", "is not JSON"),
        (b'{"a": 1}', "JSON of another program"),
        (b'{"format": "armprof-run", "version": 99, "components": []}', "upgrade armprof"),
        (b'{"format": "armprof-run", "version": 1, "components": 3}', "expected a list"),
    ],
)
@pytest.mark.parametrize("place", ["runs/20261125T000900Z-0.json", "baselines/main.json"])
def test_a_file_of_the_store_that_cannot_be_read_is_named_in_one_line(
    content: bytes, says: str, place: str, store: RunStore, capsys: pytest.CaptureFixture[str]
) -> None:
    store.add(made(1))
    store.approve("main", made(1))
    file.write(made(1), Path("head.json"))
    (store.folder / place).write_bytes(content)
    assert main(["history"] if place.startswith("runs") else ["compare", "--baseline", "main", "head.json"]) == 2
    err = capsys.readouterr().err
    assert str(Path(".armprof", place)) in err
    assert says in err
    assert err.count("\n") == 1


@pytest.mark.parametrize(
    ("words", "says"),
    [
        (["history", "add", "gone.json"], "cannot read gone.json"),
        (
            ["history", "--store", "/dev/null", "approve", "main", "head.json"],
            "cannot write /dev/null/baselines/main.json",
        ),
        (["history", "--store", "/dev/null"], "cannot read /dev/null/runs"),
        (["compare", "head.json"], "two runs are compared"),
        (["compare", "--baseline", "main", "head.json", "head.json"], "two runs are compared"),
        (["compare", "--baseline", "main", "head.json"], "has no baseline 'main', but none"),
    ],
)
def test_what_cannot_be_done_is_one_line(
    words: list[str], says: str, store: RunStore, capsys: pytest.CaptureFixture[str]
) -> None:
    file.write(made(1), Path("head.json"))
    assert main(words) == 2
    err = capsys.readouterr().err
    assert says in err
    assert err.count("\n") == 1
