"""Components of users on a bench: a real library, real commands, callables; and what becomes of those that fail."""

from __future__ import annotations

import faulthandler
import json
import os
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from elftools.elf.elffile import ELFFile

from armprof.cli import main
from armprof.components import bench, registry, trial
from armprof.components.callables import callable_
from armprof.components.processes import command
from armprof.components.symbols import functions, symbol
from armprof.components.work import Definition
from armprof.errors import ArmprofError
from armprof.run import file
from armprof.run.record import Component, Run

QUICK = 0.01

LIBRARY = """
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
volatile uint64_t table[4];
static void hidden(void) { table[0]++; }
void spin(void) { for (int i = 0; i < 10; i++) hidden(); }
void *walk_create(uint64_t seed) { uint64_t *state = malloc(8); *state = seed; return state; }
uint64_t walk(void *state, uint64_t operations) {
    if (*(uint64_t *)state == 7) abort();
    for (uint64_t i = 0; i < operations; i++) table[1]++;
    return table[1];
}
uint64_t stateless(void *state, uint64_t operations) {
    if (state != NULL) abort();
    for (uint64_t i = 0; i < operations; i++) table[2]++;
    return 0;
}
void *empty_create(uint64_t seed) { return NULL; }
uint64_t empty(void *state, uint64_t operations) { return 0; }
void crash_at_once(void) { *(volatile int *)8 = 1; }
void crash_later(void) { if (++table[3] > 500) abort(); }
void leave(void) { exit(3); }
void shout(void) { puts("not for the report"); fflush(stdout); }
"""


