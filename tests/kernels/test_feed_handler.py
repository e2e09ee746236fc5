"""The feed handler against a plain one: packets in any order, lost, doubled and damaged, and two lines of one feed."""

from __future__ import annotations

import os
import random
import struct
from collections import Counter
from pathlib import Path
from typing import Any

import itch_spec
import native_itch
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from moldudp64 import END_OF_SESSION, SESSION, framed, packet

from armprof import _native

ffi, lib = _native.ffi, _native.lib

PAYLOADS = list(itch_spec.frames(native_itch.generate(21, 3000)))


def packets_of(payloads: list[bytes], sizes: random.Random, sequence: int = 1) -> list[bytes]:
    """The payloads in packets of 1 to 10, with a heartbeat now and then."""
    packets = []
    while payloads:
        count = min(sizes.randrange(11), len(payloads))
        packets.append(packet(sequence, payloads[:count]))
        payloads, sequence = payloads[count:], sequence + count
    return packets


class PlainFeed:
    """MoldUDP64 read by the book: what is handed on, and the counts by the names of the C handler's."""

    def __init__(self) -> None:
        self.next = 1
        self.session: bytes | None = None
        self.counts: Counter[str] = Counter()
        self.gaps: list[tuple[int, int]] = []
        self.messages: list[bytes] = []

    def receive(self, data: bytes) -> str:
        self.counts["PACKETS"] += 1
        if len(data) < 20:
            return self.refuse("SHORT")
        session, sequence, count = struct.unpack(">10sQH", data[:20])
        if self.session not in (None, session):
            return self.refuse("FOREIGN")
        count = 0 if count == END_OF_SESSION else count
        if sequence == 0 or sequence + count >= 2**64:
            return self.refuse("IMPOSSIBLE")
        self.session = session
        if sequence < self.next and sequence + count <= self.next:
            self.counts["DUPLICATES"] += count
            return "OLD"
        status = "OK"
        if sequence > self.next:
            status = "GAP"
            self.gaps.append((self.next, sequence - self.next))
            self.counts["GAPS"] += 1
            self.counts["MISSED"] += sequence - self.next
            self.next = sequence
        at = 20
        for number in range(sequence, sequence + count):
            length = int.from_bytes(data[at : at + 2], "big")
            if len(data) - at < 2 or len(data) - at - 2 < length:
                self.counts["CUT_PACKETS"] += 1
                return status
            if number < self.next:
                self.counts["DUPLICATES"] += 1
            else:
                self.counts["MESSAGES"] += 1
                self.messages.append(data[at + 2 : at + 2 + length])
                self.next = number + 1
            at += 2 + length
        self.counts["LONG_PACKETS"] += at < len(data)
        return status

    def refuse(self, status: str) -> str:
        self.counts["BAD_HEADERS"] += 1
        return status


class NativeFeed:
    """The C handler in the form of PlainFeed, its messages decoded: None for one that cannot be."""

    def __init__(self, symbols: int = 65, orders: int = 8192) -> None:
        self.book = ffi.gc(lib.ap_book_create(symbols, orders), lib.ap_book_destroy)
        self.feed = ffi.new("ap_feed *")
        lib.ap_feed_init(self.feed, self.book)
        self.messages: list[dict[str, Any] | None] = []

    @property
    def counts(self) -> Counter[str]:
        kinds = ffi.typeof("ap_feed_count").elements
        return Counter({kinds[i].removeprefix("AP_FEED_"): self.feed.counts[i] for i in range(lib.AP_FEED_COUNTS)})

    def receive(self, data: bytes) -> str:
        buffer = ffi.from_buffer("uint8_t[]", data)
        status = lib.ap_feed_open(self.feed, buffer, len(data))
        self.take()
        return ffi.string(ffi.cast("ap_feed_status", status)).removeprefix("AP_FEED_")

    def receive_file(self, data: bytes) -> None:
        buffer = ffi.from_buffer("uint8_t[]", data)
        lib.ap_feed_open_file(self.feed, buffer, len(data))
        self.take()

    def take(self) -> None:
        message = ffi.new("ap_itch_message *")
        while (status := lib.ap_feed_next(self.feed, message)) not in (lib.AP_ITCH_END, lib.AP_ITCH_TRUNCATED):
            good = status == lib.AP_ITCH_OK
            self.messages.append(native_itch.as_dict(message) if good else None)
            if good:
                lib.ap_feed_apply(self.book, message)


