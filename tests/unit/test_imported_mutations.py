"""Damaged and random files give a result or one clear line, and nothing else: 12,000 of them."""

import math
from pathlib import Path

from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st

from armprof.counters.imported import parse
from armprof.counters.imported.source import decode
from armprof.counters.reading import Status
from armprof.errors import ArmprofError

FIXTURES = Path(__file__).parent / "fixtures" / "perf"

MULTIPLEXED = b"""# started on Sat Feb 28 08:56:13 2026

 Performance counter stats for 'system wide':

        78,911,009      cycles                                                        (22.08%)
       121,297,105      instructions              #    1.54  insn per cycle
                                                  #    0.16  stalled cycles per insn  (50.84%)
        39,373,110      L1-dcache-loads
           217,817      L1-dcache-load-misses     #    0.55% of all L1-dcache accesses  (50.79%)
     <not counted>      br_pred                                                       (0.00%)
     <not counted>      armv8_pmuv3_0/cycles/                                         (0.00%)
     7,910,463,871      armv8_pmuv3_1/cycles/            #    3.798 GHz
         7,392,505      LL_CACHE_MISS_RD                 ( +-  1.39% )                (29.42%)
                 0      LL_CACHE_RD                                                   (29.42%)
         7,397,206      LL_CACHE_MISS_RD                                              (30.45%)

       0.015559461 +- 0.000012 seconds time elapsed  ( +-  1.98% )

       1.325971000 seconds user
"""
BROKEN_JSON = b"""{"counter-value" : "3112.000000", "unit" : "",
 "event" : "armv8_pmuv3_1/branch-misses/", "event-runtime" : 20699340, "pcnt-running" : 100.00, }
{"interval" : 0.100400118, "cpu" : "3", "counter-value" : "<not counted>", "unit" : "(null)", "event" : "cycles:k",
 "variance" : 4.54, "event-runtime" : 0, "pcnt-running" : 0.00, ,0.563,CPUs utilized
"""
COLUMNS = b"""0.100452485,S0-D0-C0,2,11787674937,,armv8_pmuv3_0/event=0x11,long=1/,/a/b,5.73%,2463588945,49.95,2.39,GHz
0.200452485,S0-D0-C0,2,0,67,msec,task-clock,7,85%,666889,100,00,0,CPUs utilized
0.200452485,CPU1,<not supported>,,cycles:u,0,100.00,,
"""
SHAPES = [path.read_bytes() for path in sorted(FIXTURES.iterdir()) if path.suffix != ".sh"]
SHAPES += [MULTIPLEXED, BROKEN_JSON, COLUMNS]

# Texts that mean something to one of the readers.
TOKENS = [
    *(
        token.encode()
        for token in ("{", "}", '"', "[", "(", ")", "#", "%", ",", ";", "\t", "\r", "\n", "-1", "1e400", "nan")
    ),
    *(
        "\u202f\u00a0\u2028\u0661\u00b2\ufeff\U0001f600".encode(),
        b"\x00",
        b"\xff",
        b"\x1b[31m",
        b"9" * 30,
        b"0.000000001 ",
    ),
    *(
        b"<not counted>",
        b"<not supported>",
        b"CPU3 ",
        b"S0-D0-C0 2 ",
        b"a-1 ",
        b"# started on",
        b"seconds time elapsed\n",
    ),
    *(b"Performance counter stats for 'x':\n", b' "event" : "cycles", ', b' "interval" : 1e300, ', b"{" * 3000),
]

places = st.integers(0, 2**16)
changes = st.one_of(
    st.tuples(st.just("cut"), places, st.just(0)),
    st.tuples(st.just("flip"), places, st.integers(0, 7)),
    st.tuples(st.just("remove"), places, st.integers(1, 40)),
    st.tuples(st.just("insert"), places, st.integers(0, len(TOKENS) - 1)),
    st.tuples(st.just("swap lines"), places, places),
    st.tuples(st.just("double a line"), places, places),
    st.tuples(st.just("swap words"), places, places),
    st.tuples(st.just("append"), places, st.integers(0, len(SHAPES) - 1)),
)


def changed(data, change):
    """The bytes with one change; places count around, so that each hits something."""
    kind, place, detail = change
    at = place % (len(data) + 1)
    if kind == "cut":
        return data[:at]
    if kind == "flip":
        return data[:at] + bytes(byte ^ 1 << detail for byte in data[at : at + 1]) + data[at + 1 :]
    if kind == "remove":
        return data[:at] + data[at + detail :]
    if kind == "insert":
        return data[:at] + TOKENS[detail] + data[at:]
    if kind == "append":
        return data[:at] + SHAPES[detail]
    sep = b" " if kind == "swap words" else b"\n"
    parts = data.split(sep)
    one, other = place % len(parts), detail % len(parts)
    if kind == "double a line":
        parts.insert(other, parts[one])
    else:
        parts[one], parts[other] = parts[other], parts[one]
    return sep.join(parts)


def holds_or_refuses(data):
    """Read the bytes; what comes out keeps the promise of a Reading, or is one clear line."""
    try:
        imported = parse(decode(data, "file.txt"), "file.txt")
    except ArmprofError as refusal:
        message = str(refusal)
        assert message.isprintable()
        assert "file.txt" in message
        assert len(message) < 400
        return
    assert imported.total.counts
    for reading in (imported.total, *imported.readings, *imported.groups):
        for event, count in reading.counts.items():
            assert count.event == event
            assert (count.value is None) != count.status.has_value, count
            assert count.value is None or (count.value >= 0 and math.isfinite(count.value)), count
            assert count.coverage is None or 0 <= count.coverage <= 1, count
            assert count.status is Status.COUNTED or count.reason or count.coverage is not None, count
            assert count.status is not Status.COUNTED or count.coverage is None or count.coverage > 0.9999, count
        assert reading.duration_ns is None or reading.duration_ns > 0
        assert repr(reading)
    for note in imported.notes:
        assert note.isprintable(), note


no_hurry = settings(max_examples=9_000, suppress_health_check=list(HealthCheck))


@no_hurry
@given(st.sampled_from(SHAPES), st.lists(changes, min_size=1, max_size=5))
def test_damaged_outputs(shape, damage):
    for change in damage:
        shape = changed(shape, change)
    holds_or_refuses(shape)


@settings(no_hurry, max_examples=1_000)
@given(st.binary(max_size=400))
@example(b"PERFILE2")
@example(b"\xff\xfe\x00")
def test_random_bytes(data):
    holds_or_refuses(data)


@settings(no_hurry, max_examples=1_000)
@given(st.text(max_size=300))
@example("\x1c\n\x1d")
def test_random_text(text):
    holds_or_refuses(text.encode("utf-8", "surrogatepass"))


words = st.sampled_from(
    [
        "cycles",
        "instructions:u",
        "task-clock",
        "msec",
        "ns",
        "1,234",
        "0.5",
        "(50.00%)",
        "(",
        "+-",
        "1.2%",
        ")",
        "[9%]",
        "#",
        "<not",
        "counted>",
        "CPU0",
        "S0",
        "2",
        "0.100000000",
        ",,",
        ";",
        "|",
        '{"event":',
        '"counter-value":',
        '"12",',
        "}",
        "armv8_pmuv3_0/cycles/",
        "cycles:k",
        "l1d_cache",
        "100.00",
        "/a",
    ]
)


@settings(no_hurry, max_examples=1_000)
@given(st.lists(st.lists(words, max_size=12).map(" ".join), max_size=12).map("\n".join))
def test_the_words_of_perf_in_any_order(text):
    holds_or_refuses(text.encode())
