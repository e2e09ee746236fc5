"""Published perf outputs of ARM64 machines: ARMPROF_FIELD_DATA names the folder that has them."""

import os
from pathlib import Path

import pytest

from armprof.counters.imported import parse, read
from armprof.counters.reading import Status

FOLDER = os.environ.get("ARMPROF_FIELD_DATA")
pytestmark = pytest.mark.skipif(not FOLDER, reason="set ARMPROF_FIELD_DATA to the folder of published perf outputs")


def imported(name):
    return read(Path(FOLDER) / "perfstat" / name)


def per_thousand(reading, event):
    value, instructions = reading.value(event), reading.value("inst_retired")
    return None if value is None else 1000 * value / instructions


# IPC, front-end %, back-end %, then per 1000 instructions: branch misses, L1I, L1D and L1D-TLB refills; the lowest running %.
NEOVERSE_N1 = {
    "n1-brotli-perf-stat.txt": (1.54, 24.0, 16.3, None, 8.18, 1.80, 1.51, 7.92),
    "n1-ffmpeg-h264-1080p-perf-stat.txt": (1.61, 12.3, 34.2, 1.84, 7.20, 7.26, 8.72, 42.83),
    "n1-git-ops-perf-stat.txt": (1.47, 24.1, 23.2, 5.90, 18.91, 5.39, 4.82, 50.0),
    "n1-openssl-crypto-perf-stat.txt": (2.79, 0.1, 19.2, 0.01, 0.04, 0.01, 0.00, 49.99),
    "n1-sqlite-perf-stat.txt": (1.75, 11.3, 30.5, 0.77, 5.07, 6.93, 5.16, 49.97),
}


@pytest.mark.parametrize("name", NEOVERSE_N1)
def test_neoverse_n1(name):
    ipc, frontend, backend, *rates, lowest = NEOVERSE_N1[name]
    total = imported(name).total
    cycles = total.value("cpu_cycles")
    assert total.value("inst_retired") / cycles == pytest.approx(ipc, abs=0.00501)
    assert 100 * total.value("stall_frontend") / cycles == pytest.approx(frontend, abs=0.0501)
    assert 100 * total.value("stall_backend") / cycles == pytest.approx(backend, abs=0.0501)
    events = ("br_mis_pred", "l1i_cache_refill", "l1d_cache_refill", "l1d_tlb_refill")
    for event, rate in zip(events, rates, strict=True):
        found = per_thousand(total, event)
        assert found == (None if rate is None else pytest.approx(rate, abs=0.00501)), event
    coverages = [count.coverage for count in total.counts.values() if count.value is not None]
    assert min(coverages) == pytest.approx(lowest / 100, abs=1e-4)


def test_brotli_has_two_events_that_never_ran_in_its_15_ms():
    total = imported("n1-brotli-perf-stat.txt").total
    assert total.duration_ns == 15_559_461
    for event in ("br_pred", "br_mis_pred"):
        assert (total[event].status, total[event].coverage) == (Status.NOT_COUNTED, 0.0)


def test_system_wide_and_command():
    ffmpeg, openssl = (
        imported("n1-ffmpeg-h264-1080p-perf-stat.txt"),
        imported("n1-openssl-crypto-perf-stat.txt"),
    )
    assert (ffmpeg.total.scope, ffmpeg.command) == ("system wide", None)
    assert (openssl.total.scope, openssl.command) == (
        "command",
        "openssl speed -elapsed -evp aes-256-gcm -seconds 10",
    )


def test_ffmpeg_caches():
    total = imported("n1-ffmpeg-h264-1080p-arm-pmu.txt").total
    assert total.value("l2d_cache_refill") == 297_284_856
    assert {count.status for count in total.counts.values()} == {Status.COUNTED}


def test_graviton2_guest_is_short_of_counters():
    total = imported("n1-graviton2-c6g-2xlarge-multiplexed-on-2.txt").total
    assert total.value("inst_retired") / total.value("cpu_cycles") == pytest.approx(0.75, abs=0.005)
    assert total["bus_cycles"].coverage == 0.6
    assert total.duration_ns == 10_002_896_494


