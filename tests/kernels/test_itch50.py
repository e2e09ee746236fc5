"""The ITCH 5.0 parser against a decoder written from the specification and against two of other authors."""

from __future__ import annotations

import collections
import os
import random
from pathlib import Path

import columns
import itch_spec
import native_itch
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from armprof import _native

ffi, lib = _native.ffi, _native.lib


@pytest.fixture(scope="module")
def field_file() -> Path:
    folder = os.environ.get("ARMPROF_FIELD_DATA")
    if not folder:
        pytest.skip("ARMPROF_FIELD_DATA does not name the folder with itch/ex20101224.itch50")
    return Path(folder) / "itch" / "ex20101224.itch50"


@st.composite
def payloads(draw: st.DrawFn) -> bytes:
    kind = draw(st.sampled_from(sorted(itch_spec.MESSAGES)))
    size = itch_spec.length(kind) - 1
    return kind.encode() + draw(st.binary(min_size=size, max_size=size))


def framed(payload: bytes) -> bytes:
    return len(payload).to_bytes(2, "big") + payload


def test_knows_every_type_of_the_specification_and_its_length() -> None:
    lengths = {chr(kind): lib.ap_itch_length(bytes([kind])) for kind in range(256)}
    known = {kind: length for kind, length in lengths.items() if length}
    assert known == {kind: itch_spec.length(kind) for kind in itch_spec.MESSAGES}


@settings(max_examples=300, deadline=None)
@given(payloads())
def test_decodes_each_field_as_the_specification_says(payload: bytes) -> None:
    assert native_itch.decode(payload) == (lib.AP_ITCH_OK, itch_spec.decode(payload))


OF_EACH_TYPE = 10_000


@pytest.mark.parametrize("kind", itch_spec.MESSAGES)
def test_decodes_and_encodes_230000_random_messages_as_the_specification_says(kind: str) -> None:
    name, fields = itch_spec.MESSAGES[kind]
    header = [("type", "c"), ("stock_locate", "H"), ("tracking_number", "H"), ("high", "H"), ("low", "I")]
    body = [(word.split(":")[1], word.split(":")[0]) for word in fields.split()]
    frame = columns.wire([("length", "H"), *header, *body])
    sent = columns.random_rows(np.random.default_rng(ord(kind)), OF_EACH_TYPE, frame)
    sent["length"], sent["type"] = frame.itemsize - 2, ord(kind)

    messages = ffi.new("ap_itch_message[]", OF_EACH_TYPE)
    reader = ffi.new("ap_itch_reader *")
    data = ffi.from_buffer("uint8_t[]", sent)
    lib.ap_itch_reader_init(reader, data, len(data), lib.AP_ITCH_BINARYFILE)
    out = ffi.new("uint8_t[]", OF_EACH_TYPE * frame.itemsize + lib.AP_ITCH_MAX_LENGTH)
    for i in range(OF_EACH_TYPE):
        lib.ap_itch_next(reader, messages + i)
        lib.ap_itch_encode(messages + i, out + i * frame.itemsize + 2)
    assert list(reader.counts) == [OF_EACH_TYPE, 0, 0, 0]

    found = columns.rows(messages, columns.native("ap_itch_message", name))
    for field in ["type", "stock_locate", "tracking_number", *(field for field, _ in body)]:
        assert np.array_equal(found[field], sent[field]), field
    assert np.array_equal(found["timestamp"], sent["high"].astype(np.uint64) << np.uint64(32) | sent["low"])
    encoded = np.frombuffer(ffi.buffer(out), dtype=frame, count=OF_EACH_TYPE).copy()
    encoded["length"] = sent["length"]
    assert encoded.tobytes() == sent.tobytes()


def frames_by_the_book(data: bytes) -> list[str]:
    """What each frame is: plain BinaryFILE reading."""
    found, at = [], 0
    while at < len(data):
        size = int.from_bytes(data[at : at + 2], "big")
        if at + 2 > len(data) or at + 2 + size > len(data):
            return [*found, "TRUNCATED"]
        kind = data[at + 2 : at + 3].decode("latin-1")
        known = "BAD_LENGTH" if size == 0 or kind in itch_spec.MESSAGES else "UNKNOWN_TYPE"
        found.append("OK" if size and known == "BAD_LENGTH" and size == itch_spec.length(kind) else known)
        at += 2 + size
    return found


def test_names_100000_random_frames_by_what_is_wrong_with_them() -> None:
    """Types, lengths and ends of all kinds, each buffer cut where it may be."""
    draw = random.Random(5)
    kinds = [ord(kind) for kind in itch_spec.MESSAGES]
    seen: collections.Counter[str] = collections.Counter()
    message, reader = ffi.new("ap_itch_message *"), ffi.new("ap_itch_reader *")
    while sum(seen.values()) < 100_000:
        data = bytearray()
        for _ in range(draw.randrange(1, 120)):
            kind = draw.choice(kinds) if draw.random() < 0.8 else draw.randrange(256)
            right = itch_spec.length(chr(kind)) if kind in kinds else 30
            size = draw.choice([right, right, right, 0, right - 1, right + 1, draw.randrange(60)])
            data += framed(bytes([kind, *draw.randbytes(60)])[:size])
        whole = bytes(data[: draw.choice([len(data), draw.randrange(len(data) + 1)])])
        lib.ap_itch_reader_init(reader, ffi.from_buffer("uint8_t[]", whole), len(whole), lib.AP_ITCH_BINARYFILE)
        expected = frames_by_the_book(whole)
        found = [STATUSES[lib.ap_itch_next(reader, message)] for _ in range(len(expected) + 1)]
        assert found == [*expected, "END"]
        seen.update(expected)
    assert min(seen[kind] for kind in ("OK", "UNKNOWN_TYPE", "BAD_LENGTH", "TRUNCATED")) > 500


