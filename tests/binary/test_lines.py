"""Functions, lines and inlined calls, as the binutils and LLVM tell them, of what GCC and clang make."""

from __future__ import annotations

import json
import re
import shutil
from itertools import pairwise
from pathlib import Path

import pytest
from building import ARM64, PROGRAMS, build, needs, run

from armprof.binary import Binary

INLINED = ("squared", "twice_squared", "outer")
ROW = re.compile(r"^(\S+) +(\d+|-) +(0x[0-9a-f]+)", re.MULTILINE)
MARK = re.compile(r"/\* line: (.*) \*/")

FLAGS = {
    "DWARF 5": ("-gdwarf-5",),
    "DWARF 4": ("-gdwarf-4",),
    "DWARF 3": ("-gdwarf-3",),
    "PIE": ("-g", "-pie", "-fPIE"),
    "not PIE": ("-g", "-no-pie", "-fno-pie"),
    "shared": ("-g", "-shared", "-fPIC", "-DLIBRARY"),
    "packed": ("-g", "-gz"),
    "sections": ("-g", "-ffunction-sections", "-Wl,--gc-sections"),
}
COMPILERS = {"gcc": "addr2line", "clang": "addr2line", ARM64: "aarch64-linux-gnu-addr2line"}


def marks() -> dict[str, tuple[str, int]]:
    """The lines of the sources that say what they are."""
    return {
        match[1]: (name, number)
        for name in ("frames.c", "frames.h")
        for number, line in enumerate((PROGRAMS / name).read_text().splitlines(), 1)
        if (match := MARK.search(line))
    }


def every_address(binary: Binary) -> list[int]:
    step = 4 if binary.elf.machine_name == "ARM64" else 1
    own = [f for f in binary.functions if f.name in ("outer", "local", "exported", "main")]
    return [address for f in own for address in range(f.start, f.end, step)]


def place(file: str, line: int) -> tuple[str, int]:
    """Line 0 is code that the compiler made of no line."""
    return (Path(file).name, line) if line else ("?", 0)


def ours(binary: Binary, address: int) -> list[tuple[str, int]]:
    return [place(*(f.line or ("?", 0))) for f in binary.frames(address)]


def by_addr2line(tool: str, path: Path, addresses: list[int]) -> list[list[tuple[str, int]]]:
    told: list[list[tuple[str, int]]] = []
    for line in run(tool, "-a", "-i", "-e", path, *map(hex, addresses)).splitlines():
        if line.startswith("0x"):
            told.append([])
        else:
            file, number = line.split(" (discriminator")[0].rsplit(":", 1)
            told[-1].append(place(file, 0 if number == "?" else int(number)))
    return told


@pytest.mark.parametrize("how", FLAGS)
@pytest.mark.parametrize("compiler", COMPILERS)
def test_every_instruction_has_the_lines_that_addr2line_tells(compiler: str, how: str) -> None:
    needs(COMPILERS[compiler])
    binary = Binary(build(compiler, "frames.c", "-O2", *FLAGS[how]))
    addresses = every_address(binary)
    assert len(addresses) > 20
    assert [ours(binary, a) for a in addresses] == by_addr2line(COMPILERS[compiler], binary.path, addresses)


def by_readelf(path: Path) -> list[tuple[int, str, str]]:
    """The rows of the line table: an address, the file and the line from there on, "-" where nothing follows."""
    told = run("readelf", "-W", "--debug-dump=decodedline", path)
    return [(int(row[3], 16), row[1], row[2]) for row in ROW.finditer(told)]


@pytest.mark.parametrize("how", FLAGS)
@pytest.mark.parametrize("compiler", COMPILERS)
def test_every_instruction_has_the_row_that_readelf_decodes(compiler: str, how: str) -> None:
    """What decides where addr2line differs: of large files it names that of the unit in place of a header."""
    needs("readelf")
    binary = Binary(build(compiler, "frames.c", "-O2", *FLAGS[how]))
    rows = by_readelf(binary.path)
    for address in every_address(binary):
        before = [
            (at, file, line) for (at, file, line), (end, *_) in pairwise(rows) if line != "-" and at <= address < end
        ]
        ((_, file, line),) = before
        assert ours(binary, address)[0] == place(file, int(line))