@pytest.mark.parametrize(
    ("name", "instructions", "cycles", "seconds"),
    [
        ("a76-khadas-stride-baseline.txt", 10_002_762_164, 45_157_063_927, 20.172522129),
        ("a76-khadas-stride-prefetch.txt", 14_002_762_166, 22_106_858_662, 9.895357134),
        ("a76-khadas-stride-stalls.txt", None, 44_847_565_198, None),
    ],
)
def test_cortex_a76_stride(name, instructions, cycles, seconds):
    found = imported(name)
    assert (found.total.value("inst_retired"), found.total.value("cpu_cycles")) == (instructions, cycles)
    assert found.total.duration_ns == (None if seconds is None else round(seconds * 1e9))
    assert (found.total.scope, found.command) == ("command, user mode", "./stride")
    assert any("may be cut off" in note for note in found.notes) is (seconds is None)


def test_cortex_a76_stalls():
    total = imported("a76-khadas-stride-stalls.txt").total
    assert total.value("stall_backend") / total.value("cpu_cycles") == pytest.approx(0.844, abs=0.0005)


RASPBERRY = {
    "task_clock": 4_932_110_000,
    "cpu_cycles": 11_787_674_937,
    "ll_cache_rd": 330_414,
    "ll_cache_miss_rd": 159_979,
}


@pytest.mark.parametrize(
    ("name", "form"),
    [
        ("a76-rpi5-raytracer-multiplexed.txt", "text"),
        ("transcribed/a76-rpi5-raytracer.csv", "csv"),
        ("transcribed/a76-rpi5-raytracer.jsonl", "json"),
    ],
)
def test_raspberry_pi_5_in_three_forms(name, form):
    found = imported(name)
    assert found.format == form
    assert {event: found.total.value(event) for event in RASPBERRY} == RASPBERRY
    assert found.total["ll_cache_miss_rd"].coverage == pytest.approx(0.4281)
    # Half of the last-level reads miss, but there is one in 80,000 instructions.
    assert per_thousand(found.total, "ll_cache_miss_rd") == pytest.approx(0.006, abs=0.0005)
    assert found.total.value("ll_cache_miss_rd") / found.total.value("ll_cache_rd") == pytest.approx(0.484, abs=0.0005)


def test_raspberry_pi_5_times():
    total = imported("transcribed/a76-rpi5-raytracer.csv").total
    assert total["cpu_cycles"].running_ns == 2_463_588_945
    assert total["cpu_cycles"].enabled_ns == pytest.approx(4_932_110_000, rel=1e-6)


def test_cortex_a53_grouped():
    found = imported("a53-juno-ls-grouped.txt").total
    assert {count.coverage for count in found.counts.values() if count.group} == {0.2503, 0.7497}
    assert found["inst_retired"].group == found["l2d_cache"].group != found["br_pred"].group


def test_cortex_a53_8_events_on_6_counters():
    total = imported("a53-juno-ls-ungrouped-notcounted.txt").total
    assert (total["inst_retired"].coverage, total["br_mis_pred"].coverage) == (0.4502, 0.5498)
    assert total["l1d_cache"].status is Status.COUNTED
    assert total["br_pred"].status is Status.NOT_COUNTED
    assert total["l1d_cache"].label == "armv8_pmuv3_0/l1d_cache/"


def test_neoverse_n2_top_down_counts_prove_the_erratum():
    total = imported("n2-yitian710-topdownl1-false-sharing.txt").total
    assert total.value("stall_slot") / (5 * total.value("cpu_cycles")) == pytest.approx(1.156, abs=0.001)


def test_neoverse_n2_top_down_groups_have_their_own_cycles():
    found = imported("n2-yitian710-topdownl1-false-sharing.txt")
    assert [group.value("cpu_cycles") for group in found.groups] == [
        3_922_334_305,
        3_922_227_771,
        3_922_584_678,
    ]
    first = found.groups[0]
    assert set(first) == {"cpu_cycles", "stall_slot", "op_spec", "op_retired"}
    assert {count.coverage for count in first.counts.values()} == {0.6665}
    assert found.command == "false_sharing 2"


