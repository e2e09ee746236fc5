"""Samples for `pprof`: its profile.proto, gzipped.

The format is a few messages of varints and byte strings, written here field by field: the numbers are those of
https://github.com/google/pprof/blob/main/proto/profile.proto.
"""

from __future__ import annotations

import gzip
from collections.abc import Iterable

from armprof.samples import Samples


def render(samples: Samples, event: str | None = None) -> bytes:
    """A value for each event; of the one that is named alone."""
    numbers = list(range(len(samples.events))) if event is None else [samples.number(event)]
    texts = _Texts()
    body = [
        _message(1, _value_type(texts, samples.events[n].name, samples.events[n].count.unit or "count"))
        for n in numbers
    ]
    for row in samples.rows:
        if row.event in numbers:
            values = [row.weight if row.event == n else 0 for n in numbers]
            thread = samples.threads[row.thread]
            labels = (_number(1, texts["thread"]) + _number(2, texts[f"{thread.name} ({thread.tid})"]),)
            sample = _packed(1, (frame + 1 for frame in samples.stacks[row.stack])) + _packed(2, values)
            body.append(_message(2, sample + b"".join(_message(3, label) for label in labels)))
    functions: dict[tuple[str, str], int] = {}
    for number, frame in enumerate(samples.frames, 1):
        function = functions.setdefault((frame.name, frame.file or ""), len(functions) + 1)
        line = _number(1, function) + _number(2, frame.line or 0)
        body.append(_message(4, _number(1, number) + _number(3, frame.address) + _message(4, line)))
    for (name, file), number in functions.items():
        body.append(
            _message(
                5, _number(1, number) + _number(2, texts[name]) + _number(3, texts[name]) + _number(4, texts[file])
            )
        )
    tail = [_number(10, samples.duration_ns or 0), _number(13, texts[samples.command])]  # there, 0 is "not set"
    strings = [_message(6, text.encode("utf-8", "replace")) for text in texts]
    return gzip.compress(b"".join([*body, *strings, *tail]), mtime=0)


class _Texts(dict[str, int]):
    """Each text once; the first is empty, as the format asks."""

    def __init__(self) -> None:
        super().__init__({"": 0})

    def __missing__(self, text: str) -> int:
        number = self[text] = len(self)
        return number


def _value_type(texts: _Texts, name: str, unit: str) -> bytes:
    return _number(1, texts[name]) + _number(2, texts["nanoseconds" if unit == "ns" else unit])


def _varint(value: int) -> bytes:
    value &= 2**64 - 1
    out = bytearray()
    while value > 0x7F:
        out.append(value & 0x7F | 0x80)
        value >>= 7
    out.append(value)
    return bytes(out)


def _number(field: int, value: int) -> bytes:
    return _varint(field << 3) + _varint(value)


def _message(field: int, content: bytes) -> bytes:
    return _varint(field << 3 | 2) + _varint(len(content)) + content


def _packed(field: int, values: Iterable[int]) -> bytes:
    return _message(field, b"".join(map(_varint, values)))
