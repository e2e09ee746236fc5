"""Frozen dataclasses to JSON and back: the types of the fields are the schema.

Reading checks every value against the type of its field and says where one does not fit, as a JSON path
(``$.components[0].latency.p50_ns``). A field that has a default may be missing; one that is not known is
passed over, so that a version can gain fields.
"""

from __future__ import annotations

import dataclasses
import types
from collections.abc import Callable, Mapping
from contextlib import suppress
from enum import Enum
from functools import cache, partial
from typing import Any, Union, get_args, get_origin, get_type_hints

_NAMES = {
    str: "text",
    bool: "true or false",
    int: "a whole number",
    float: "a number",
    dict: "an object",
    list: "a list",
}
_LONGEST = 60  # characters of what was found, and of a key, in a message


class MismatchError(ValueError):
    """What stands at ``path`` is not what belongs there."""

    def __init__(self, path: str, expected: str, found: object) -> None:
        self.path, self._said = path, f"expected {expected}, found {_shown(found)}"
        super().__init__(path, expected)

    def __str__(self) -> str:
        return f"{self.path}: {self._said}"


def encode(value: Any) -> Any:
    """The value as dicts, lists, text, numbers and None."""
    if dataclasses.is_dataclass(value):
        return {field.name: encode(getattr(value, field.name)) for field in dataclasses.fields(value)}
    if isinstance(value, Mapping):
        return {key: encode(one) for key, one in value.items()}
    if isinstance(value, tuple):
        return [encode(one) for one in value]
    return value.value if isinstance(value, Enum) else value


def decode(kind: Any, data: Any, path: str = "$") -> Any:
    """The data as a value of this type. Raises MismatchError."""
    try:
        return _decoder(kind)(data)
    except MismatchError as error:
        error.path = path + error.path
        raise


_Decoder = Callable[[Any], Any]  # raises MismatchError, whose path is then that below the data


@cache
def _decoder(kind: Any) -> _Decoder:
    """What turns data into a value of this type: found once for each type, for files have thousands of each."""
    origin, arguments = get_origin(kind), get_args(kind)
    if kind is Any:
        return lambda data: data
    if origin in (Union, types.UnionType):
        return _decoder_of_one(arguments)
    if origin is tuple:
        return _decoder_of_list(_decoder(arguments[0]))
    if origin is not None and issubclass(origin, Mapping):
        return _decoder_of_entries(_decoder(arguments[1]))
    if dataclasses.is_dataclass(kind):
        return _decoder_of_fields(kind)
    if issubclass(kind, Enum):
        return _decoder_of_member(kind)
    return partial(_expect, kind)


def _decoder_of_one(kinds: tuple[Any, ...]) -> _Decoder:
    may_lack = types.NoneType in kinds
    kinds = tuple(kind for kind in kinds if kind is not types.NoneType)
    decoders = tuple(map(_decoder, kinds))

    def decoded(data: Any) -> Any:
        if data is None and may_lack:
            return None
        if len(decoders) == 1:
            return decoders[0](data)
        for decoder in decoders:
            with suppress(MismatchError):
                return decoder(data)
        raise MismatchError("", " or ".join(_NAMES[kind] for kind in kinds), data)

    return decoded


def _decoder_of_list(decoder: _Decoder) -> _Decoder:
    def decoded(data: Any) -> Any:
        found: list[Any] = []
        entries = _expect(list, data)
        try:
            for one in entries:
                found.append(decoder(one))
        except MismatchError as error:
            error.path = f"[{len(found)}]{error.path}"
            raise
        return tuple(found)

    return decoded


def _decoder_of_entries(decoder: _Decoder) -> _Decoder:
    def decoded(data: Any) -> Any:
        key, entries = "", _expect(dict, data).items()
        found = {}
        try:
            for key, one in entries:
                found[key] = decoder(one)
        except MismatchError as error:
            error.path = f".{_shown(key, bare=True)}{error.path}"
            raise
        return found

    return decoded


def _decoder_of_fields(kind: Any) -> _Decoder:
    hints, nothing = get_type_hints(kind), dataclasses.MISSING
    fields = [
        (field.name, _decoder(hints[field.name]), field.default is nothing and field.default_factory is nothing)
        for field in dataclasses.fields(kind)
    ]

    def decoded(data: Any) -> Any:
        values = {}
        _expect(dict, data)
        for name, decoder, needed in fields:
            if name in data:
                try:
                    values[name] = decoder(data[name])
                except MismatchError as error:
                    error.path = f".{name}{error.path}"
                    raise
            elif needed:
                raise MismatchError("", f"a field {name!r}", data)
        return kind(**values)

    return decoded


def _decoder_of_member(kind: Any) -> _Decoder:
    members = {member.value: member for member in kind}

    def decoded(data: Any) -> Any:
        if not isinstance(data, str) or data not in members:
            raise MismatchError("", f"one of {', '.join(members)}", data)
        return members[data]

    return decoded


def _expect(kind: type, data: Any) -> Any:
    """The data itself where it is of that type. Whole numbers are numbers too; true and false are neither."""
    if type(data) is kind and kind is not int:
        return data
    fits = isinstance(data, (int, float) if kind is float else kind) and isinstance(data, bool) == (kind is bool)
    if fits and kind in (int, float):
        try:
            float(data)
        except OverflowError:
            fits = False
    if not fits:
        raise MismatchError("", _NAMES[kind], data)
    return data


def _shown(data: object, bare: bool = False) -> str:
    if isinstance(data, dict | list):
        return "an object" if isinstance(data, dict) else "a list"
    named = {None: "null", True: "true", False: "false"}
    if data is None or isinstance(data, bool):
        return named[data]
    text = str(data) if bare or not isinstance(data, str) else repr(data)
    return text if len(text) <= _LONGEST else f"{text[:_LONGEST]}..."
