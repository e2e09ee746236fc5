"""`perf stat -j`: objects that are JSON, and objects that perf printed."""

import json

import pytest

from armprof.counters.imported import parse
from armprof.counters.reading import Status

CYCLES = (
    '{"counter-value" : "11787674937.000000", "unit" : "", "event" : "cycles", "event-runtime" : 2463588945, '
    '"pcnt-running" : 49.95, "metric-value" : 2.390000, "metric-unit" : "GHz"}'
)


def test_the_fields_of_a_count():
    imported = parse(CYCLES)
    cycles = imported.total["cpu_cycles"]
    assert (cycles.value, cycles.status, cycles.running_ns) == (11787674937, Status.SCALED, 2463588945)
    assert cycles.coverage == pytest.approx(0.4995)
    assert (imported.format, imported.total.access) == ("json", "perf stat -j")


@pytest.mark.parametrize(
    "spelling",
    [
        "[{0}, {0}]",
        "[\n  {0},\n  {0}\n]",
        '{{"counts": [{0}, {0}]}}',
        "{0}\nCPU is hot { maybe }\n{0}",
        "{0}{0}",
        "{0}\r\n{0}\r\n",
    ],
)
def test_objects_are_found_wherever_they_stand(spelling):
    text = spelling.replace("{{", "\x01").replace("}}", "\x02").replace("{0}", CYCLES)
    imported = parse(text.replace("\x01", "{").replace("\x02", "}"))
    # The same label twice in one output: two groups counted it, and the total has one of the two.
    assert imported.total.value("cpu_cycles") == 11787674937
    assert any("printed several times" in note for note in imported.notes)


def test_an_object_over_several_lines():
    pretty = json.dumps(json.loads(CYCLES), indent=4)
    assert parse(pretty).total.value("cpu_cycles") == 11787674937


@pytest.mark.parametrize(
    "broken",
    [
        CYCLES.replace("}", ", }"),
        CYCLES.replace("}", ""),
        CYCLES.replace(', "metric-value" : 2.390000, "metric-unit" : "GHz"}', ", ,2.390,GHz"),
        CYCLES.replace("49.95", "49,95").replace(".000000", ",000000").replace("2.39", "2,39"),
        CYCLES.replace('"unit" : ""', '"unit" : (null)'),
    ],
)
def test_what_is_no_json_is_read_field_by_field(broken):
    total = parse(f"{broken}\n{CYCLES.replace('cycles', 'instructions')}").total
    assert total.value("cpu_cycles") == total.value("inst_retired") == 11787674937
    assert total["cpu_cycles"].coverage == pytest.approx(0.4995)


def test_numbers_may_be_numbers():
    total = parse('{"counter-value": 12, "event": "cycles", "event-runtime": "10", "pcnt-running": "50.00"}').total
    assert (total.value("cpu_cycles"), total["cpu_cycles"].running_ns, total["cpu_cycles"].coverage) == (
        12,
        10,
        0.5,
    )


def test_not_supported_comes_with_100_percent():
    row = CYCLES.replace("11787674937.000000", "<not supported>").replace("49.95", "100.00").replace("2463588945", "0")
    cycles = parse(row).total["cpu_cycles"]
    assert (cycles.value, cycles.status, cycles.coverage) == (None, Status.UNSUPPORTED, None)


def test_metrics_are_no_counts():
    metric = (
        '{"event-runtime" : 10, "pcnt-running" : 100.00, "metric-value" : "12.5", "metric-unit" : "%  tma_retiring"}'
    )
    imported = parse(f"{CYCLES}\n{metric}\n")
    assert set(imported.total) == {"cpu_cycles"}
    assert imported.notes == ()


@pytest.mark.parametrize(
    ("row", "why"),
    [
        ('{"counter-value" : "12"}', "a count without an event"),
        ('{"counter-value" : "12", "event" : 7}', "a count without an event"),
        ('{"counter-value" : "many", "event" : "cycles"}', "no count: many"),
        ('{"counter-value" : null, "event" : "cycles"}', "no count: None"),
        ('{"counter-value" : "-5", "event" : "cycles"}', "no count: -5"),
        ('{"counter-value" : "nan", "event" : "cycles"}', "no count: nan"),
        (
            '{"counter-value" : "5", "event" : "cycles", "pcnt-running" : 101}',
            "ran more than 100 % of the time",
        ),
    ],
)
def test_damaged_objects_are_left_out_and_named_with_their_line(row, why):
    imported = parse(f"{CYCLES.replace('cycles', 'instructions')}\n\n{row}\n")
    assert set(imported.total) == {"inst_retired"}
    assert f"1 lines were left out (line 3: {why})" in imported.notes


def test_a_hundred_thousand_objects():
    row = (
        '{"interval" : %d.000000000, "counter-value" : "3.000000", "event" : "cycles", '
        '"event-runtime" : 5, "pcnt-running" : 50.00}'
    )
    imported = parse("\n".join(row % second for second in range(1, 100_001)))
    assert imported.total.value("cpu_cycles") == 300_000
    assert imported.total["cpu_cycles"].running_ns == 500_000
    assert imported.total.duration_ns == 100_000 * 10**9
    assert len(imported.readings) == 100_000
