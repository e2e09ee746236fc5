"""Two sides timed in turns: the plan of a round, the order of turns, functions, commands, and symbols in children."""

from __future__ import annotations

import gc
import subprocess
from array import array
from functools import partial
from pathlib import Path

import pytest

from armprof.components.linked import Symbols, in_child
from armprof.components.pairs import STEPS, Callables, Commands, interleaved, plan
from armprof.errors import ArmprofError

# ---- the plan and the order ------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("operation_ns", "step_ns", "round_ns", "batch", "samples", "turns"),
    [
        (1.0, 10.0, 60e6, 16384, 61, 30),  # short: batches that the clock resolves, turns of a millisecond
        (100e3, 40.0, 60e6, 1, 10, 30),
        (10e6, 40.0, 60e6, 1, 1, 3),  # long: one call is a turn
        (1e9, 40.0, 60e6, 1, 1, 1),  # longer than the round
    ],
)
def test_a_round_is_divided(
    operation_ns: float, step_ns: float, round_ns: float, batch: int, samples: int, turns: int
) -> None:
    found = plan([operation_ns, operation_ns], step_ns, round_ns)
    assert (found.batch, found.samples, found.turns) == (batch, samples, turns)
    assert found.resolution <= 1 / STEPS


def test_the_clock_resolves_the_shorter_side() -> None:
    found = plan([1.0, 100.0], 10.0, 60e6)
    assert found.batch == 16384
    assert found.resolution <= 1 / STEPS


def test_sides_that_are_worlds_apart_are_told_apart_more_roughly_rather_than_never() -> None:
    found = plan([1.0, 1e6], 40.0, 60e6)
    assert found.batch * 1e6 <= 60e6
    assert found.resolution > 1 / STEPS


@pytest.mark.parametrize(("new_first", "order"), [(False, "oNNooN"), (True, "NooNNo")])
def test_turns_flip(new_first: bool, order: str) -> None:
    taken: list[str] = []

    def turn(name: str) -> list[float]:
        taken.append(name)
        return [1.0] if name == "o" else [2.0, 2.0]

    old, new = interleaved(partial(turn, "o"), partial(turn, "N"), 3, new_first)
    assert "".join(taken) == order
    assert (old, new) == (array("d", [1.0] * 3), array("d", [2.0] * 6))


# ---- functions -------------------------------------------------------------------------------------------------------


def test_functions_are_called_as_often_as_there_are_samples_of_them() -> None:
    calls = {"old": 0, "new": 0}

    def call(name: str) -> None:
        calls[name] += 1

    pair = Callables(partial(call, "old"), partial(call, "new"))
    pair.prepare(2e6)
    calls["old"] = calls["new"] = 0
    old, new = pair.round(False)
    assert len(old) == len(new)
    assert calls == {"old": len(old) * pair.batch, "new": len(new) * pair.batch}
    assert min(*old, *new) > 0


def test_garbage_waits_until_the_round_is_over() -> None:
    seen: list[bool] = []
    pair = Callables(lambda: seen.append(gc.isenabled()), lambda: None)
    pair.prepare(1e6)
    seen.clear()
    pair.round(False)
    assert set(seen) == {False}
    assert gc.isenabled()


# ---- commands --------------------------------------------------------------------------------------------------------


def test_a_sample_is_a_process(tmp_path: Path) -> None:
    log = tmp_path / "log"
    pair = Commands(["sh", "-c", f"echo o >> {log}"], ["sh", "-c", f"echo n >> {log}"])
    pair.prepare(1e6)
    log.write_text("")
    old, new = pair.round(True)
    assert log.read_text().split()[0] == "n"
    assert (log.read_text().count("o"), log.read_text().count("n")) == (len(old), len(new))


def test_what_commands_print_is_thrown_away(capfd: pytest.CaptureFixture[str]) -> None:
    pair = Commands(["sh", "-c", "echo out; echo err >&2; cat"], ["true"])
    pair.prepare(1e6)
    assert capfd.readouterr() == ("", "")