@pytest.fixture(scope="module")
def library(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("library")
    (folder / "users.c").write_text(LIBRARY)
    made = folder / "libusers.so"
    subprocess.run(["cc", "-O1", "-shared", "-fPIC", str(folder / "users.c"), "-o", str(made)], check=True)
    return made


@pytest.fixture(autouse=True)
def short_passes(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(trial, "COUNTED_SECONDS", 0.001)


@pytest.fixture(autouse=True)
def silent_crashes() -> Iterator[None]:
    """The tests' own handler would print where a child crashed."""
    faulthandler.disable()
    yield
    faulthandler.enable(sys.__stderr__)


def of_library(library: Path, name: str, loop: bool = False) -> Definition:
    return symbol(library, name, loop, name, "", "", "a test")


def of_function(function: Callable[[], object], name: str = "mine") -> Definition:
    return callable_(function, name, "", "", "a test")


def of_command(*words: str, name: str = "mine") -> Definition:
    return command(list(words), name, "", "", "a test")


def run_of(*definitions: Definition, seed: int = 1) -> Run:
    return bench(seed=seed, seconds=QUICK, components={one.name: one for one in definitions})


def benched(definition: Definition, seed: int = 1) -> Component:
    (component,) = run_of(definition, seed=seed).components
    return component


def check_figures(component: Component) -> None:
    times = component.latency
    assert component.failure is None
    assert times is not None
    assert 0 < times.p50_ns <= times.p95_ns <= times.p99_ns <= times.p999_ns <= times.max_ns
    assert component.throughput_per_s == pytest.approx(1e9 / times.mean_ns)
    assert component.reading is not None
    assert (component.reading.value("task_clock") or 0) > 0
    assert component.reading_operations
    assert component.checksum is None


# ---- What works ------------------------------------------------------------------------------------------------------


def test_a_function_of_a_library_is_timed_in_batches_and_counted(library: Path) -> None:
    component = benched(of_library(library, "spin"))
    check_figures(component)
    assert (component.kind, component.operation) == ("symbol", "call")
    assert component.latency is not None
    assert component.latency.batch > 1
    assert "a call through a pointer" in component.notes[0]


def test_a_loop_gets_the_state_that_its_library_makes_from_the_seed(library: Path) -> None:
    check_figures(benched(of_library(library, "walk", loop=True)))
    assert benched(of_library(library, "walk", loop=True), seed=7).failure == "SIGABRT while it was warmed up"


def test_a_loop_without_a_maker_of_states_gets_none(library: Path) -> None:
    component = benched(of_library(library, "stateless", loop=True))
    check_figures(component)
    assert component.operation == "operation"


def test_a_callable_is_timed_without_the_loop_around_it() -> None:
    component = benched(of_function(lambda: sum(range(100))))
    check_figures(component)
    assert (component.kind, component.operation) == ("callable", "call")
    assert component.latency is not None
    assert component.latency.clock_cost_ns > 0
    assert f"empty Python loop take {component.latency.clock_cost_ns:.0f} ns of each sample" in component.notes[0]


def test_work_that_takes_long_is_not_repeated_a_thousand_times() -> None:
    component = benched(of_function(lambda: time.sleep(0.1)))
    check_figures(component)
    assert component.latency is not None
    assert component.latency.samples == 10
    assert component.latency.batch == 1
    assert component.latency.p50_ns >= 100e6


def test_a_command_is_timed_by_the_wall_clock_and_counted_once() -> None:
    component = benched(of_command("sleep", "0.05"))
    check_figures(component)
    assert (component.kind, component.operation, component.title) == ("command", "run", "sleep 0.05")
    assert component.reading_operations == 1
    assert component.latency is not None
    assert component.latency.p50_ns >= 50e6
    assert component.reading is not None
    assert component.reading.scope.startswith("the command")


def test_a_command_may_use_every_cpu_and_others_one(tmp_path: Path) -> None:
    def told(name: str) -> set[int]:
        return set(json.loads((tmp_path / name).read_text()))

    script = f"import json, os; json.dump(list(os.sched_getaffinity(0)), open({str(tmp_path / 'command')!r}, 'w'))"

    def function() -> None:
        (tmp_path / "function").write_text(json.dumps(list(os.sched_getaffinity(0))))

    check_figures(benched(of_command(sys.executable, "-S", "-c", script)))
    check_figures(benched(of_function(function)))
    assert told("command") == os.sched_getaffinity(0)
    assert len(told("function")) == 1


def test_what_is_printed_stays_out_of_the_report(library: Path, capfd: pytest.CaptureFixture[str]) -> None:
    run = run_of(of_library(library, "shout"), of_function(lambda: print("not"), "printer"), of_command("echo", "not"))
    assert not any(component.failure for component in run.components)
    assert capfd.readouterr().out == ""


# ---- What fails, and takes nothing from the others -------------------------------------------------------------------


def bad_call() -> None:
    raise ValueError("no rows\nin here")


def interrupted() -> None:
    raise KeyboardInterrupt


@pytest.mark.parametrize(
    ("name", "failure"),
    [
        ("crash_at_once", "SIGSEGV while it was warmed up"),
        ("crash_later", "SIGABRT while it was "),
        ("leave", "exit status 3 while it was warmed up"),
    ],
)
def test_a_library_that_ends_its_process_is_told_and_the_others_are_measured(
    library: Path, name: str, failure: str
) -> None:
    run = run_of(of_function(lambda: None, "before"), of_library(library, name), of_library(library, "spin"))
    before, crashed, after = run.components
    check_figures(before)
    check_figures(after)
    assert (crashed.failure or "").startswith(failure)
    assert crashed.latency is None
    assert crashed.reading is None


@pytest.mark.parametrize(
    ("function", "failure"),
    [
        (bad_call, f"ValueError: no rows in here ({Path(__file__).name}:"),
        (sys.exit, "SystemExit while"),
        (interrupted, "KeyboardInterrupt ("),
        (lambda: os._exit(0), "exit status 0 while it was warmed up"),
        (lambda: os.kill(os.getpid(), 9), "SIGKILL while it was warmed up"),
    ],
)
def test_an_exception_in_a_callable_is_told_in_a_line(function: Callable[[], object], failure: str) -> None:
    component = benched(of_function(function))
    assert (component.failure or "").startswith(failure)
    assert "\n" not in (component.failure or "")
    assert component.latency is None


def test_a_crash_in_counting_leaves_the_times(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    counting = tmp_path / "counting"
    count = trial.Trial.count

    def marked(self: trial.Trial) -> str | None:
        counting.touch()
        return count(self)

    monkeypatch.setattr(trial.Trial, "count", marked)
    component = benched(of_function(lambda: os.abort() if counting.exists() else None))
    assert component.failure == "SIGABRT while it was counted"
    assert component.latency is not None
    assert component.reading is None


@pytest.mark.parametrize(
    ("words", "failure"),
    [
        (("sh", "-c", "exit 3"), "the command ended with exit status 3 while it was warmed up"),
        (("sh", "-c", "kill -SEGV $$"), "the command ended with SIGSEGV while it was warmed up"),
    ],
)
def test_a_command_that_fails_is_told_in_a_line(words: tuple[str, ...], failure: str) -> None:
    assert benched(of_command(*words)).failure == failure


def test_a_function_that_is_no_loop_is_not_waited_for(library: Path) -> None:
    component = benched(of_library(library, "spin", loop=True))
    assert (component.failure or "").startswith("it does nothing: 1,099,511,627,776 operations took")


def test_no_state_no_loop(library: Path) -> None:
    failure = benched(of_library(library, "empty", loop=True)).failure
    assert failure == "empty_create returned NULL while it was warmed up"


def test_no_process_is_left_when_a_bench_is_broken_off() -> None:
    class StopError(Exception):
        pass

    def stop(doing: str, done: float) -> None:
        if doing == "timing":
            raise StopError

    with pytest.raises(StopError):
        bench(seconds=QUICK, progress=stop, components={"mine": of_function(lambda: None)})
    with pytest.raises(ChildProcessError):
        os.waitpid(-1, os.WNOHANG)


# ---- Libraries that cannot be called, before anything is measured ----------------------------------------------------


def test_the_functions_that_a_library_exports(library: Path) -> None:
    exported = functions(library)
    assert {"spin", "walk", "walk_create"} <= set(exported)
    assert not {"table", "hidden", "abort", "puts"} & set(exported)


@pytest.mark.parametrize("name", ["libc.so.6", "libstdc++.so.6", "libm.so.6"])
def test_exports_are_those_that_pyelftools_reads(name: str) -> None:
    path = Path(f"/usr/lib/{os.uname().machine}-linux-gnu/{name}")
    if not path.exists():
        pytest.skip(f"there is no {path}")
    with path.open("rb") as file:
        table = ELFFile(file).get_section_by_name(".dynsym")
        defined = (symbol for symbol in table.iter_symbols() if isinstance(symbol["st_shndx"], int))
        # STT_LOOS is the number of GNU's IFUNC
        expected = {symbol.name for symbol in defined if symbol["st_info"]["type"] in ("STT_FUNC", "STT_LOOS")}
    assert set(functions(path)) == expected
    assert len(expected) > 100


@pytest.mark.parametrize(
    ("name", "complaint"),
    [
        ("walk_creat", "exports no function 'walk_creat'; did you mean walk_create"),
        ("table", "exports no function 'table'; it exports crash_at_once, "),
        ("puts", "exports no function 'puts'"),
    ],
)
def test_a_function_that_is_not_there_is_answered_with_those_that_are(library: Path, name: str, complaint: str) -> None:
    with pytest.raises(ArmprofError, match=complaint):
        of_library(library, name)


def test_a_library_of_another_architecture_is_refused_by_its_name(library: Path, tmp_path: Path) -> None:
    data = bytearray(library.read_bytes())
    data[18:20] = (243).to_bytes(2, "little")  # e_machine: RISC-V
    other = tmp_path / "libother.so"
    other.write_bytes(data)
    with pytest.raises(ArmprofError, match=rf"built for RISC-V, and this machine is {os.uname().machine}"):
        functions(other)


def test_what_is_no_shared_library_is_said_in_a_line(library: Path, tmp_path: Path) -> None:
    broken = tmp_path / "broken.so"
    for content, complaint in (
        (b"", "is no program or library"),
        (b"#!/bin/sh\n", "is no program or library"),
        (library.read_bytes()[:40], "ends too early"),
        (library.read_bytes()[:3000], "is a damaged ELF file"),
    ):
        broken.write_bytes(content)
        with pytest.raises(ArmprofError, match=complaint) as caught:
            functions(broken)
        assert "\n" not in str(caught.value)
    with pytest.raises(ArmprofError, match=r"cannot read .*: No such file"):
        functions(tmp_path / "none.so")


def test_a_library_that_the_loader_refuses_is_said_in_the_loaders_words(tmp_path: Path) -> None:
    (tmp_path / "half.c").write_text("void there(void); void here(void) { there(); }\n")
    half = tmp_path / "libhalf.so"
    subprocess.run(["cc", "-shared", "-fPIC", "-Wl,-z,now", "half.c", "-o", str(half)], check=True, cwd=tmp_path)
    with pytest.raises(ArmprofError, match=r"cannot be loaded: .*undefined symbol: there"):
        benched(of_library(half, "here"))


# ---- The verb --------------------------------------------------------------------------------------------------------


@pytest.fixture
def workplace(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(sys, "path", list(sys.path))
    monkeypatch.setattr(registry, "REGISTERED", {})
    return tmp_path


def names_in(path: Path) -> list[str]:
    return [component.name for component in file.read(path).components]


def test_symbols_named_on_the_command_line_are_what_is_benched(
    workplace: Path, library: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["bench", "--lib", str(library), "--symbol", "spin", "--seconds", "0.01"]) == 0
    assert names_in(workplace / "armprof-run.json") == ["spin"]
    words = ["bench", "risk", "spin", "--lib", str(library), "--symbol", "spin", "--seconds", "0.01"]
    assert main(words) == 0
    assert names_in(workplace / "armprof-run.json") == ["risk", "spin"]
    (workplace / "armprof.toml").write_text('[components.spin]\ncommand = "false"\n')
    assert main(words) == 0


def test_the_run_is_written_and_what_failed_is_said(
    workplace: Path, library: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    words = ["--symbol", "spin", "--symbol", "crash_at_once", "--seconds", "0.01"]
    assert main(["bench", "--lib", str(library), *words]) == 2
    out, err = capsys.readouterr()
    assert err.endswith("armprof: crash_at_once: SIGSEGV while it was warmed up\n")
    assert "spin" in out
    spin, crashed = file.read(workplace / "armprof-run.json").components
    check_figures(spin)
    assert crashed.failure == "SIGSEGV while it was warmed up"


@pytest.mark.parametrize(
    ("words", "complaint"),
    [
        (["--symbol", "spin"], "--symbol and --loop are of a shared library: --lib FILE"),
        (["--lib", "LIBRARY"], "--lib needs --symbol NAME; LIBRARY exports crash_at_once, "),
        (["--lib", "LIBRARY", "--symbol", "spim"], "LIBRARY exports no function 'spim'; did you mean spin?"),
        (["--module", "json"], "json registers no component; @armprof.component above a function does"),
        (["--module", "users/parts.py"], "a module is named as import names it: users.parts, not users/parts.py"),
        (["--module", "not_there"], "ModuleNotFoundError: No module named 'not_there'\n"),
        (["--config", "not_there.toml"], "cannot read not_there.toml: No such file"),
    ],
)
def test_wrong_words_are_said_in_a_line(
    workplace: Path, library: Path, capsys: pytest.CaptureFixture[str], words: list[str], complaint: str
) -> None:
    words = [word.replace("LIBRARY", str(library)) for word in words]
    assert main(["bench", *words]) == 2
    err = capsys.readouterr().err
    assert complaint.replace("LIBRARY", str(library)) in err
    assert err.count("\n") == 1


def test_what_armprof_toml_defines_is_benched_judged_and_reported(
    workplace: Path, library: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    (workplace / "users_parts.py").write_text(
        "import armprof\n@armprof.component(title='Row by row')\ndef rows(): pass\n".replace(
            "(title=", "('rows', title="
        )
    )
    (workplace / "armprof.toml").write_text(
        f"""
        [components]
        modules = ["users_parts"]
        [components.spin]
        library = "{library}"
        [budgets.spin]
        p50_ns = 0.001
        [targets.rows]
        p50_ns = 1e9
        """
    )
    monkeypatch.setattr("armprof.components.KERNELS", {})
    assert main(["budget"]) == 1
    out = capsys.readouterr().out
    assert "spin p50" in out
    assert "EXCEEDED" in out
    assert main(["report"]) == 0
    assert "Row by row" in capsys.readouterr().out


def test_reading_a_run_runs_nothing_of_the_user(workplace: Path, library: Path) -> None:
    (workplace / "users_trap.py").write_text("raise SystemExit('imported')\n")
    assert main(["bench", "--lib", str(library), "--symbol", "spin", "--seconds", "0.01"]) == 0
    (workplace / "armprof.toml").write_text('[components]\nmodules = ["users_trap"]\n')
    assert main(["report", "armprof-run.json"]) == 0
    assert main(["bench", "spin"]) == 2