def test_neoverse_n2_caches_pair_what_was_counted_together():
    found = imported("n2-yitian710-cache-false-sharing.txt")
    # perf's own metrics, printed beside the counts of each group.
    metrics = {
        "ll_cache_miss_rd": 6.7,
        "l3d_cache_refill": 6.6,
        "l2d_cache_refill": 8.5,
        "l1i_cache_refill": 0.0,
        "l1d_cache_refill": 9.0,
    }
    paired = {}
    for group in found.groups:
        if "inst_retired" in group:
            paired |= {event: per_thousand(group, event) for event in group if event != "inst_retired"}
    assert paired == {event: pytest.approx(value, abs=0.05) for event, value in metrics.items()}


@pytest.mark.parametrize("event", ["ll_cache_rd", "l3d_cache"])
def test_neoverse_n2_counts_nothing_where_there_are_seven_million_misses(event):
    count = imported("n2-yitian710-cache-false-sharing.txt").total[event]
    assert (count.status, count.value, count.raw) == (Status.SUSPECT, None, 0)
    assert "although" in count.reason


def test_two_pmus_and_a_task_that_stayed_on_one():
    found = imported("hetero-two-pmu-isoalloc.txt")
    total = found.total
    assert total.value("cpu_cycles") == 7_910_463_871
    assert total.value("inst_retired") / total.value("cpu_cycles") == pytest.approx(1.33, abs=0.005)
    assert total.value("stall_backend") / total.value("cpu_cycles") == pytest.approx(0.8131, abs=0.0001)
    assert (total.value("task_clock"), total["task_clock"].unit) == (2_082_958_624, "ns")
    assert [reading.scope for reading in found.readings[1:]] == ["armv8_pmuv3_0", "armv8_pmuv3_1"]
    assert "counted on the PMUs armv8_pmuv3_0, armv8_pmuv3_1" in found.notes


def test_neoverse_v1_bolt():
    total = imported("v1-bsort-before-bolt.txt").total
    assert per_thousand(total, "l1i_cache_refill") == pytest.approx(60.56, abs=0.01)


def test_an_object_with_a_trailing_comma():
    found = imported("a57-perf-json-trailing-comma.json.txt")
    assert found.format == "json"
    assert found.total.value("br_mis_pred") == 3112
    assert found.total["br_mis_pred"].running_ns == 20_699_340


def sections():
    """The layouts of perf 6.1 in one file, each under a heading: [(heading, text)]."""
    text = (Path(FOLDER) / "perfstat" / "format-perf-6.1-x86vm-csv-json.txt").read_text()
    return [tuple(section.split("\n", 1)) for section in text.split("\n## ")[1:]]


def test_every_layout_of_perf_6_1():
    found = {}
    for heading, text in sections():
        total = parse(text).total
        found[heading.split(" -e")[0]] = (total.value("task_clock"), total.value("page_faults"))
        assert total.counts.get("cpu_cycles", total["task_clock"]).status in (
            Status.UNSUPPORTED,
            Status.COUNTED,
        )
    assert found == {
        "perf stat -x,": (920_000, 49),
        "perf stat -j": (775_740, 50),
        "perf stat -x, -r 3": (820_000, 48),
        "perf stat -x, -I 100": (1_290_000, None),
        "perf stat -x, -A -a": (205_810_000, None),
        "perf stat -j -I 100": (1_224_275, None),
        "perf stat -x, -r 3 -j": (928_706, None),
    }


def test_every_file_is_read():
    files = [path for path in sorted((Path(FOLDER) / "perfstat").rglob("*")) if path.is_file() and path.suffix != ".md"]
    assert len(files) >= 18
    for path in files:
        found = read(path)
        assert found.total.counts
        assert repr(found.total)
