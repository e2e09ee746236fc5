"""The hash of machine code: the same code in another place is the same, and any other instruction is another."""

from __future__ import annotations

import shutil
import subprocess
from pathlib import Path

import pytest

from armprof.binary import fingerprint
from armprof.components.processes import code_of

ADRP_X0, ADD_X0, LDR_X1 = 0x90000000, 0x91000000, 0xF9400001  # of x0: add x0, x0, #0; ldr x1, [x0]
BL, B, RET, NOP = 0x94000000, 0x14000000, 0xD65F03C0, 0xD503201F


def told(*words: int, at: int = 0x1000) -> bytes:
    return fingerprint.unplaced([at + 4 * i for i in range(len(words))], words)


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ((BL | 100, RET), (BL | 7, RET)),
        ((B | 100,), (B | 7,)),  # out of the function
        ((ADRP_X0 | 5 << 5, ADD_X0 | 8 << 10), (ADRP_X0 | 9 << 5, ADD_X0 | 16 << 10)),
        ((ADRP_X0, LDR_X1 | 1 << 10, LDR_X1 | 2 << 10), (ADRP_X0 | 1 << 29, LDR_X1 | 3 << 10, LDR_X1 | 4 << 10)),
    ],
    ids=["call", "tail call", "address of data", "loads from a page"],
)
def test_what_depends_on_the_place_is_left_out(one: tuple[int, ...], other: tuple[int, ...]) -> None:
    assert told(*one) == told(*other, at=0x77000)


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ((NOP, RET), (RET,)),
        ((B | 2, NOP, RET), (B | 1, NOP, RET)),  # within the function
        ((ADD_X0 | 8 << 10,), (ADD_X0 | 16 << 10,)),  # a number, not a place
        ((LDR_X1 | 1 << 10,), (LDR_X1 | 2 << 10,)),  # another field
        ((ADRP_X0, ADD_X0, LDR_X1 | 1 << 10), (ADRP_X0, ADD_X0, LDR_X1 | 2 << 10)),  # x0 is an object from the add on
        ((ADRP_X0, BL, LDR_X1 | 1 << 10), (ADRP_X0, BL, LDR_X1 | 2 << 10)),  # and what the call returned here
    ],
    ids=["instruction", "jump", "number", "field", "field of an object", "field of a result"],
)
def test_what_does_not_is_not(one: tuple[int, ...], other: tuple[int, ...]) -> None:
    assert told(*one) != told(*other)


@pytest.mark.parametrize("compiler", ["cc", "aarch64-linux-gnu-gcc"])
def test_a_library_that_was_built_twice_has_the_same_code(compiler: str, tmp_path: Path) -> None:
    one, other = (build(compiler, tmp_path / name, "") for name in ("one.so", "other.so"))
    assert fingerprint.of_file(one, "f") == fingerprint.of_file(other, "f") is not None
    assert fingerprint.of_file(one, "f") != fingerprint.of_file(one, "g")
    assert fingerprint.of_file(one, "f") != fingerprint.of_file(build(compiler, tmp_path / "more.so", "-DMORE"), "f")


def test_what_a_function_does_not_reach_is_not_in_its_hash(tmp_path: Path) -> None:
    """On ARM64: the other function moves this one, its data and what it calls."""
    one = build("aarch64-linux-gnu-gcc", tmp_path / "one.so", "")
    other = build("aarch64-linux-gnu-gcc", tmp_path / "other.so", "-DLONGER")
    assert fingerprint.of_file(one, "f") == fingerprint.of_file(other, "f")
    assert fingerprint.of_file(one, "g") != fingerprint.of_file(other, "g")
    called = build("aarch64-linux-gnu-gcc", tmp_path / "called.so", "-DDEEPER")
    assert fingerprint.of_file(one, "f") != fingerprint.of_file(called, "f")


def build(compiler: str, out: Path, flag: str) -> Path:
    if shutil.which(compiler) is None:
        pytest.skip(f"there is no {compiler}")
    source = out.with_suffix(".c")
    source.write_text(
        """
        long table[100];
        #ifdef LONGER
        long before[7];
        void g(void) { for (int i = 0; i < 7; i++) before[i] += table[i]; }
        #else
        void g(void) {}
        #endif
        #ifdef DEEPER
        __attribute__((noinline)) static long deep(long x) { return x * 7 + table[1]; }
        #else
        __attribute__((noinline)) static long deep(long x) { return x * 3 + table[1]; }
        #endif
        #ifdef MORE
        void f(void) { table[2] += deep(table[0]) + table[3]; }
        #else
        void f(void) { table[2] += deep(table[0]); }
        #endif
        """
    )
    flags = ["-O2", "-fPIC", "-shared", "-nostdlib", "-fno-unroll-loops"]
    done = subprocess.run(
        [compiler, *flags, *filter(None, [flag]), str(source), "-o", str(out)],
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    return out


def test_what_is_no_elf_file_has_no_code(tmp_path: Path) -> None:
    (tmp_path / "text").write_text("text")
    damaged = tmp_path / "damaged"
    damaged.write_bytes(b"\x7fELF\x02\x01\x01" + b"\xff" * 100)
    assert [fingerprint.of_file(tmp_path / name) for name in ("text", "damaged", "absent", ".")] == [None] * 4


def test_the_code_of_a_command_is_its_program_and_the_files_that_it_names(tmp_path: Path) -> None:
    script = tmp_path / "script.sh"
    script.write_text("exit 0")
    before = code_of(["sh", str(script)])
    assert before == code_of(["sh", str(script)]) is not None
    script.write_text("exit 1")
    assert code_of(["sh", str(script)]) != before
    assert code_of(["no-such-program-anywhere"]) is None
