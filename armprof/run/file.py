"""The run file: a Run as JSON, behind the name of the format and its version; run.schema.json describes it. What the
regions of a C program have left is read as well, and is a Run from then on (`armprof.run.regions`); so is what other
benchmarks have saved (`armprof.run.foreign`).

The version is raised where a reader of the older one would misunderstand the newer; one field more is no
reason.
"""

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import Any, NoReturn

import armprof
from armprof.counters.reading import Count
from armprof.errors import ArmprofError
from armprof.output import write_text
from armprof.run import foreign, regions
from armprof.run.codec import MismatchError, decode, encode
from armprof.run.record import Run

FORMAT = "armprof-run"
VERSION = 1

_NAMED = re.compile(rf'"format"\s*:\s*"({FORMAT}|{regions.FORMAT})"')


def is_run_file(text: str) -> bool:
    """Whether the text means to be a run file: it may still be broken."""
    return text.lstrip("\ufeff \t\r\n").startswith("{") and _NAMED.search(text) is not None


def render(run: Run) -> str:
    """The run as the text of a run file. Numbers keep their full precision; None is null."""
    return json.dumps({"format": FORMAT, "version": VERSION, **encode(run)}, indent=1, allow_nan=False) + "\n"


def write(run: Run, path: Path) -> None:
    """Writes the run file in one step. Raises ArmprofError where that cannot be done."""
    write_text(path, render(run))


def read(path: Path) -> Run:
    """The run in that file. Raises ArmprofError where it is no run file that this armprof can read."""
    try:
        data = Path(path).read_bytes()
    except (OSError, ValueError) as error:  # ValueError: a NUL in the name
        raise ArmprofError(f"cannot read {path}: {getattr(error, 'strerror', None) or error}") from None
    return parse(data.decode("utf-8-sig", "replace"), str(path))


def parse(text: str, origin: str = "<text>") -> Run:
    """The run that the text of a run file holds. Raises ArmprofError; ``origin`` names the text in it."""
    data = load_json(text.removeprefix("\ufeff"), origin)
    if isinstance(data, dict) and "format" not in data and foreign.is_one(data):
        try:
            return foreign.run_of(data)
        except MismatchError as error:
            raise ArmprofError(f"{origin}: {error}") from None
    if not isinstance(data, dict) or data.get("format") not in (FORMAT, regions.FORMAT):
        named = data.get("format") if isinstance(data, dict) else None
        what = f"a file of the format {named[:60]!r}" if isinstance(named, str) else "JSON of another program"
        raise ArmprofError(f"{origin} is no run file but {what}; `armprof bench` writes run files")
    version = data.get("version")
    if not isinstance(version, int) or isinstance(version, bool) or version < 1:
        raise ArmprofError(f"{origin}: $.version: expected a whole number from 1, found {version!r}")
    known = VERSION if data["format"] == FORMAT else regions.VERSION
    if version > known:
        raise ArmprofError(
            f"{origin} is a run file of version {version}; armprof {armprof.__version__} reads version "
            f"{known}: upgrade armprof"
        )
    try:
        run: Run = decode(Run, data) if data["format"] == FORMAT else regions.run_of(data)
    except MismatchError as error:
        raise ArmprofError(f"{origin}: {error}") from None
    _check_counts(run, origin)
    _check_paths(run, origin)
    return run


def load_json(text: str, origin: str) -> Any:
    """The JSON of a file that armprof wrote. Raises ArmprofError, which says what is wrong with it, and where."""

    def refuse(constant: str) -> NoReturn:
        raise ArmprofError(f"{origin} holds {constant}, which is no number: a run file never does")

    def number(digits: str) -> float:
        value = float(digits)
        return value if abs(value) != float("inf") else refuse(digits[:60])

    try:
        return json.loads(text, parse_constant=refuse, parse_float=number)
    except json.JSONDecodeError as error:
        if not text.strip():
            raise ArmprofError(f"{origin} is empty, not a run file") from None
        if text.lstrip().startswith("{") and _is_cut(text, error):
            raise ArmprofError(f"{origin} is cut off in line {error.lineno}: copy or make it anew") from None
        where = f"line {error.lineno}, column {error.colno}"
        raise ArmprofError(f"{origin} is not JSON, so no run file ({where}: {error.msg})") from None
    except RecursionError:
        raise ArmprofError(f"{origin} is nested too deeply for a run file") from None
    except ValueError as error:  # a whole number of thousands of digits
        raise ArmprofError(f"{origin} is no run file: {error}") from None


def _is_cut(text: str, error: json.JSONDecodeError) -> bool:
    """Whether the text is right up to its end, and more was to come."""
    if error.msg.startswith(("Unterminated string", "Extra data")):
        return error.msg.startswith("Unterminated")
    return re.fullmatch(r"[-+.\\\w]*\s*", text[error.pos :]) is not None


def _check_counts(run: Run, origin: str) -> None:
    """What the types do not say of counts, and every reader of them relies on."""
    for i, component in enumerate(run.components):
        readings = {"reading": component.reading} if component.reading is not None else {}
        readings |= {f"groups[{j}]": group for j, group in enumerate(component.groups)}
        stages = component.critical_path.stages if component.critical_path else ()
        readings |= {f"critical_path.stages[{j}].reading": s.reading for j, s in enumerate(stages) if s.reading}
        for place, reading in readings.items():
            for event, count in reading.counts.items():
                wrong = _wrong(event, count)
                if wrong is not None:
                    raise ArmprofError(f"{origin}: $.components[{i}].{place}.counts.{event[:60]}{wrong}")


def _wrong(event: str, count: Count) -> str | None:
    """What is wrong with the count of that name; None where nothing is."""
    coverage = count.coverage
    if count.event != event:
        return f".event: expected {event[:60]!r}, found {count.event[:60]!r}"
    if count.status.has_value != (count.value is not None):
        return f": a count that is {count.status} cannot have {'no value' if count.value is None else 'a value'}"
    if count.value is None and not count.reason:
        return ": a count without a value needs a reason"
    if coverage is not None and not 0 <= coverage <= 1:
        return f": its coverage, {coverage:.4g}, is not between 0 and 1"
    return None


def _check_paths(run: Run, origin: str) -> None:
    """What the types do not say of stages and rates."""
    for i, component in enumerate(run.components):
        where, path, loop = f"{origin}: $.components[{i}]", component.critical_path, component.open_loop
        if path is not None and not path.stages:
            raise ArmprofError(f"{where}.critical_path.stages: expected at least one stage")
        if loop is not None and loop.rate_per_s <= 0:
            raise ArmprofError(f"{where}.open_loop.rate_per_s: expected a rate above 0, found {loop.rate_per_s:.4g}")
        shares = {} if loop is None else {"open_loop.on_time_until": loop.on_time_until}
        for j, stage in enumerate(path.stages if path else ()):
            place = f"critical_path.stages[{j}]"
            shares |= {f"{place}.p50_share": stage.p50_share, f"{place}.p99_share": stage.p99_share}
        for name, share in shares.items():
            if not 0 <= share <= 1:
                raise ArmprofError(f"{where}.{name}: expected a share from 0 to 1, found {share:.4g}")