STATUSES = {value: name.removeprefix("AP_ITCH_") for value, name in ffi.typeof("ap_itch_status").elements.items()}


@settings(max_examples=200, deadline=None)
@given(payloads())
def test_encodes_what_it_decoded(payload: bytes) -> None:
    message, out = ffi.new("ap_itch_message *"), ffi.new("uint8_t[]", lib.AP_ITCH_MAX_LENGTH)
    lib.ap_itch_decode(ffi.from_buffer("uint8_t[]", payload), len(payload), message)
    assert bytes(ffi.buffer(out, lib.ap_itch_encode(message, out))) == payload


@settings(max_examples=200, deadline=None)
@given(payloads(), payloads())
def test_goes_on_behind_a_bad_frame_and_counts_it_by_kind(first: bytes, last: bytes) -> None:
    data = b"".join(
        [
            framed(first),
            framed(b"?" + first[1:]),  # no such type
            framed(b""),
            framed(first + b"\0"),
            framed(last),
            framed(first)[:-1],  # cut off
        ]
    )
    messages, counts = native_itch.read(data)
    assert messages == [itch_spec.decode(first), itch_spec.decode(last)]
    assert counts[lib.AP_ITCH_OK] == 2
    assert counts[lib.AP_ITCH_UNKNOWN_TYPE] == 1
    assert counts[lib.AP_ITCH_BAD_LENGTH] == 2
    assert counts[lib.AP_ITCH_TRUNCATED] == 1


@settings(max_examples=200, deadline=None)
@given(st.lists(payloads(), max_size=8))
def test_reads_messages_without_lengths(messages: list[bytes]) -> None:
    found, counts = native_itch.read(b"".join(messages), lib.AP_ITCH_RAW)
    assert found == [itch_spec.decode(payload) for payload in messages]
    assert sum(counts) == len(messages)


def test_raw_framing_ends_at_an_unknown_type_rather_than_guess() -> None:
    good = native_itch.generate(1, 1)[2:]
    found, counts = native_itch.read(good + b"?" + good, lib.AP_ITCH_RAW)
    assert len(found) == 1
    assert counts[lib.AP_ITCH_UNKNOWN_TYPE] == 1


def test_generated_stream_decodes_to_the_same_messages() -> None:
    data = native_itch.generate(7, 20_000)
    messages, counts = native_itch.read(data)
    assert counts[lib.AP_ITCH_OK] == sum(counts) == 20_000
    assert messages == [itch_spec.decode(payload) for payload in itch_spec.frames(data)]


def test_a_file_of_another_author_has_its_12012_messages(field_file: Path) -> None:
    data = field_file.read_bytes()
    messages, counts = native_itch.read(data)
    assert counts[lib.AP_ITCH_OK] == sum(counts) == 12_012
    assert messages == [itch_spec.decode(payload) for payload in itch_spec.frames(data)]
    assert {m["stock"] for m in messages if "stock" in m} == {b"ALC     ", b"BOB     ", b"CHAR    "}
    assert collections.Counter(m["type"] for m in messages)[b"A"] > 1000


def values_of(message: object) -> list[object]:
    """The fields of another reader's message in wire order, as both assign them; without the timestamp."""
    return [v for name, v in vars(message).items() if name != "timestamp" and not name.startswith("_")]


@pytest.mark.parametrize("source", ["generated", "field file"])
@pytest.mark.parametrize("reader", ["itchfeed", "meatpy"])
def test_agrees_with_readers_of_others(reader: str, source: str, request: pytest.FixtureRequest) -> None:
    if reader == "itchfeed":
        itchfeed = pytest.importorskip("itch.messages", reason="itchfeed is not installed")
        read, unread = (lambda payload: itchfeed.messages[payload[:1]](payload)), b""
    else:
        meatpy = pytest.importorskip("meatpy.itch50.itch50_market_message", reason="meatpy is not installed")
        # meatpy 0.5 takes 'O' for a message of 52 bytes with other fields; the specification's has 48.
        read, unread = meatpy.ITCH50MarketMessage.from_bytes, b"O"
    if source == "generated":
        data = native_itch.generate(11, 20_000)
    else:
        data = request.getfixturevalue("field_file").read_bytes()

    compared = 0
    for payload, ours in zip(itch_spec.frames(data), native_itch.read(data)[0], strict=True):
        if payload[0] not in unread:
            theirs = read(payload)
            assert ours.pop("timestamp") == theirs.timestamp
            assert list(ours.values())[1:] == values_of(theirs)  # all but the type
            compared += 1
    assert compared > 12_000
