"""Debug information that units keep in files of their own: told as that of a program which has it all, or what is lost."""

from __future__ import annotations

import os
import resource
import shutil
import struct
from pathlib import Path

import pytest
from building import ARM64, build, build_split, needs, run

from armprof import cli
from armprof.binary import Binary
from armprof.binary.elf import Elf
from armprof.binary.layout import DataLayout
from armprof.binary.split import Skeleton, read

# clang's own way to have inlined calls all the same is switched off: then only the .dwo file tells of them
MAKES = {
    "gcc, DWARF 5": ("gcc", "-gdwarf-5"),
    "gcc, DWARF 4": ("gcc", "-gdwarf-4"),
    "clang, DWARF 5": ("clang", "-gdwarf-5", "-fno-split-dwarf-inlining"),
    "clang, DWARF 4": ("clang", "-gdwarf-4", "-fno-split-dwarf-inlining"),
    "ARM64, DWARF 5": (ARM64, "-gdwarf-5"),
}
# Binutils 2.40 make packages of DWARF 4 alone, LLVM 14 none of what GCC makes in DWARF 5.
PACKAGES = {
    "dwp, gcc, DWARF 4": ("dwp", "gcc, DWARF 4"),
    "llvm-dwp, gcc, DWARF 4": ("llvm-dwp", "gcc, DWARF 4"),
    "llvm-dwp, clang, DWARF 4": ("llvm-dwp", "clang, DWARF 4"),
    "llvm-dwp, clang, DWARF 5": ("llvm-dwp", "clang, DWARF 5"),
}


def whole_and_split(how: str, source: str = "frames.c") -> tuple[Binary, Path]:
    compiler, *flags = MAKES[how]
    common = [flag for flag in flags if flag != "-fno-split-dwarf-inlining"]
    return Binary(build(compiler, source, "-O2", *common)), build_split(compiler, source, "-O2", *flags)


def copied(program: Path, to: Path) -> Path:
    """The program in another place, its unit's file not beside it."""
    to.mkdir(exist_ok=True)
    return Path(shutil.copy(program, to / "program"))


def addresses(binary: Binary) -> list[int]:
    return [address for f in binary.functions if not f.name.startswith("_") for address in range(f.start, f.end)]


def assert_same(whole: Binary, split: Binary) -> None:
    assert list(split.functions) == list(whole.functions)
    assert any(len(whole.frames(a)) > 1 for a in addresses(whole))
    for address in addresses(whole):
        assert split.frames(address) == whole.frames(address)


@pytest.mark.parametrize("how", MAKES)
def test_every_frame_is_that_of_a_program_that_is_whole(how: str) -> None:
    whole, program = whole_and_split(how)
    split = Binary(program)
    assert_same(whole, split)
    assert split.lacking is None
    assert [name for name, _ in split.producers()] == [name for name, _ in whole.producers()]


@pytest.mark.parametrize("how", PACKAGES)
def test_a_package_beside_the_program_tells_the_same(how: str, tmp_path: Path) -> None:
    tool, make = PACKAGES[how]
    needs(tool)
    whole, program = whole_and_split(make)
    moved = copied(program, tmp_path / "moved")
    run(tool, "-e", program, "-o", f"{moved}.dwp", cwd=program.parent)
    found = read(Binary(program).skeletons, [moved])
    assert len(found) == 1
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("armprof.binary.split._places", lambda one, programs: ())
        assert_same(whole, Binary(moved))


SECOND = """
struct kept { int first; long second; };
struct kept kept = {1, 2};
static inline __attribute__((always_inline)) int inner(int n) { return n * 3 + kept.first; }
__attribute__((noinline)) int second(int n) { volatile int sum = inner(n); return sum + (int)kept.second; }
"""
PARTS = {1: "info", 3: "abbrev", 4: "line", 5: "loclists", 6: "str_offsets", 8: "rnglists"}  # section 7.3.5


def packed(ids: list[int], units: list[Path]) -> bytes:
    """The package of these files as DWARF 5 defines it: section after section, texts too, and where each unit's part is."""
    from test_hostile import elf_with

    whole = dict.fromkeys([*PARTS.values(), "str"], b"")
    starts, sizes = [], []
    for path in units:
        own = {name: bytes(Elf(path, is_split=True).debug(name)) for name in whole}
        table = own["str_offsets"]
        texts = [len(whole["str"]) + at for (at,) in struct.iter_unpack("<I", table[8:])]
        own["str_offsets"] = table[:8] + struct.pack(f"<{len(texts)}I", *texts)
        starts += [len(whole[name]) for name in PARTS.values()]
        sizes += [len(own[name]) for name in PARTS.values()]
        for name, content in own.items():
            whole[name] += content
    rows = range(1, len(ids) + 1)
    index = struct.pack("<IIII", 5, len(PARTS), len(ids), len(ids))
    index += struct.pack(f"<{len(ids)}Q", *ids) + struct.pack(f"<{len(ids)}I", *rows)
    index += struct.pack(f"<{len(PARTS)}I", *PARTS)
    index += struct.pack(f"<{2 * len(starts)}I", *starts, *sizes)
    return elf_with(cu_index=index, **{f"{name}.dwo": content for name, content in whole.items()})


