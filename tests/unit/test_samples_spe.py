"""Records of the Statistical Profiling Extension, from packets built as Arm's specification has them."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st
from spe_packets import EL0, END, address, counter, sized, timestamp

from armprof.samples.spe import Record, decode

PC = address(0, EL0 | 0xAAAA_0000_1234)
MISS = (
    PC
    + b"\x65" + (77).to_bytes(4, "little")
    + b"\x49\x00"
    + counter(0, 310) + counter(1, 12) + counter(2, 40)
    + address(2, 0xB4 << 56 | 0xFFFF_9000_0040)
    + sized(0x42, 1 << 1 | 1 << 2 | 1 << 3 | 1 << 4 | 1 << 5 | 1 << 9 | 1 << 10, 2)
    + sized(0x43, 0x0E, 2)
)  # fmt: skip
MISSED = Record(
    {"pc": 0xAAAA_0000_1234, "virtual": 0xFFFF_9000_0040},
    {"total": 310, "issue": 12, "translation": 40},
    frozenset({"retired", "l1d_access", "l1d_refill", "tlb_access", "tlb_walk", "llc_miss", "remote"}),
    "load",
    0x0E,
    77,
    5000,
)


def test_a_load_that_misses_tells_where_for_how_long_and_what_answered():
    found = decode(MISS + timestamp(5000))
    assert found.records == [MISSED]
    assert found.broken == 0


def test_a_branch_that_was_mispredicted():
    (record,) = decode(PC + b"\x4a\x01" + address(1, EL0 | 0x40) + sized(0x42, 0b1100_0010, 1) + END).records
    assert (record.operation, record.addresses["target"]) == ("branch", 0x40)
    assert record.events == {"retired", "not_taken", "mispredicted"}
    assert (record.timestamp, record.source, record.latency) == (None, None, {})


def test_a_store_and_another_operation():
    records = decode(PC + b"\x49\x01" + END + PC + b"\x48\x00" + END).records
    assert [record.operation for record in records] == ["store", "other"]


def test_addresses_of_the_kernel_have_their_top_byte_again_and_physical_ones_have_none():
    kernel = address(0, 1 << 63 | 1 << 61 | 0xFF_8000_1000_0000)
    (record,) = decode(kernel + address(3, 1 << 63 | 0x80_0000_0000_0040) + END).records
    assert record.addresses == {"pc": 0xFFFF_8000_1000_0000, "physical": 0x80_0000_0000_0040}


def test_an_extended_header_has_a_longer_index():
    (record,) = decode(PC + b"\x20" + counter(1, 9) + b"\x21" + counter(0, 7) + END).records
    assert record.latency == {"issue": 9}  # index 8 is of no counter that is known


def test_padding_stands_anywhere_between_packets():
    assert decode(b"\0" * 7 + MISS + b"\0\0" + timestamp(5000) + b"\0" * 50).records == [MISSED]


def test_events_without_a_name_keep_their_number():
    (record,) = decode(PC + sized(0x42, 1 << 24, 4) + END).records
    assert record.events == {"event 24"}


@given(before=st.binary(max_size=40).filter(lambda b: 0xB0 not in b), cut=st.integers(1, len(MISS) - 1))
def test_after_what_is_broken_the_next_record_is_read(before: bytes, cut: int):
    whole = MISS + timestamp(5000)
    assert MISSED in decode(b"\xff" + before + whole + whole).records
    assert decode(whole + MISS[:cut]).records == [MISSED]


@given(
    st.binary(max_size=300) | st.lists(st.sampled_from([MISS, PC, END, b"\x20", b"\xff", timestamp(1)])).map(b"".join)
)
def test_no_bytes_are_too_strange(content: bytes):
    found = decode(content)
    assert found.broken <= len(content)
    assert all(record.pc is None or 0 <= record.pc < 1 << 64 for record in found.records)
