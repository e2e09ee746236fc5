"""Truncated, mutated and hostile files: one clear line, or what is left of the truth; never more.

ARMPROF_HOSTILE_INPUTS=50000 tries so many of each kind.
"""

from __future__ import annotations

import os
import struct
import tracemalloc
import zlib
from pathlib import Path

import pytest
from building import ARM64, build, build_split, needs, run
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from armprof.analysis.findings import uncounted
from armprof.binary import Binary
from armprof.binary.checks import inspect
from armprof.binary.elf import Elf
from armprof.binary.plt import stubs
from armprof.commands.inspect import target
from armprof.cpu import features
from armprof.errors import ArmprofError
from armprof.report import inspect as report

INPUTS = int(os.environ.get("ARMPROF_HOSTILE_INPUTS", "60"))
thorough = settings(max_examples=INPUTS, suppress_health_check=list(HealthCheck), database=None)

KINDS = {
    "whole": ("gcc", "-O2", "-g"),
    "old": ("gcc", "-O2", "-gdwarf-4"),
    "stripped": ("gcc", "-O2", "-s"),
    "packed": ("gcc", "-O2", "-g", "-gz"),
    "clang": ("clang", "-O2", "-g"),
}


def original(kind: str) -> bytes:
    """Little more than the code and what is said of it: a byte that is changed shall matter."""
    compiler, *flags = KINDS[kind]
    path = build(compiler, "frames.c", *flags, "-shared", "-nostdlib", "-fPIC", "-DLIBRARY", "-Wl,-z,noseparate-code")
    return path.read_bytes()


