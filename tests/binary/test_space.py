"""What is where in a process: from /proc/PID/maps."""

from __future__ import annotations

import ctypes
from pathlib import Path

import pytest
from building import build
from hypothesis import given
from hypothesis import strategies as st

from armprof.binary import Binary, Mapping, Space, space
from armprof.errors import ArmprofError

MAPS = """\
555555554000-555555555000 r--p 00000000 fe:01 1234                       {path}
555555555000-555555556000 r-xp 00001000 fe:01 1234                       {path}
7ffff7fc1000-7ffff7fc5000 r--p 00000000 00:00 0                          [vvar]
7ffff7fc5000-7ffff7fc7000 r-xp 00000000 00:00 0                          [vdso]
7ffff7ff0000-7ffff7ff1000 rwxp 00000000 00:00 0
"""


def test_a_pie_is_resolved_where_it_was_loaded() -> None:
    path = build("gcc", "frames.c", "-O2", "-g", "-pie", "-fPIE")
    outer = next(f for f in Binary(path).functions if f.name == "outer")
    (place,) = Space(space.of_process(MAPS.format(path=path))).places([0x555555554000 + outer.start])
    assert (place.module, place.function, Path(place.line.file).name) == (str(path), "outer", "frames.c")


def test_what_is_no_file_has_a_module_alone() -> None:
    mapped = Space(space.of_process(MAPS.format(path="/no/such/file")))
    places = mapped.places([0x555555555000, 0x7FFFF7FC5010, 0x7FFFF7FF0000, 0x1000])
    assert [p.module for p in places] == ["/no/such/file", "[vdso]", "", None]
    assert all((p.function, p.line) == (None, None) for p in places)


def test_a_line_that_is_none_of_maps() -> None:
    with pytest.raises(ArmprofError, match="line 2 of the memory map is not as in /proc/PID/maps: 'hello'"):
        space.of_process("1000-2000 r-xp 00000000 00:00 0\nhello\n")


def test_a_name_may_hold_what_ends_lines_elsewhere() -> None:
    odd = "/tmp/a\rb\x0bc\u2028d"
    assert [m.path for m in space.of_process(f"1000-2000 r-xp 00000000 00:00 1    {odd}\n")] == [odd]


def test_this_process_and_a_library_in_it() -> None:
    library = build("gcc", "frames.c", "-O2", "-g", "-shared", "-fPIC", "-DLIBRARY")
    loaded = ctypes.CDLL(str(library))
    address = ctypes.cast(loaded.outer, ctypes.c_void_p).value
    variable = ctypes.addressof(ctypes.c_int.in_dll(loaded, "zeroed"))
    mapped = Space(space.of_process(Path("/proc/self/maps").read_text()))
    assert mapped.places([address])[0].function == "outer"
    assert mapped.variable(variable + 8) == ("zeroed", 8)


def test_what_would_end_beyond_the_last_address_ends_there() -> None:
    mapped = Space([Mapping(2**64 - 16, 2**64 + 16, 0, "[end]")])
    assert [place.module for place in mapped.places([2**64 - 16, 2**64 - 2, 15])] == ["[end]", "[end]", None]


def test_a_later_mapping_replaces_what_it_covers() -> None:
    mapped = Space([Mapping(0, 100, 0, "a"), Mapping(20, 40, 7, "b")])
    assert mapped.mappings == [Mapping(0, 20, 0, "a"), Mapping(20, 40, 7, "b"), Mapping(40, 100, 40, "a")]


@given(st.lists(st.tuples(st.integers(0, 30), st.integers(0, 30), st.integers(0, 9)), max_size=12))
def test_each_address_belongs_to_the_last_mapping_that_covers_it(spans: list[tuple[int, int, int]]) -> None:
    given_ = [Mapping(start, start + size, 100 * start, f"[{name}]") for start, size, name in spans]
    mapped = Space(given_)
    for address, place in enumerate(mapped.places(range(70))):
        last = next((m for m in reversed(given_) if m.start <= address < m.end), None)
        assert place.module == (last.path if last else None)
    for mapping in mapped.mappings:  # cut or not, a byte of the file stays where it was
        assert any(m.path == mapping.path and m.offset - m.start == mapping.offset - mapping.start for m in given_)