def decoded(payload: bytes) -> dict[str, Any] | None:
    kind = payload[:1].decode("latin-1")
    good = kind in itch_spec.MESSAGES and len(payload) == itch_spec.length(kind)
    return itch_spec.decode(payload) if good else None


def compare(packets: list[bytes]) -> Counter[str]:
    plain, native = PlainFeed(), NativeFeed()
    for data in packets:
        assert native.receive(data) == plain.receive(data)
        assert native.feed.next == plain.next
        if plain.gaps:
            assert (native.feed.gap_first, native.feed.gap_count) == plain.gaps[-1]
    assert native.messages == [decoded(payload) for payload in plain.messages]
    assert +native.counts == +plain.counts
    return plain.counts


KINDS = ["lose", "double", "swap", "cut", "extend", "flip", "count", "sequence", "session"]
changes = st.lists(st.tuples(st.sampled_from(KINDS), st.integers(0, 2**16), st.integers(0, 2**16)), max_size=6)


def damage(packets: list[bytes], kind: str, where: int, what: int) -> None:
    """Something goes wrong with one of the packets."""
    i, j = where % len(packets), what % len(packets)
    data = packets[i]
    at = what % max(1, len(data))
    match kind:
        case "lose":
            del packets[i]
        case "double":
            packets.insert(j, data)
        case "swap":
            packets[i], packets[j] = packets[j], packets[i]
        case "cut":
            packets[i] = data[:at]
        case "extend":
            packets[i] = data + b"\0" * (1 + what % 50)
        case "flip":
            packets[i] = data[:at] + bytes([(data[at] if data else 0) ^ 1 << where % 8]) + data[at + 1 :]
        case "count":
            count = [0, what % 64, END_OF_SESSION, END_OF_SESSION - 1][where % 4]
            packets[i] = data[:18] + struct.pack(">H", count) + data[20:]
        case "sequence":
            number = [0, what % 64, 2**64 - 1, 2**64 - what % 8 - 1][where % 4]
            packets[i] = data[:10] + struct.pack(">Q", number) + data[18:]
        case _:
            packets[i] = b"9876543210" + data[10:]


@settings(max_examples=300)
@given(st.randoms(use_true_random=False), changes, st.integers(0, 40))
def test_is_the_plain_handler_on_packets_that_went_wrong(
    sizes: random.Random, changes: list[tuple[str, int, int]], messages: int
) -> None:
    packets = packets_of(PAYLOADS[:messages], sizes) or [packet(1, [])]
    for kind, where, what in changes:
        if packets:
            damage(packets, kind, where, what)
    compare(packets)


def test_is_the_plain_handler_on_100000_messages_of_which_some_went_wrong() -> None:
    draw = random.Random(4)
    counts: Counter[str] = Counter()
    while counts["MESSAGES"] < 100_000:
        first = draw.randrange(2000)
        packets = packets_of(PAYLOADS[first : first + 1000], draw)
        for _ in range(draw.randrange(40)):
            kind = draw.choice([kind for kind in KINDS if kind != "sequence" or draw.random() < 0.02])
            damage(packets, kind, draw.randrange(2**16), draw.randrange(2**16))
        counts += compare(packets)
    assert min(counts[kind] for kind in KINDS_OF_COUNTS) > 50


KINDS_OF_COUNTS = ("DUPLICATES", "GAPS", "MISSED", "BAD_HEADERS", "CUT_PACKETS", "LONG_PACKETS")