@pytest.mark.parametrize("compiler", ["gcc", "clang", ARM64])
@pytest.mark.parametrize("level", ["-O0", "-O2"])
def test_a_package_of_several_units_in_dwarf_5(compiler: str, level: str, tmp_path: Path) -> None:
    """As no tool makes of what GCC wrote: dwp of binutils 2.44 leaves its units out, llvm-dwp 19 does not come to an end."""
    needs(compiler)
    build_source(tmp_path)
    (tmp_path / "second.c").write_text(SECOND)
    command = (compiler, level, "-gdwarf-5", "frames.c", "second.c", "-o")
    own = ("-fno-split-dwarf-inlining",) if compiler == "clang" else ()
    run(*command, "whole", cwd=tmp_path)
    run(*command, "program", "-gsplit-dwarf", *own, cwd=tmp_path)
    skeletons = Binary(tmp_path / "program").skeletons
    moved = copied(tmp_path / "program", tmp_path / "moved")
    files = [tmp_path / one.name for one in skeletons]
    (tmp_path / "moved" / "program.dwp").write_bytes(packed([one.id for one in skeletons], files))
    for path in files:
        path.unlink()
    split = Binary(moved)
    assert split.lacking is None
    assert_same(Binary(tmp_path / "whole"), split)
    assert {v.name for v in DataLayout(split).variables} >= {"kept", "input", "zeroed"}


def test_a_package_without_the_units_is_said_to_be_one(alone: Path) -> None:
    """Binutils 2.44 pass over units of DWARF 5 and make one without a word: to be told to put it there is no help."""
    from test_hostile import elf_with

    next((alone.parent.parent / "made").glob("*.dwo")).unlink()
    (alone.parent / "program.dwp").write_bytes(elf_with(**{"info.dwo": b"", "cu_index": package(2, [])}))
    lacking = Binary(alone).lacking
    assert lacking is not None
    assert lacking.endswith("; program.dwp has nothing of them: put the .dwo files beside program")


@pytest.mark.parametrize("how", ["gcc, DWARF 5", "gcc, DWARF 4", "clang, DWARF 5"])
def test_structures_and_variables_of_split_units(how: str) -> None:
    compiler, *flags = MAKES[how]
    whole = DataLayout(Binary(build(compiler, "planted.c", "-O2", flags[0])))
    split = DataLayout(Binary(build_split(compiler, "planted.c", "-O2", *flags)))
    assert {"counters", "padded"} <= {variable.name for variable in whole.variables}
    assert set(split.structures) == set(whole.structures)
    assert {str(v) for v in split.variables} == {str(v) for v in whole.variables}


@pytest.fixture
def alone(tmp_path: Path) -> Path:
    """A program of which the unit's file is gone."""
    (tmp_path / "made").mkdir()
    run("gcc", "-O2", "-gdwarf-5", "-gsplit-dwarf", build_source(tmp_path), "-o", "program", cwd=tmp_path / "made")
    return copied(tmp_path / "made" / "program", tmp_path / "moved")


def build_source(folder: Path) -> Path:
    for name in ("frames.c", "frames.h"):
        shutil.copy(Path(__file__).parent / "programs" / name, folder / name)
    return folder / "frames.c"


def test_without_the_file_lines_and_functions_are_told_and_what_is_lost(alone: Path) -> None:
    (dwo,) = (alone.parent.parent / "made").glob("*.dwo")
    kept = dwo.rename(alone.parent.parent / "kept")
    binary = Binary(alone)
    outer = next(f for f in binary.functions if f.name == "outer")
    assert binary.debug == str(alone)
    assert all(binary.line(address) for address in range(outer.start, outer.end))
    assert all(len(binary.frames(address)) == 1 for address in range(outer.start, outer.end))
    assert binary.lacking is not None
    assert "\n" not in binary.lacking
    assert binary.lacking.startswith(
        f"1 of 1 units keep their debug information in files that are not there ({dwo.name} in "
    )
    # once it is there again, what was kept of the program is no longer true
    kept.rename(alone.parent / dwo.name)
    assert Binary(alone).lacking is None
    assert any(len(Binary(alone).frames(address)) == 3 for address in range(outer.start, outer.end))


