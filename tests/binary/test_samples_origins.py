"""Samples that are late or shared out by time: where they come from, of each kind of instruction."""

from __future__ import annotations

import shutil
from dataclasses import replace
from pathlib import Path

import pytest
from building import ARM64, PROGRAMS, build

from armprof.binary import Binary
from armprof.binary.code import Code
from armprof.counters.reading import Count, Status
from armprof.run.record import Origin
from armprof.samples import Row, Samples
from armprof.samples.names import frames_of
from armprof.samples.origins import origins
from armprof.samples.profile import Frame, Thread
from armprof.samples.trace import EXACT, Losses, Sampled

FLAGS = ("-O2", "-g", "-static", "-moutline-atomics")
MISPREDICTS = Sampled("br_mis_pred_retired", Count("br_mis_pred_retired", 100, 100, 1, 1, Status.COUNTED), "", "late")


@pytest.fixture(scope="module")
def program() -> Path:
    return build(ARM64, "origins.c", *FLAGS)


def line(text: str) -> int:
    """The line of the source that has the text."""
    source = (PROGRAMS / "origins.c").read_text().splitlines()
    return next(number for number, one in enumerate(source, 1) if text in one)


def sampled(program: Path, *stacks: list[int], event: Sampled = MISPREDICTS) -> Samples:
    """Samples with these addresses, the place of the sample first; ten of each stack."""
    binary = Binary(program)
    frames: dict[Frame, int] = {}
    numbers = [
        tuple(frames.setdefault(f, len(frames)) for each in frames_of(binary, str(program), stack) for f in each)
        for stack in stacks
    ]
    rows = tuple(Row(0, 0, number, 10, 10) for number in range(len(stacks)))
    return Samples(
        (event,), tuple(frames), tuple(numbers), (Thread(1, 1, "x"),), rows, Losses(), 1, 1, "origins", core=None
    )


def start(program: Path, function: str) -> int:
    return next(f.start for f in Binary(program).functions if f.name == function)


def calls(program: Path, function: str) -> dict[int, int]:
    """The calls of a function: where each leads to, or 0, and the place that a stack has of it, its last byte."""
    code = Code(Binary(program), [f for f in Binary(program).functions if f.name == function])
    numbers = code.of_kind("call", "indirect_call").nonzero()[0].tolist()
    return {int(code.targets[n]): int(code.addresses[n]) + 3 for n in numbers}


def of_kind(kind: str, found: tuple[Origin, ...]) -> dict[int | None, float]:
    """By line of the origin what was sampled behind it."""
    return {
        o.place.line: sum(share.counts["br_mis_pred_retired"] for share in o.sampled) for o in found if o.kind == kind
    }


def test_what_a_handler_has_of_mispredicts_comes_from_the_call(program: Path) -> None:
    call = calls(program, "serve")[0]
    found = origins(sampled(program, [start(program, "bid"), call], [start(program, "ask") + 4, call]))
    assert of_kind("indirect", found) == {line("here: a register"): 20}
    (origin,) = (o for o in found if o.kind == "indirect")
    assert origin.place.function == "serve"
    assert {share.place.function for share in origin.sampled} == {"bid", "ask"}


def test_a_caller_that_the_stack_lacks_is_the_function_that_the_next_one_calls(program: Path) -> None:
    """A handler keeps no frame: the next return address is that of the call of `serve`."""
    to_serve = calls(program, "main")[start(program, "serve")]
    found = origins(sampled(program, [start(program, "bid"), to_serve]))
    assert of_kind("indirect", found) == {line("here: a register"): 10}


def test_of_two_calls_that_it_may_be_none_is_told(program: Path) -> None:
    to_twice = calls(program, "main")[start(program, "serve_twice")]
    assert of_kind("indirect", origins(sampled(program, [start(program, "bid"), to_twice]))) == {}


@pytest.mark.parametrize(
    "how", [FLAGS, ("-O2", "-g", "-shared", "-fPIC")], ids=["in place", "through its linkage table"]
)
def test_what_is_called_directly_has_it_from_before_the_call(how: tuple[str, ...]) -> None:
    program = build(ARM64, "origins.c", *how)
    (call,) = calls(program, "shared").values()
    found = origins(sampled(program, [start(program, "weight"), call]))
    assert of_kind("divide", found) == {line("here: a divide"): 10}


def test_without_a_caller_what_a_handler_has_comes_from_nowhere(program: Path) -> None:
    assert of_kind("indirect", origins(sampled(program, [start(program, "bid")]))) == {}


def test_a_helper_of_an_atomic_operation_is_where_it_is_called(program: Path) -> None:
    helper = start(program, "__aarch64_ldadd8_relax")
    found = origins(sampled(program, [helper + 8, calls(program, "counted")[helper]], [start(program, "counted") + 16]))
    assert of_kind("atomic", found) == {line("here: a helper"): 20}


def test_a_place_in_the_function_itself_needs_no_caller(program: Path) -> None:
    found = origins(sampled(program, [start(program, "bid") + 16]))
    assert sum(of_kind("store", found).values()) == 10


def test_what_the_core_put_on_its_instruction_stays_there(program: Path) -> None:
    call = calls(program, "serve")[0]
    assert origins(sampled(program, [call - 3], event=replace(MISPREDICTS, skid=EXACT))) == ()
    assert origins(replace(sampled(program, [call - 3]), source="imported")) == ()


def test_of_another_file_of_the_same_name_nothing_is_told(program: Path, tmp_path: Path) -> None:
    """It was built anew since it was sampled."""
    other = tmp_path / "program"
    shutil.copy(program, other)
    call = calls(program, "serve")[0]
    found = sampled(other, [call - 3])
    assert of_kind("indirect", origins(found)) == {line("here: a register"): 10}
    shutil.copy(build(ARM64, "origins.c", "-O1", *FLAGS[1:]), other)
    assert origins(found) == ()
    other.unlink()
    assert origins(found) == ()


def test_of_another_machine_nothing_is_told() -> None:
    here = build("cc", "origins.c", "-O2", "-g")
    if Binary(here).elf.machine == 183:
        pytest.skip("this is an ARM64 machine")
    assert origins(sampled(here, [start(here, "serve")])) == ()
