"""Of which kind instructions are, many at once: `encodings.toml` has the masks."""

from __future__ import annotations

import tomllib
from functools import cache
from importlib.resources import files
from typing import Any

import numpy as np

# The branches that have a target in the instruction: the lowest bit and the width of its offset in words.
TARGETS = {"jump": (0, 26), "call": (0, 26), "conditional": (5, 19), "compare_branch": (5, 19), "test_branch": (5, 14)}


@cache
def table() -> dict[str, list[tuple[int, int]]]:
    text = files(__package__).joinpath("encodings.toml").read_text(encoding="utf-8")
    return {kind: [(mask, value) for mask, value in pairs] for kind, pairs in tomllib.loads(text).items()}


def of_kind(words: Any, *kinds: str) -> Any:
    """Whether each of the words is an instruction of one of the kinds."""
    found = np.zeros(len(words), bool)
    for kind in kinds:
        for mask, value in table()[kind]:
            found |= (words & np.uint32(mask)) == np.uint32(value)
    return found


def offsets(words: Any, kind: str) -> Any:
    """How many words ahead each branch of the kind leads."""
    low, width = TARGETS[kind]
    value = (words >> np.uint32(low)).astype(np.int64) & (1 << width) - 1
    return value - ((value >> width - 1) << width)