def test_the_file_is_also_found_in_the_folders_for_debug_information(
    alone: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (dwo,) = (tmp_path / "made").glob("*.dwo")
    (tmp_path / "debug").mkdir()
    dwo.rename(tmp_path / "debug" / dwo.name)
    assert Binary(alone).lacking
    monkeypatch.setenv("ARMPROF_DEBUG_PATH", str(tmp_path / "debug"))
    assert Binary(alone).lacking is None


def test_a_file_of_another_unit_is_not_taken(alone: Path, tmp_path: Path) -> None:
    (dwo,) = (tmp_path / "made").glob("*.dwo")
    run("gcc", "-O1", "-DOTHER", "-gdwarf-5", "-gsplit-dwarf", tmp_path / "frames.c", "-o", "other", cwd=tmp_path)
    (other,) = tmp_path.glob("*.dwo")
    other.rename(dwo)
    assert Binary(alone).lacking


def test_more_units_than_files_may_be_open(alone: Path, tmp_path: Path) -> None:
    (dwo,) = (tmp_path / "made").glob("*.dwo")
    skeletons = [Skeleton(number, f"{number}.dwo", str(tmp_path)) for number in range(100)]
    for one in skeletons:
        shutil.copy(dwo, tmp_path / one.name)
    most = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (len(os.listdir("/proc/self/fd")) + 20, most[1]))
    try:
        assert len(read(skeletons, [alone])) == 100
    finally:
        resource.setrlimit(resource.RLIMIT_NOFILE, most)


def test_inspect_says_what_is_lost(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    program = copied(build_split(ARM64, "frames.c", "-O2", "-g"), tmp_path / "moved")
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("armprof.binary.split._places", lambda one, programs: ())
        assert cli.main(["inspect", str(program)]) == 0
    assert "keep their debug information in files that are not there" in " ".join(capsys.readouterr().out.split())


def test_samples_say_what_is_lost(alone: Path) -> None:
    from armprof.samples.names import lacking

    assert list(lacking([str(alone), "[vdso]", "/no/such/file"])) == []
    next((alone.parent.parent / "made").glob("*.dwo")).unlink()
    (told,) = lacking([str(alone), str(alone)])
    assert told == Binary(alone).lacking


def package(version: int, rows: list[tuple[int, int, int]], slots: int | None = None) -> bytes:
    """An index of units: of each its id, and where in .debug_info.dwo it is."""
    count = len(rows)
    slots = count if slots is None else slots
    index = struct.pack("<IIII", version, 1, count, slots)
    index += b"".join(struct.pack("<Q", id) for id, _, _ in rows) + bytes(8 * (slots - count))
    index += b"".join(struct.pack("<I", n + 1) for n in range(count)) + bytes(4 * (slots - count))
    index += struct.pack("<I", 1)
    return (
        index
        + b"".join(struct.pack("<I", at) for _, at, _ in rows)
        + b"".join(struct.pack("<I", n) for _, _, n in rows)
    )


@pytest.mark.parametrize(
    ("version", "rows", "found"),
    [
        (5, [(7, 0, 40), (8, 40, 60)], {7: 40, 8: 60}),
        (2, [(7, 60, 40)], {7: 40}),
        (5, [(7, 90, 40)], {7: 10}),  # it ends before
        (5, [(id, 0, 100) for id in range(7, 1007)], {}),  # each is all of the file
        (4, [(7, 0, 40)], {}),  # of no version
    ],
)
def test_the_index_of_a_package(version: int, rows: list, found: dict[int, int], tmp_path: Path) -> None:
    from test_hostile import elf_with

    sections = {"info.dwo": bytes(100), "cu_index": package(version, rows)}
    (tmp_path / "program.dwp").write_bytes(elf_with(**sections))
    units = read([Skeleton(id, "", "") for id, _, _ in rows], [tmp_path / "program"])
    assert {unit.id: len(unit.sections["info"]) for unit in units} == found


@pytest.mark.parametrize("cut", [0, 1, 15, 16, 30, 47])
def test_an_index_that_ends_too_early_is_of_no_package(cut: int, tmp_path: Path) -> None:
    from test_hostile import elf_with

    whole = package(5, [(7, 0, 40), (8, 40, 60)])
    (tmp_path / "program.dwp").write_bytes(elf_with(**{"info.dwo": bytes(100), "cu_index": whole[:cut]}))
    assert read([Skeleton(7, "", "")], [tmp_path / "program"]) == []
