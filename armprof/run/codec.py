"""Frozen dataclasses to JSON and back: the types of the fields are the schema.

Reading checks every value against the type of its field and says where one does not fit, as a JSON path
(``$.components[0].latency.p50_ns``). A field that has a default may be missing; one that is not known is
passed over, so that a version can gain fields.
"""

from __future__ import annotations

import dataclasses
import types
from collections.abc import Mapping
from enum import Enum
from functools import cache
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
        super().__init__(f"{path}: expected {expected}, found {_shown(found)}")


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
    if kind is Any:
        return data
    origin, arguments = get_origin(kind), get_args(kind)
    if origin in (Union, types.UnionType):
        return _decode_one_of(arguments, data, path)
    if origin is tuple:
        return tuple(decode(arguments[0], one, f"{path}[{i}]") for i, one in enumerate(_expect(list, data, path)))
    if origin is not None and issubclass(origin, Mapping):
        entries = _expect(dict, data, path).items()
        return {key: decode(arguments[1], one, f"{path}.{_shown(key, bare=True)}") for key, one in entries}
    if dataclasses.is_dataclass(kind):
        return _decode_fields(kind, _expect(dict, data, path), path)
    if issubclass(kind, Enum):
        known = [member.value for member in kind]
        if data not in known:
            raise MismatchError(path, f"one of {', '.join(known)}", data)
        return kind(data)
    return _expect(kind, data, path)


def _decode_one_of(kinds: tuple[Any, ...], data: Any, path: str) -> Any:
    if data is None and types.NoneType in kinds:
        return None
    kinds = tuple(kind for kind in kinds if kind is not types.NoneType)
    if len(kinds) == 1:
        return decode(kinds[0], data, path)
    for kind in kinds:
        try:
            return decode(kind, data, path)
        except MismatchError:
            pass
    raise MismatchError(path, " or ".join(_NAMES[kind] for kind in kinds), data)


def _decode_fields(kind: Any, data: dict[str, Any], path: str) -> Any:
    values = {}
    for field in dataclasses.fields(kind):
        if field.name in data:
            values[field.name] = decode(_types(kind)[field.name], data[field.name], f"{path}.{field.name}")
        elif field.default is dataclasses.MISSING and field.default_factory is dataclasses.MISSING:
            raise MismatchError(path, f"a field {field.name!r}", data)
    return kind(**values)


@cache
def _types(kind: Any) -> dict[str, Any]:
    return get_type_hints(kind)


def _expect(kind: type, data: Any, path: str) -> Any:
    """The data itself where it is of that type. Whole numbers are numbers too; true and false are neither."""
    fits = isinstance(data, (int, float) if kind is float else kind) and isinstance(data, bool) == (kind is bool)
    if fits and kind in (int, float):
        try:
            float(data)
        except OverflowError:
            fits = False
    if not fits:
        raise MismatchError(path, _NAMES[kind], data)
    return data


def _shown(data: object, bare: bool = False) -> str:
    if isinstance(data, dict | list):
        return "an object" if isinstance(data, dict) else "a list"
    named = {None: "null", True: "true", False: "false"}
    if data is None or isinstance(data, bool):
        return named[data]
    text = str(data) if bare or not isinstance(data, str) else repr(data)
    return text if len(text) <= _LONGEST else f"{text[:_LONGEST]}..."