@pytest.fixture
def attempt(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    # a changed file still has its build id, and would be taken for what it was
    monkeypatch.setattr("armprof.binary.cache.load", lambda key: None)
    monkeypatch.setattr("armprof.binary.cache.save", lambda *kept: False)

    def attempted(data: bytes) -> None:
        path = tmp_path / "file"
        path.write_bytes(data)
        refusal = ""
        try:
            binary = Binary(path)
        except ArmprofError as error:
            refusal = str(error)
        if refusal:
            assert "\n" not in refusal
            assert str(path) in refusal
            return
        functions = binary.functions
        assert all(f.name for f in functions)
        addresses = [0, 2**64 - 1, *(f.start for f in functions[:20]), *range(0x1000, 0x1100, 7)]
        for address in addresses:
            binary.frames(address)
            binary.variable(address)
        list(binary.producers())
        repr((binary.elf.sections, binary.elf.notes, binary.elf.build_id, binary.elf.read(0x1000, 64)))

    return attempted


edits = st.lists(
    st.tuples(st.floats(0, 1, exclude_max=True), st.sampled_from([0, 1, 0x7F, 0x80, 0xFF]) | st.integers(0, 255)),
    min_size=1,
    max_size=12,
)


@pytest.mark.parametrize("kind", KINDS)
@thorough
@given(edits)
def test_changed_bytes(kind: str, attempt, changes: list[tuple[float, int]]) -> None:
    data = bytearray(original(kind))
    for place, byte in changes:
        data[int(place * len(data))] = byte
    attempt(bytes(data))


@pytest.mark.parametrize("kind", ["dwo", "dwp"])
@thorough
@given(edits)
def test_changed_bytes_of_what_is_kept_elsewhere(
    kind: str, attempt, tmp_path: Path, changes: list[tuple[float, int]]
) -> None:
    needs("llvm-dwp")
    flags = ("-O2", "-gdwarf-5", "-shared", "-nostdlib", "-fPIC", "-DLIBRARY", "-fno-split-dwarf-inlining")
    program = build_split("clang", "frames.c", *flags)
    (kept,) = program.parent.glob("*.dwo")
    if kind == "dwp":
        kept = program.parent / "kept.dwp"
        if not kept.exists():
            run("llvm-dwp", "-e", program, "-o", kept, cwd=program.parent)
    data = bytearray(kept.read_bytes())
    for place, byte in changes:
        data[int(place * len(data))] = byte
    (tmp_path / f"file.{kind}").write_bytes(data)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("armprof.binary.split._places", lambda one, programs: [tmp_path / "file.dwo"])
        attempt(program.read_bytes())


@thorough
@given(edits)
def test_inspecting_changed_bytes(attempt, tmp_path: Path, changes: list[tuple[float, int]]) -> None:
    data = bytearray(
        build(ARM64, "planted.c", "-O2", "-g", "-shared", "-nostdlib", "-fPIC", "-Wl,-z,noseparate-code").read_bytes()
    )
    for place, byte in changes:
        data[int(place * len(data))] = byte
    (tmp_path / "changed").write_bytes(data)
    refusal = ""
    try:
        inspection = inspect(tmp_path / "changed", target("neoverse-n1"), features.of_flag)
    except ArmprofError as error:
        refusal = str(error)
    if refusal:
        assert "\n" not in refusal
    else:
        assert report.render(uncounted(inspection), 3)
        assert report.render_json(uncounted(inspection))


@pytest.mark.parametrize("change", [(4, 8), (8, 0x802)], ids=["of a kind without bytes", "told to be packed"])
def test_the_stubs_of_libraries_whose_symbols_cannot_be_read_are_none(change: tuple[int, int], tmp_path: Path) -> None:
    """Relocations lead to the table of symbols whatever its header says of it."""
    data = bytearray(build(ARM64, "planted.c", "-O2").read_bytes())
    at, value = change
    headers = int.from_bytes(data[40:48], "little")
    names = [section.name for section in Elf(build(ARM64, "planted.c", "-O2")).sections]
    struct.pack_into("<I", data, headers + 64 * names.index(".dynsym") + at, value)
    (tmp_path / "changed").write_bytes(data)
    assert stubs(Elf(build(ARM64, "planted.c", "-O2")))
    assert stubs(Elf(tmp_path / "changed")) == {}


@pytest.mark.parametrize("kind", ["whole", "stripped"])
@thorough
@given(st.floats(0, 1))
def test_a_file_that_ends_too_early(kind: str, attempt, share: float) -> None:
    data = original(kind)
    attempt(data[: int(share * len(data))])


@pytest.mark.parametrize("kind", ["whole", "stripped"])
@thorough
@given(
    st.integers(16, 63),
    st.sampled_from([2, 4, 8]),
    st.sampled_from([0, 1, 0xFF, 0xFFFF, 2**31, 2**32 - 1, 2**63, 2**64 - 1]),
)
def test_numbers_of_the_header(kind: str, attempt, at: int, size: int, value: int) -> None:
    data = bytearray(original(kind))
    data[at : at + size] = (value % 256**size).to_bytes(size, "little")
    attempt(bytes(data))


@thorough
@given(
    st.integers(0, 40),
    st.sampled_from([0, 4, 8, 16, 24, 32, 40, 48, 56]),
    st.sampled_from([0, 1, 8, 0xFF, 0x7FFFFFFF, 2**32 - 1, 2**63 - 1, 2**63, 2**64 - 1]),
)
def test_numbers_of_the_section_headers(attempt, section: int, at: int, value: int) -> None:
    data = bytearray(original("whole"))
    place = int.from_bytes(data[40:48], "little") + 64 * section + at
    size = 4 if at in (0, 4, 40) else 8
    if place + size <= len(data):
        data[place : place + size] = (value % 256**size).to_bytes(size, "little")
    attempt(bytes(data))


@thorough
@given(st.binary(max_size=300))
def test_anything_after_the_first_bytes(attempt, data: bytes) -> None:
    attempt(b"\x7fELF\x02\x01\x01" + bytes(9) + data)


@pytest.mark.parametrize(
    ("content", "told"),
    [
        (b"", "is no program or library: it does not start as an ELF file does"),
        (b"#!/bin/sh\n", "is no program or library: it does not start as an ELF file does"),
        (b"\x7fELF", "is no 64-bit little-endian ELF file, as those of ARM64 are, or ends too early"),
        (b"\x7fELF\x01\x01" + bytes(100), "is no 64-bit little-endian ELF file"),
        (b"\x7fELF\x02\x02" + bytes(100), "is no 64-bit little-endian ELF file"),
    ],
)
def test_what_is_no_such_file(content: bytes, told: str, tmp_path: Path) -> None:
    (tmp_path / "file").write_bytes(content)
    with pytest.raises(ArmprofError, match=f"{tmp_path}/file {told}"):
        Binary(tmp_path / "file")


def test_what_cannot_be_read(tmp_path: Path) -> None:
    with pytest.raises(ArmprofError, match=r"cannot read .*/nothing: No such file or directory"):
        Binary(tmp_path / "nothing")
    with pytest.raises(ArmprofError, match=r"cannot read .*: Is a directory"):
        Binary(tmp_path)


def test_what_has_no_end_or_waits_for_one_is_not_read(tmp_path: Path) -> None:
    """Recordings of others name files, and the names may be of anything."""
    os.mkfifo(tmp_path / "pipe")
    for path in (tmp_path / "pipe", Path("/dev/zero")):
        with pytest.raises(ArmprofError, match=f"cannot read {path}: it is a device or a pipe"):
            Binary(path)


def test_an_object_file_has_no_addresses_yet(tmp_path: Path) -> None:
    source = tmp_path / "empty.c"
    source.write_text("int f(void) { return 1; }\n")
    run("gcc", "-c", source, "-o", tmp_path / "empty.o")
    with pytest.raises(ArmprofError, match=r"empty[.]o is an object file, which has no addresses yet: link it"):
        Binary(tmp_path / "empty.o")


def elf_with(**sections: bytes) -> bytes:
    """A library of one page of code at 0x1000, and these sections of debug information."""
    names, data = b"\0.text\0", bytearray(64 + 0x1000)
    headers = [bytes(64), struct.pack("<IIQQQQIIQQ", 1, 1, 6, 0x1000, 64, 0x1000, 0, 0, 16, 0)]
    for name, content in sections.items():
        headers.append(
            struct.pack(
                "<IIQQQQIIQQ", len(names), 1, 0x800 * name.startswith("packed_"), 0, len(data), len(content), 0, 0, 1, 0
            )
        )
        names += f".debug_{name.removeprefix('packed_')}".encode() + b"\0"
        data += content
    headers.append(struct.pack("<IIQQQQIIQQ", 0, 3, 0, 0, len(data), len(names), 0, 0, 1, 0))
    data += names
    header = b"\x7fELF\x02\x01\x01" + bytes(9)
    header += struct.pack(
        "<HHIQQQIHHHHHH", 3, 183, 1, 0, 0, len(data), 0, 64, 56, 0, 64, len(headers), len(headers) - 1
    )
    return header + bytes(data[64:]) + b"".join(headers)


def unit(body: bytes, version: int = 4) -> bytes:
    return struct.pack("<IHIB", len(body) + 7, version, 0, 8) + body


def test_a_section_that_unpacks_to_gigabytes_is_left_packed(tmp_path: Path) -> None:
    packed = struct.pack("<IIQQ", 1, 0, 1 << 33, 1) + zlib.compress(bytes(1 << 22))
    (tmp_path / "file").write_bytes(elf_with(packed_info=packed))
    tracemalloc.start()
    Binary(tmp_path / "file")
    assert tracemalloc.get_traced_memory()[1] < 1 << 22
    tracemalloc.stop()


def test_units_that_all_read_one_long_line_program_come_to_an_end(tmp_path: Path) -> None:
    """Each unit would begin it at another place: the square of the file's size is a day of work."""
    abbreviations = bytes([1, 0x11, 0, 0x10, 0x17, 0, 0, 0])
    units = b"".join(unit(b"\x01" + i.to_bytes(4, "little")) for i in range(40_000))
    header = struct.pack("<IHIBBBbBB", 0x7FFFFFF0, 3, 7, 1, 1, 0, 1, 1, 1)
    (tmp_path / "file").write_bytes(elf_with(info=units, abbrev=abbreviations, line=header * 20_000))
    assert Binary(tmp_path / "file").functions == []


def test_functions_that_all_have_one_long_list_of_ranges_come_to_an_end(tmp_path: Path) -> None:
    abbreviations = bytes([1, 0x11, 1, 0, 0, 2, 0x2E, 0, 0x55, 0x17, 0, 0, 0])
    entries = b"\x01" + b"\x02\0\0\0\0" * 100_000 + b"\0"
    ranges = b"".join(struct.pack("<QQ", 0x1000 + i % 100, 0x1001 + i % 100) for i in range(50_000))
    (tmp_path / "file").write_bytes(elf_with(info=unit(entries), abbrev=abbreviations, ranges=ranges))
    binary = Binary(tmp_path / "file")
    assert not binary.complete


def test_entries_within_entries_without_end(tmp_path: Path) -> None:
    abbreviations = bytes([1, 0x11, 1, 0, 0, 2, 0x1D, 1, 0x11, 0x01, 0x12, 0x0B, 0, 0, 0])
    entries = b"\x01" + (b"\x02" + (0x1000).to_bytes(8, "little") + b"\x10") * 100_000
    (tmp_path / "file").write_bytes(elf_with(info=unit(entries), abbrev=abbreviations))
    assert len(Binary(tmp_path / "file").frames(0x1000)) == 100_000


def test_an_entry_that_is_an_instance_of_itself(tmp_path: Path) -> None:
    abbreviations = bytes([1, 0x11, 1, 0, 0, 2, 0x2E, 0, 0x31, 0x13, 0x11, 0x01, 0x12, 0x0B, 0, 0, 0])
    entries = b"\x01\x02" + (12).to_bytes(4, "little") + (0x1000).to_bytes(8, "little") + b"\x10\0"
    (tmp_path / "file").write_bytes(elf_with(info=unit(entries), abbrev=abbreviations))
    assert [f.function for f in Binary(tmp_path / "file").frames(0x1000)] == ["?"]