@pytest.mark.parametrize("how", ["DWARF 5", "DWARF 4"])
def test_every_instruction_has_the_lines_that_llvm_tells(how: str) -> None:
    needs("llvm-symbolizer")
    binary = Binary(build("clang", "frames.c", "-O2", *FLAGS[how]))
    addresses = every_address(binary)
    told = run("llvm-symbolizer", "--output-style=JSON", "-e", binary.path, input="\n".join(map(hex, addresses)))
    for address, line in zip(addresses, told.splitlines(), strict=True):
        symbols = json.loads(line)["Symbol"]
        assert [f.function for f in binary.frames(address)] == [s["FunctionName"] for s in symbols]
        assert [f.line.file for f in binary.frames(address) if f.line] == [s["FileName"] for s in symbols if s["Line"]]
        assert ours(binary, address) == [place(s["FileName"], s["Line"]) for s in symbols]


@pytest.mark.parametrize("compiler", COMPILERS)
def test_an_inlined_call_is_told_with_where_each_was_called(compiler: str) -> None:
    binary, at = Binary(build(compiler, "frames.c", "-O2", "-g")), marks()
    outer = next(f for f in binary.functions if f.name == "outer")
    inner = [f for f in map(binary.frames, range(outer.start, outer.end)) if tuple(x.function for x in f) == INLINED]
    assert inner
    called = [("frames.h", at["call of squared"][1]), at["call of twice_squared"]]
    assert all([(Path(x.line.file).name, x.line.line) for x in frames[1:]] == called for frames in inner)
    assert binary.function(outer.start) == "outer"  # whatever was inlined there


def test_a_static_function_and_its_line() -> None:
    binary = Binary(build("gcc", "frames.c", "-O2", "-g"))
    local = next(f for f in binary.functions if f.name.startswith("local"))
    lines = {str(binary.line(a)) for a in range(local.start, local.end)}
    assert "frames.c:{}".format(marks()["local"][1]) in lines


def test_variables_with_and_without_bytes_in_the_file() -> None:
    binary = Binary(build("gcc", "frames.c", "-O2", "-g"))
    for line in run("nm", binary.path).splitlines():
        address, _, name = line.rpartition(" ")[0].rpartition(" ")[0], *line.split()[-2:]
        if name in ("input", "hidden", "zeroed"):
            assert binary.variable(int(address, 16)) == (name, 0)
            if name == "zeroed":
                assert binary.variable(int(address, 16) + 44) == (name, 44)


def test_outside_the_code_nothing_is_told() -> None:
    binary = Binary(build("gcc", "frames.c", "-O2", "-g", "-no-pie"))
    for address in (0, 1, 2**64 - 1, int(binary.elf.code[-1][1]) + 5):
        assert (binary.function(address), binary.line(address), binary.frames(address)) == (None, None, ())


def test_names_of_cpp_are_as_people_write_them() -> None:
    binary = Binary(build("g++", "mangled.cpp", "-O2", "-g"))
    names = {f.name for f in binary.functions}
    assert "main" in names
    for name in (
        "space::Box<long>::take(long)",
        "space::free_function(long)",
        "main::'lambda'(long)::operator()(long) const",
    ):
        assert any(n.startswith(name) for n in names), names  # GCC names the clones that it makes


@pytest.mark.parametrize("flags", [(), ("-C", "symbol-mangling-version=v0")], ids=["as C++", "v0"])
def test_names_of_rust_are_as_people_write_them(flags: tuple[str, ...], tmp_path: Path) -> None:
    needs("rustc")
    source = tmp_path / "named.rs"
    source.write_text(
        "mod inner { #[inline(never)] pub fn twice(n: usize) -> usize { n * 2 + std::env::args().count() } }\n"
        "fn main() { std::process::exit(inner::twice(1) as i32); }\n"
    )
    run("rustc", "-O", "-g", *flags, source, "-o", tmp_path / "named")
    binary = Binary(tmp_path / "named")
    twice = next(f for f in binary.functions if f.name == "named::inner::twice")
    assert str(binary.frames(twice.start)[-1].line).startswith("named.rs:1")


# ---- debug information elsewhere, or none -----------------------------------------------------------------------------


