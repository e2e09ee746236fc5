"""Samples in the formats of other tools, with names from anywhere in them."""

from __future__ import annotations

import gzip
import json
import xml.etree.ElementTree as ElementTree
from collections.abc import Iterator

import pytest
from hypothesis import given
from hypothesis import strategies as st
from test_samples import CLOCK, samples

from armprof.report import collapsed, flamegraph, pprof, speedscope
from armprof.report import samples as text
from armprof.samples import Frame, Row, Samples, Thread
from armprof.samples.trace import Losses

HOSTILE = "</title><script>alert(1)</script>;\"'&\n\x1b[31m\u202e\0"
ROWS = (Row(0, 0, 0, 5, 50), Row(0, 0, 1, 3, 30))


def named(name: str) -> Samples:
    frames = (Frame(name, 1, name, name, 3),)
    return Samples((CLOCK,), frames, ((0,),), (Thread(1, 1, name),), (Row(0, 0, 0, 1, 1),), Losses(), 1, 1, name)


def test_collapsed_stacks_begin_with_the_outermost_caller() -> None:
    assert collapsed.render(samples(*ROWS)) == "main;parse 50\nmain;parse;[c] 30\n"


def test_speedscope_has_a_profile_of_each_thread() -> None:
    document = json.loads(speedscope.render(samples(*ROWS)))
    (profile,) = document["profiles"]
    frames = document["shared"]["frames"]
    assert profile["unit"] == "nanoseconds"
    assert profile["endValue"] == sum(profile["weights"]) == 80
    assert [[frames[i]["name"] for i in stack] for stack in profile["samples"]] == [
        ["main", "parse"],
        ["main", "parse", "[c]"],
    ]
    assert frames[1] == {"name": "parse", "file": "/src/x.c", "line": 9}


def fields(message: bytes) -> Iterator[tuple[int, int | bytes]]:
    """The fields of a protobuf message: of varints the number, of the others the bytes."""
    at = 0

    def varint() -> int:
        nonlocal at
        value = shift = 0
        while True:
            byte = message[at]
            at += 1
            value |= (byte & 0x7F) << shift
            shift += 7
            if byte < 0x80:
                return value

    while at < len(message):
        key = varint()
        if key & 7 == 0:
            yield key >> 3, varint()
        else:
            size = varint()
            yield key >> 3, message[at : at + size]
            at += size


def test_pprof_points_from_samples_to_locations_to_functions_to_names() -> None:
    profile = list(fields(gzip.decompress(pprof.render(samples(*ROWS)))))

    def all_of(field: int) -> list[dict[int, int | bytes]]:
        return [dict(fields(value)) for number, value in profile if number == field and isinstance(value, bytes)]

    strings = [value for number, value in profile if number == 6]
    assert strings[0] == b""
    functions = {function[1]: strings[int(function[2])] for function in all_of(5)}
    locations = {}
    for location in all_of(4):
        assert isinstance(location[4], bytes)
        line = dict(fields(location[4]))
        locations[location[1]] = (functions[line[1]], line.get(2))
    (kind,) = all_of(1)
    assert (strings[int(kind[1])], strings[int(kind[2])]) == (b"cpu_clock", b"nanoseconds")
    found = []
    for sample in all_of(2):
        assert isinstance(sample[1], bytes)
        assert isinstance(sample[2], bytes)
        found.append(([locations[i] for i in sample[1]], list(sample[2])))
    assert found == [
        ([(b"parse", 9), (b"main", 3)], [50]),
        ([(b"[c]", 0), (b"parse", 9), (b"main", 3)], [30]),
    ]


def test_a_flame_graph_is_an_svg_whose_boxes_have_their_shares() -> None:
    root = ElementTree.fromstring(flamegraph.render(samples(*ROWS)))
    space = "{http://www.w3.org/2000/svg}"
    assert root.tag == f"{space}svg"
    titles = [box.findtext(f"{space}title") for box in root.iter(f"{space}g")]
    assert titles == ["all: 100.00 %", "main: 100.00 %", "parse: 100.00 %", "[c]: 37.50 %"]


@pytest.mark.parametrize("name", [HOSTILE, "", "x" * 100_000, "\ud800"])
def test_hostile_names_stay_text(name: str) -> None:
    svg = flamegraph.render(named(name))
    assert "<script" not in svg
    ElementTree.fromstring(svg.encode("utf-8", "replace"))
    assert collapsed.render(named(name)).count("\n") == 1
    assert json.loads(speedscope.render(named(name)))["shared"]["frames"]
    assert gzip.decompress(pprof.render(named(name)))
    shown = text.render(named(name), None)
    assert "\x1b" not in shown
    assert len(shown) < 10_000


@given(st.text(max_size=50))
def test_any_name_gives_a_well_formed_flame_graph(name: str) -> None:
    ElementTree.fromstring(flamegraph.render(named(name)).encode("utf-8", "replace"))


def test_text_tells_what_is_missing() -> None:
    lossy = Samples((CLOCK,), (), (), (), (), Losses(lost=5, throttled=2), 10**9, 10**6, "x", notes=("a note",))
    shown = " ".join(text.render(lossy, None).split())
    assert "5 samples were lost" in shown
    assert "slowed the sampling down 2 times" in shown
    assert "nothing was sampled" in shown
    assert "a note" in shown
