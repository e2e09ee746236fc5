"""Samples: whose address space a hit fell into, what follows from named stacks, and the file that keeps them."""

from __future__ import annotations

import json
from importlib.resources import files
from pathlib import Path
from typing import Any

import jsonschema
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from armprof.counters.reading import Count, Status
from armprof.errors import ArmprofError
from armprof.samples import Frame, Row, Samples, Thread, file
from armprof.samples.attribute import attribute
from armprof.samples.spaces import mapped
from armprof.samples.trace import (
    BECAME,
    ENDED,
    FORKED,
    HIT,
    MAPPED,
    MOVE,
    NAMED,
    STACK,
    Losses,
    Sampled,
    Trace,
)

CLOCK = Sampled(
    "cpu_clock", Count("cpu_clock", 5e6, 5e6, 100, 100, Status.COUNTED, unit="ns"), "997 times a second", ""
)


class Story:
    """What the kernel would have told, in the order of its calls: each takes a nanosecond."""

    def __init__(self) -> None:
        self.time = 0
        self.hits: list[Any] = []
        self.moves: list[Any] = []
        self.text = b""
        self.stacks: list[Any] = []
        self.frames: list[int] = []

    def _now(self) -> int:
        self.time += 1
        return self.time

    def move(
        self, kind: int, pid: int, text: str = "", start: int = 0, length: int = 0, parent: int = 0, tid: int = 0
    ) -> None:
        self.moves.append((self._now(), start, length, 0, pid, tid or pid, parent, len(self.text), kind, 0))
        self.text += text.encode() + b"\0"

    def hit(self, pid: int, *stack: int, tid: int = 0, period: int = 1) -> None:
        self.stacks.append((len(self.frames), len(stack)))
        self.frames += stack
        self.hits.append((self._now(), period, pid, tid or pid, len(self.stacks) - 1, 0, 0))

    def trace(self) -> Trace:
        hits, moves = np.array(self.hits, HIT), np.array(self.moves, MOVE)
        return Trace(
            events=(CLOCK,),
            hits=hits[::-1],  # those of several CPUs are in no order
            stacks=np.array(self.stacks, STACK),
            frames=np.array(self.frames, np.uint64),
            moves=moves[::-1],
            text=self.text,
            losses=Losses(),
            duration_ns=100,
            reading_ns=1,
            command="story",
        )


def modules(story: Story) -> dict[int, str]:
    """By time of the hit: the file that its place was mapped from."""
    trace = story.trace()
    found: dict[int, str] = {}
    for hits, mappings in mapped(trace):
        for hit in hits.tolist():
            place = int(trace.frames[trace.stacks[trace.hits["stack"][hit]]["first"]])
            inside = [m.path for m in mappings if m.start <= place < m.end]
            found[int(trace.hits["time"][hit])] = inside[-1] if inside else ""
    return dict(sorted(found.items()))


def test_a_hit_is_in_what_was_mapped_when_it_fell() -> None:
    story = Story()
    story.hit(1, 0x1000)
    story.move(MAPPED, 1, "/a", 0x1000, 0x1000)
    story.hit(1, 0x1000)
    story.move(MAPPED, 1, "/b", 0x1000, 0x800)
    story.hit(1, 0x1000)
    story.hit(1, 0x1900)
    assert list(modules(story).values()) == ["", "/a", "/b", "/a"]


def test_a_child_has_what_its_parent_had_and_exec_takes_it_away() -> None:
    story = Story()
    story.move(MAPPED, 1, "/parent", 0x1000, 0x1000)
    story.move(FORKED, 2, parent=1)
    story.hit(2, 0x1000)
    story.move(BECAME, 2, "child")
    story.hit(2, 0x1000)
    story.move(MAPPED, 2, "/child", 0x1000, 0x1000)
    story.hit(2, 0x1000)
    story.move(ENDED, 2, parent=1)
    story.hit(1, 0x1000)
    assert list(modules(story).values()) == ["/parent", "", "/child", "/parent"]


def test_a_thread_begins_with_the_name_of_its_process() -> None:
    story = Story()
    story.move(NAMED, 1, "worker")
    story.move(FORKED, 1, parent=1, tid=2)
    story.hit(1, 0x10, tid=2)
    story.move(NAMED, 1, "main")
    story.hit(1, 0x10)
    threads = attribute(story.trace()).threads
    assert threads == (Thread(1, 1, "main"), Thread(1, 2, "worker"))


def test_hits_that_differ_in_their_time_alone_are_one_row() -> None:
    story = Story()
    for period in (1, 2, 3):
        story.hit(7, 0x10, 0x21, period=period)
    samples = attribute(story.trace())
    assert samples.rows == (Row(0, 0, 0, 3, 6),)
    assert [samples.frames[frame].address for frame in samples.stacks[0]] == [
        0x10,
        0x20,
    ]  # a call stands before its return