def split(folder: Path, how: str) -> Path:
    """A stripped program, its debug information beside it or below a folder by build id."""
    program, debug = folder / "program", folder / "program.debug"
    shutil.copy(build("gcc", "frames.c", "-O2", "-g", "-Wl,--build-id"), program)
    run("objcopy", "--only-keep-debug", program, debug)
    run("strip", program)
    if how == "link":
        run("objcopy", f"--add-gnu-debuglink={debug}", program, cwd=folder)
    elif how == "link into .debug":
        run("objcopy", f"--add-gnu-debuglink={debug}", program, cwd=folder)
        (folder / ".debug").mkdir()
        debug.rename(folder / ".debug" / debug.name)
    else:
        build_id = re.search(r"Build ID: (\w+)", run("readelf", "-n", program))[1]
        place = folder / "debug" / ".build-id" / build_id[:2]
        place.mkdir(parents=True)
        debug.rename(place / f"{build_id[2:]}.debug")
    return program


@pytest.mark.parametrize("how", ["link", "link into .debug", "build id"])
def test_debug_information_in_a_file_of_its_own(how: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    whole = Binary(build("gcc", "frames.c", "-O2", "-g", "-Wl,--build-id"))
    monkeypatch.setenv("ARMPROF_DEBUG_PATH", str(tmp_path / "debug"))
    binary = Binary(split(tmp_path, how))
    assert binary.debug.endswith(".debug")
    for address in every_address(whole):
        assert binary.frames(address) == whole.frames(address)


def test_a_debug_file_with_another_checksum_is_not_taken(tmp_path: Path) -> None:
    program = split(tmp_path, "link")
    with (tmp_path / "program.debug").open("ab") as file:
        file.write(b"\0")
    assert Binary(program).debug is None


def test_a_stripped_program_has_functions_where_its_unwind_table_begins_them() -> None:
    whole = Binary(build("gcc", "frames.c", "-O2", "-g"))
    stripped = Binary(build("gcc", "frames.c", "-O2", "-g", "-s"))
    for function in whole.functions:
        if function.name in ("outer", "local", "exported", "main"):
            assert stripped.function(function.start) == f"{function.start:#x}"
            assert stripped.function(function.end - 1) == f"{function.start:#x}"
            assert stripped.line(function.start) is None


def test_without_symbols_the_debug_information_names_the_functions(tmp_path: Path) -> None:
    whole = Binary(build("gcc", "frames.c", "-O2", "-g"))
    run("objcopy", "--remove-section=.symtab", "--remove-section=.strtab", whole.path, tmp_path / "program")
    outer = next(f for f in whole.functions if f.name == "outer")
    assert Binary(tmp_path / "program").function(outer.start) == "outer"


def test_what_dwz_shares_between_files_is_found(tmp_path: Path) -> None:
    needs("dwz")
    whole = Binary(build("g++", "mangled.cpp", "-O2", "-g"))
    for name in ("one", "two"):
        shutil.copy(whole.path, tmp_path / name)
    run("dwz", "-m", "shared", "one", "two", cwd=tmp_path)
    assert (tmp_path / "shared").exists()
    for function in whole.functions:
        assert Binary(tmp_path / "one").frames(function.start) == whole.frames(function.start)


# ---- the cache --------------------------------------------------------------------------------------------------------


def test_the_second_look_is_from_the_cache(monkeypatch: pytest.MonkeyPatch) -> None:
    path = build("gcc", "frames.c", "-O2", "-g")
    first = Binary(path)
    monkeypatch.setattr("armprof.binary.dwarf.read", None)
    second = Binary(path)
    for address in every_address(first):
        assert second.frames(address) == first.frames(address)
    assert list(second.functions) == list(first.functions)


@pytest.mark.parametrize("damage", [b"", b"armprof index 1\n", b"armprof index 1\n" + b"\xff" * 100, None])
def test_a_damaged_cache_is_made_anew(damage: bytes | None) -> None:
    from armprof.binary import cache

    path = build("gcc", "frames.c", "-O2", "-g")
    first = Binary(path)
    (kept,) = cache.folder().iterdir()
    kept.write_bytes(kept.read_bytes()[:-1] if damage is None else damage)
    assert list(Binary(path).functions) == list(first.functions)


def test_stripped_and_whole_have_the_same_build_id_but_not_the_same_index() -> None:
    whole = Binary(build("gcc", "frames.c", "-O2", "-g", "-Wl,--build-id"))
    assert whole.debug
    run("strip", "-o", whole.path.with_name("stripped"), whole.path)
    stripped = Binary(whole.path.with_name("stripped"))
    assert stripped.elf.build_id == whole.elf.build_id
    assert stripped.debug is None


def test_a_cache_that_cannot_be_written_is_done_without(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("XDG_CACHE_HOME", "/dev/null")
    assert Binary(build("gcc", "frames.c", "-O2", "-g")).debug
