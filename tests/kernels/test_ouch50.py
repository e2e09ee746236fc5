"""OUCH 5.0 messages byte by byte against an encoder written from the specification."""

from __future__ import annotations

import re
import struct
from typing import Any

import columns
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from armprof import _native

ffi, lib = _native.ffi, _native.lib

# Name, fields in wire order, and their struct letters by the specification (Integer: I; Price: Q; Alpha: c or Ns); H is
# the length of the appendage.
MESSAGES: dict[bytes, tuple[str, str, str]] = {
    b"O": (
        "enter_order",
        "user_reference side quantity symbol price time_in_force display capacity sweep cross_type client_order_id",
        ">cIcI8sQccccc14sH",
    ),
    b"U": (
        "replace_order",
        "original_user_reference user_reference quantity price time_in_force display sweep client_order_id",
        ">cIIIQccc14sH",
    ),
    b"X": ("cancel_order", "user_reference quantity", ">cII"),
}


def specified(kind: bytes, values: list[Any]) -> bytes:
    layout = MESSAGES[kind][2]
    return struct.pack(layout, kind, *values, *([0] if layout.endswith("H") else []))


def encode(kind: bytes, values: list[Any]) -> bytes:
    message, out = ffi.new("ap_ouch_message *"), ffi.new("uint8_t[]", lib.AP_OUCH_MAX_LENGTH)
    message.type = kind
    name, fields, _ = MESSAGES[kind]
    for field, value in zip(fields.split(), values, strict=True):
        if isinstance(value, bytes) and len(value) > 1:
            ffi.memmove(getattr(getattr(message, name), field), value, len(value))
        else:
            setattr(getattr(message, name), field, value)
    return bytes(ffi.buffer(out, lib.ap_ouch_encode(message, out)))


def decode(data: bytes) -> tuple[bytes, list[Any]]:
    message = ffi.new("ap_ouch_message *")
    assert lib.ap_ouch_decode(ffi.from_buffer("uint8_t[]", data), len(data), message) == lib.AP_OUCH_OK
    name, fields, _ = MESSAGES[message.type]
    values = [getattr(getattr(message, name), field) for field in fields.split()]
    return message.type, [v if isinstance(v, int | bytes) else bytes(ffi.buffer(v)) for v in values]


@st.composite
def messages(draw: st.DrawFn) -> tuple[bytes, list[Any]]:
    kind = draw(st.sampled_from(sorted(MESSAGES)))
    letters = MESSAGES[kind][2][2:].removesuffix("H").replace("14s", "L").replace("8s", "T")
    values = {
        "c": st.binary(min_size=1, max_size=1),
        "I": st.integers(0, 2**32 - 1),
        "Q": st.integers(0, 2**64 - 1),
        "T": st.binary(min_size=8, max_size=8),
        "L": st.binary(min_size=14, max_size=14),
    }
    return kind, [draw(values[letter]) for letter in letters]


OF_EACH_TYPE = 40_000


@pytest.mark.parametrize("kind", MESSAGES)
def test_encodes_120000_random_messages_as_the_specification_says_and_back(kind: bytes) -> None:
    name, fields, layout = MESSAGES[kind]
    letters = re.findall(r"\d*[a-zA-Z]", layout)[1:]
    names = fields.split()
    wire = columns.wire([("type", "c"), *zip([*names, "appendage"], letters, strict=False)])
    sent = columns.random_rows(np.random.default_rng(ord(kind)), OF_EACH_TYPE, wire)
    sent["type"] = ord(kind)
    if "appendage" in sent.dtype.names:
        sent["appendage"] = 0

    messages, decoded = ffi.new("ap_ouch_message[]", OF_EACH_TYPE), ffi.new("ap_ouch_message[]", OF_EACH_TYPE)
    structure = columns.native("ap_ouch_message", name)
    given_, found = columns.rows(messages, structure), columns.rows(decoded, structure)
    for field in ["type", *names]:
        given_[field] = sent[field]
    size = lib.ap_ouch_length(kind)
    assert size == wire.itemsize
    out = ffi.new("uint8_t[]", OF_EACH_TYPE * size + lib.AP_OUCH_MAX_LENGTH)
    for i in range(OF_EACH_TYPE):
        lib.ap_ouch_encode(messages + i, out + i * size)
        lib.ap_ouch_decode(out + i * size, size, decoded + i)
    assert bytes(ffi.buffer(out, OF_EACH_TYPE * size)) == sent.tobytes()
    for field in ["type", *names]:
        assert np.array_equal(found[field], sent[field]), field


def status_of(data: bytes) -> str:
    message = ffi.new("ap_ouch_message *")
    status = lib.ap_ouch_decode(ffi.from_buffer("uint8_t[]", data), len(data), message)
    return str(ffi.string(ffi.cast("ap_ouch_status", status))).removeprefix("AP_OUCH_")


@given(st.binary(max_size=60) | st.builds(bytes.__add__, st.sampled_from([b"O", b"U", b"X"]), st.binary(max_size=60)))
def test_says_what_is_wrong_with_any_bytes(data: bytes) -> None:
    lengths = {kind: struct.calcsize(layout) for kind, (_, _, layout) in MESSAGES.items()}
    kind = data[:1]
    if data and kind not in lengths:
        assert status_of(data) == "UNKNOWN_TYPE"
    elif len(data) != lengths.get(kind):
        assert status_of(data) == "BAD_LENGTH"
    else:
        assert status_of(data) == ("OPTIONS" if kind != b"X" and any(data[-2:]) else "OK")


@settings(max_examples=500)
@given(messages())
def test_encodes_as_the_specification_says_and_back(message: tuple[bytes, list[Any]]) -> None:
    kind, values = message
    data = encode(kind, values)
    assert data == specified(kind, values)
    assert decode(data) == (kind, values)


@pytest.mark.parametrize(
    ("kind", "values", "bytes_in_hex"),
    [
        (  # buy 300 TBILL at 99.5 dollars, immediate or cancel, shown, for our own account
            b"O",
            [7, b"B", 300, b"TBILL   ", 995_000, b"3", b"Y", b"P", b"N", b"N", b"FIRST         "],
            "4f 00000007 42 0000012c 5442494c4c202020 00000000000f2eb8 33 59 50 4e 4e4649525354202020202020202020 0000",
        ),
        (
            b"U",
            [7, 8, 200, 994_900, b"0", b"Y", b"N", b"SECOND        "],
            "55 00000007 00000008 000000c8 00000000000f2e54 30 59 4e 5345434f4e442020202020202020 0000",
        ),
        (b"X", [8, 0], "58 00000008 00000000"),
    ],
)
def test_bytes_written_out_by_hand(kind: bytes, values: list[Any], bytes_in_hex: str) -> None:
    assert encode(kind, values) == bytes.fromhex(bytes_in_hex)
