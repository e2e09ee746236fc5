"""What is written for programs, held against the schema that the package has of it."""

from __future__ import annotations

import json
from importlib.resources import files
from typing import Any

import jsonschema


def schema(place: str) -> Any:
    """That file of the package, as "report/trends"."""
    return json.loads((files("armprof") / f"{place}.schema.json").read_text(encoding="utf-8"))


def strict(schema: Any) -> Any:
    """The schema, refusing fields that it does not name: what is written must all be described."""
    if isinstance(schema, list):
        return [strict(part) for part in schema]
    if not isinstance(schema, dict):
        return schema
    closed = {key: strict(part) for key, part in schema.items()}
    if closed.get("type") == "object":
        closed.setdefault("additionalProperties", False)
    return closed


def described(text: str, place: str) -> Any:
    """What the text holds, which the schema describes, every field of it."""
    told = json.loads(text)
    jsonschema.Draft202012Validator(strict(schema(place))).validate(told)
    return told