def test_nothing_sampled_is_no_error() -> None:
    samples = attribute(Story().trace())
    assert samples.rows == ()
    assert samples.functions() == {}
    assert samples.to_frame().empty


MAIN, PARSE, COPY = (
    Frame("/bin/x", 1, "main", "/src/x.c", 3),
    Frame("/bin/x", 2, "parse", "/src/x.c", 9),
    Frame("/lib/c", 3),
)


def samples(*rows: Row, events: tuple[Sampled, ...] = (CLOCK,)) -> Samples:
    return Samples(
        events=events,
        frames=(MAIN, PARSE, COPY),
        stacks=((1, 0), (2, 1, 0), (1, 1, 0), (0,)),
        threads=(Thread(1, 1, "x"),),
        rows=rows,
        losses=Losses(),
        duration_ns=10**9,
        reading_ns=10**6,
        command="x",
    )


def test_a_function_has_its_own_share_and_one_with_what_it_called() -> None:
    shares = samples(Row(0, 0, 0, 5, 50), Row(0, 0, 1, 3, 30), Row(0, 0, 3, 2, 20)).functions()
    assert [(name, share.own, share.total, share.samples) for name, share in shares.items()] == [
        ("parse", 0.5, 0.8, 5),
        ("[c]", 0.3, 0.3, 3),
        ("main", 0.2, 1.0, 2),
    ]


def test_a_function_that_calls_itself_counts_once() -> None:
    assert samples(Row(0, 0, 2, 1, 10)).functions()["parse"].total == 1.0


def test_lines_are_named_by_the_file_alone_and_code_without_lines_by_its_address() -> None:
    assert list(samples(Row(0, 0, 0, 1, 2), Row(0, 0, 1, 1, 1)).lines()) == ["x.c:9", "c+0x3", "x.c:3"]


def test_an_event_may_be_asked_for_by_any_of_its_names() -> None:
    cycles = Sampled("cpu_cycles", Count("cpu_cycles", 1, 1, 1, 1, Status.COUNTED), "", "")
    two = samples(Row(1, 0, 0, 1, 1), events=(CLOCK, cycles))
    assert two.number() == 1  # the first that has samples
    assert two.number("cycles") == 1
    with pytest.raises(ArmprofError, match="l1d_cache was not sampled; sampled were cpu_clock, cpu_cycles"):
        two.functions("l1d_cache")


ROWS = st.builds(Row, st.just(0), st.just(0), st.integers(0, 3), st.integers(1, 10**6), st.integers(0, 2**63))


@given(st.lists(ROWS, max_size=20).map(tuple))
def test_a_file_gives_back_what_was_written_and_keeps_its_schema(rows: tuple[Row, ...]) -> None:
    text = file.render(samples(*rows))
    assert file.is_samples_file(text)
    assert file.parse(text) == samples(*rows)
    schema = json.loads((files("armprof.samples") / "samples.schema.json").read_text(encoding="utf-8"))
    jsonschema.validate(json.loads(text), schema)


@given(st.lists(ROWS, max_size=20).map(tuple))
def test_shares_add_up_to_one(rows: tuple[Row, ...]) -> None:
    shares = samples(*rows).functions()
    whole = sum(row.weight for row in rows)
    assert sum(share.own for share in shares.values()) == pytest.approx(1 if whole else 0)
    assert all(0 <= share.own <= share.total <= 1 + 1e-9 for share in shares.values())


GOOD = file.render(samples(Row(0, 0, 0, 1, 1)))


@pytest.mark.parametrize(
    ("broken", "what"),
    [
        (GOOD[: len(GOOD) // 2], "cut off"),
        (GOOD.replace('"version": 1', '"version": 9'), "of version 9; armprof .* reads version 1"),
        (GOOD.replace('"stacks": [[1, 0]', '"stacks": [[9, 0]'), r"\$\.stacks\[0\]: 9 is beyond the list"),
        (GOOD.replace('"stacks": [[1, 0]', '"stacks": [[]'), r"\$\.stacks\[0\] is empty"),
        (GOOD.replace('"samples": 1', '"samples": -1'), r"\$\.rows\[0\]: -1 samples"),
        (
            GOOD.replace('"duration_ns": 1000000000', '"duration_ns": "long"'),
            r"\$\.duration_ns: expected a whole number",
        ),
    ],
)
def test_a_file_that_is_broken_is_told_in_one_line(broken: str, what: str) -> None:
    with pytest.raises(ArmprofError, match=what) as raised:
        file.parse(broken, "x.json")
    assert "\n" not in str(raised.value)


def test_what_is_no_file_of_samples_is_none(tmp_path: Path) -> None:
    assert not file.is_samples_file('{"format": "armprof-run"}')
    with pytest.raises(ArmprofError, match="no file of samples"):
        file.parse('{"format": "armprof-run"}')