@pytest.mark.parametrize(
    ("command", "says"),
    [
        (["/nowhere/at-all"], "cannot run '/nowhere/at-all': No such file or directory"),
        (["/etc"], "cannot run '/etc': Permission denied"),
        (["a\0b"], "cannot run 'a\\x00b': embedded null byte"),
        (["sh", "-c", "exit 3"], "'sh' ended with exit status 3; run it by itself to see why"),
        (["sh", "-c", "kill -9 $$"], "'sh' ended with SIGKILL; run it by itself to see why"),
    ],
)
def test_a_command_that_does_not_work_is_named(command: list[str], says: str) -> None:
    with pytest.raises(ArmprofError) as caught:
        Commands(["true"], command).prepare(1e6)
    assert str(caught.value) == says


# ---- symbols ---------------------------------------------------------------------------------------------------------

SOURCE = r"""
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>
static volatile unsigned sink;
static int calls;
void work(void) { for (unsigned i = 0; i < 20000; i++) sink = i; }
void counted(void) { if (calls++ == 0) { FILE *f = fopen(LOG, "a"); fprintf(f, "%d\n", (int)getpid()); fclose(f); } work(); }
void talks(void) { printf("x"); fflush(stdout); work(); }
void crashes(void) { abort(); }
void leaves(void) { _exit(0); }
"""


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("libraries")


@pytest.fixture(scope="module")
def libraries(folder: Path) -> tuple[Path, Path]:
    """The same source, built twice."""
    source = folder / "work.c"
    source.write_text(SOURCE)
    built = folder / "old.so", folder / "new.so"
    for library in built:
        log = f'-DLOG="{folder / "log"}"'
        subprocess.run(["cc", "-O1", "-shared", "-fPIC", log, str(source), "-o", str(library)], check=True)
    return built


def prepared(libraries: tuple[Path, Path], symbol: str) -> Symbols:
    pair = Symbols(*libraries, symbol)
    pair.prepare(2e6)
    return pair


def test_a_round_has_as_many_samples_of_each_library(libraries: tuple[Path, Path]) -> None:
    old, new = prepared(libraries, "work").round(False)
    assert len(old) == len(new) > 0
    assert min(*old, *new) > 0


def test_every_round_is_a_process_that_loads_both_anew(libraries: tuple[Path, Path], folder: Path) -> None:
    pair = prepared(libraries, "counted")
    (folder / "log").write_text("")
    pair.round(False)
    pair.round(True)
    processes = (folder / "log").read_text().split()
    assert len(processes) == 4, "each library's own state said once in each process that it was new"
    assert processes[0] == processes[1] != processes[2] == processes[3]


def test_a_library_is_counted_in_a_child(libraries: tuple[Path, Path]) -> None:
    counted = prepared(libraries, "work").count()
    assert counted is not None
    assert counted.calls > 0
    assert counted.old["task_clock"].value or counted.old["task_clock"].reason


def test_what_a_library_prints_does_not_reach_stdout(
    libraries: tuple[Path, Path], capfd: pytest.CaptureFixture[str]
) -> None:
    prepared(libraries, "talks")
    out, err = capfd.readouterr()
    assert out == ""
    assert "x" in err


@pytest.mark.parametrize(
    ("symbol", "says"),
    [
        ("crashes", "crashes() of {old} ended its process with SIGABRT"),
        ("leaves", "leaves() of {old} ended its process with exit status 0"),
        ("absent", "{old} exports no function 'absent'; it exports counted, crashes, leaves, talks, work"),
    ],
)
def test_a_function_that_does_not_work_is_named(libraries: tuple[Path, Path], symbol: str, says: str) -> None:
    with pytest.raises(ArmprofError) as caught:
        prepared(libraries, symbol)
    assert str(caught.value) == says.format(old=libraries[0])


def test_what_is_no_library_is_named(folder: Path) -> None:
    with pytest.raises(ArmprofError, match=r"^cannot read .*gone\.so: No such file"):
        prepared((folder / "gone.so", folder / "gone.so"), "work")


def test_a_child_tells_everything_or_why_it_did_not() -> None:
    assert in_child(lambda: b"x" * 1_000_000, "it") == b"x" * 1_000_000
    assert in_child(lambda: b"", "it") == b""
    with pytest.raises(ArmprofError, match="division or modulo by zero"):
        in_child(lambda: bytes(1 // 0), "it")