def test_hands_each_message_on_once_and_in_order() -> None:
    counts = compare(packets_of(PAYLOADS, random.Random(1)))
    assert +counts == Counter(PACKETS=counts["PACKETS"], MESSAGES=3000)


def test_a_heartbeat_tells_of_what_was_missed() -> None:
    feed = NativeFeed()
    assert feed.receive(packet(1, PAYLOADS[:3])) == "OK"
    assert feed.receive(packet(4, [])) == "OK"
    assert feed.receive(packet(9, [])) == "GAP"
    assert (feed.feed.gap_first, feed.feed.gap_count) == (4, 5)
    assert feed.receive(packet(9, [], count=END_OF_SESSION)) == "OK"
    assert feed.feed.has_ended


def test_two_lines_of_a_feed_make_up_for_each_other() -> None:
    """Line B is a little behind line A; each loses packets, none is lost on both."""
    draw = random.Random(2)
    packets = packets_of(PAYLOADS, draw)
    arrivals = []
    for number, data in enumerate(packets):
        lost_on = draw.choice("AB" + 8 * "-")
        if lost_on != "A":
            arrivals.append((number, data))
        if lost_on != "B":
            arrivals.append((number + 0.5, data))
    feed, alone = NativeFeed(), NativeFeed()
    for _, data in sorted(arrivals):
        feed.receive(data)
    for data in packets:
        alone.receive(data)
    assert feed.messages == alone.messages == [itch_spec.decode(payload) for payload in PAYLOADS]
    assert feed.counts["GAPS"] == 0
    assert feed.counts["DUPLICATES"] > 2000
    assert list(feed.book.counts) == list(alone.book.counts)
    assert feed.book.orders == alone.book.orders


def test_what_a_lost_packet_asked_of_the_book_is_counted_where_it_is_missed() -> None:
    feed = NativeFeed()
    packets = packets_of(PAYLOADS, random.Random(3))
    for number, data in enumerate(packets):
        if number % 50 != 49:
            feed.receive(data)
    assert feed.counts["GAPS"] > 5
    assert feed.counts["MESSAGES"] + feed.counts["MISSED"] == feed.feed.next - 1
    assert feed.book.counts[lib.AP_BOOK_UNKNOWN_REFERENCE] > 0


def test_a_file_of_another_author_is_handed_on_whole() -> None:
    folder = os.environ.get("ARMPROF_FIELD_DATA")
    if not folder:
        pytest.skip("ARMPROF_FIELD_DATA does not name the folder with itch/ex20101224.itch50")
    data = (Path(folder) / "itch" / "ex20101224.itch50").read_bytes()
    feed = NativeFeed(orders=12_000)
    feed.receive_file(data)
    assert feed.messages == [itch_spec.decode(payload) for payload in itch_spec.frames(data)]
    assert +feed.counts == Counter(MESSAGES=12_012)
    assert feed.book.counts[lib.AP_BOOK_UNKNOWN_REFERENCE] == 117  # orders of before the file begins


@settings(max_examples=200)
@given(st.integers(0, 30), st.integers(0, 900), st.integers(1, 2**64 - 1))
def test_packs_frames_as_a_plain_packer_does(messages: int, room: int, sequence: int) -> None:
    frames = framed(PAYLOADS[:messages])
    out, size = ffi.new("uint8_t[]", max(room, 1)), ffi.new("size_t *")
    taken = lib.ap_feed_pack(SESSION, sequence, ffi.from_buffer("uint8_t[]", frames), len(frames), out, room, size)
    fitting = [n for n in range(messages + 1) if len(packet(sequence, PAYLOADS[:n])) <= room]
    if not fitting:
        assert (taken, size[0]) == (0, 0)
        return
    assert bytes(ffi.buffer(out, size[0])) == packet(sequence, PAYLOADS[: fitting[-1]])
    assert taken == size[0] - lib.AP_FEED_HEADER
