"""The file of samples: `Samples` as JSON, behind the name of the format and its version; samples.schema.json describes it."""

from __future__ import annotations

import json
import re
from pathlib import Path

import armprof
from armprof.errors import ArmprofError
from armprof.output import write_text
from armprof.run.codec import MismatchError, decode, encode
from armprof.run.file import load_json
from armprof.samples.profile import Samples

FORMAT = "armprof-samples"
VERSION = 1

_NAMED = re.compile(rf'"format"\s*:\s*"{FORMAT}"')


def is_samples_file(text: str) -> bool:
    """Whether the text means to be a file of samples: it may still be broken."""
    return text.lstrip("\ufeff \t\r\n").startswith("{") and _NAMED.search(text[:4096]) is not None


def render(samples: Samples) -> str:
    """The samples as the text of a file."""
    return json.dumps({"format": FORMAT, "version": VERSION, **encode(samples)}, allow_nan=False) + "\n"


def write(samples: Samples, path: Path) -> None:
    """Writes the file in one step. Raises ArmprofError where that cannot be done."""
    write_text(path, render(samples))


def parse(text: str, origin: str = "<text>") -> Samples:
    """The samples that the text of a file holds. Raises ArmprofError; ``origin`` names the text in it."""
    data = load_json(text.removeprefix("\ufeff"), origin)
    if not isinstance(data, dict) or data.get("format") != FORMAT:
        raise ArmprofError(f"{origin} is no file of samples; `armprof record` writes them")
    version = data.get("version")
    if version != VERSION:
        raise ArmprofError(
            f"{origin} is a file of samples of version {version!r:.60}; armprof {armprof.__version__} reads version {VERSION}"
        )
    try:
        samples: Samples = decode(Samples, data)
    except MismatchError as error:
        raise ArmprofError(f"{origin}: {error}") from None
    _check_numbers(samples, origin)
    return samples


def _check_numbers(samples: Samples, origin: str) -> None:
    """What the types do not say: numbers point into lists, and no stack is empty."""

    def check(where: str, number: int, size: int) -> None:
        if not 0 <= number < size:
            raise ArmprofError(f"{origin}: $.{where}: {number} is beyond the list that it points into")

    for i, stack in enumerate(samples.stacks):
        if not stack:
            raise ArmprofError(f"{origin}: $.stacks[{i}] is empty: a sample has a place at least")
        for frame in stack:
            check(f"stacks[{i}]", frame, len(samples.frames))
    for i, row in enumerate(samples.rows):
        check(f"rows[{i}].event", row.event, len(samples.events))
        check(f"rows[{i}].thread", row.thread, len(samples.threads))
        check(f"rows[{i}].stack", row.stack, len(samples.stacks))
        if row.samples < 1 or row.weight < 0:
            raise ArmprofError(f"{origin}: $.rows[{i}]: {row.samples} samples of a weight of {row.weight}")
