"""Long recordings of `perf stat -I -x SEPARATOR`, summed column by column: a million intervals in seconds.

Only what is as regular as a recording of one command or machine is taken: the same events in the same order in every
interval, `time count unit event running percent`. Whatever else there is in a file, row by row it is read as well, and slower.
What comes out is the same.
"""

from __future__ import annotations

import io
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace
from itertools import takewhile
from typing import TYPE_CHECKING, Any

from armprof.counters.imported import separated
from armprof.counters.imported.row import TIME_UNITS, UNCOUNTED, Row, Sheet
from armprof.counters.imported.tally import ALWAYS, RowTally
from armprof.counters.reading import Status

if TYPE_CHECKING:
    import numpy as np
    import pandas as pd
    from numpy.typing import NDArray

WORTH = 4 << 20  # characters: below that, rows are as fast as pandas is imported
_AT_ONCE = 1 << 20  # rows
_COLUMNS = ("time", "count", "unit", "label", "running", "percent")
_LARGEST = 1e24


@dataclass(frozen=True, eq=False)
class Block:
    """``intervals`` x ``rows`` of numbers. A count that is none is NaN; ``rows`` are those of the first interval."""

    rows: tuple[Row, ...]
    ends_ns: NDArray[np.int64]
    counts: NDArray[np.float64]
    running_ns: NDArray[np.int64]
    percents: NDArray[np.float64]

    @property
    def lengths_ns(self) -> NDArray[np.int64]:
        """Of the intervals; the first began with the recording."""
        import numpy as np

        return np.diff(self.ends_ns, prepend=0)

    def row(self, interval: int, column: int) -> Row:
        """One row as it stood there."""
        value = float(self.counts[interval, column])
        counted = value == value
        row = replace(self.rows[column], value=value if counted else None, time_ns=int(self.ends_ns[interval]))
        row.missing = None if counted else self.rows[column].missing or Status.NOT_COUNTED
        row.ran(float(self.percents[interval, column]), int(self.running_ns[interval, column]))
        return row

    def tally(self, column: int) -> RowTally:
        """The sum of a column, as of its rows one after the other."""
        import numpy as np

        counts, running, weights = self.counts[:, column], self.running_ns[:, column], self.lengths_ns
        coverage = np.round(self.percents[:, column] / 100, 6)
        counted = ~np.isnan(counts)
        label, unit = self.rows[column].label, self.rows[column].unit
        if not counted.any() and self.rows[column].missing is Status.UNSUPPORTED:
            return RowTally(label, unsupported=len(counts))
        idle = ~counted & (running == 0) & (coverage > 0)
        starved = ~counted & ~idle
        nanoseconds = TIME_UNITS.get(unit)
        values = np.round(counts[counted] * nanoseconds) if nanoseconds else counts[counted]
        timed = bool((coverage[counted] > 0).all())
        share = np.where(coverage[counted] > 0, coverage[counted], 1.0)
        return RowTally(
            label=label,
            unit=("ns" if nanoseconds else unit) if counted.any() else "",
            value=float(values.sum()),
            rows=int(counted.sum()),
            starved=int(starved.sum()),
            idle=int(idle.sum()),
            weight=float(weights[counted].sum()),
            starved_weight=float(weights[starved].sum()),
            covered=float((weights[counted] * coverage[counted]).sum()),
            always=bool((coverage[counted] >= ALWAYS).all()),
            running_ns=int(running[counted].sum()) if timed else None,
            enabled_ns=int(np.round(running[counted] / share).sum()) if timed else None,
        )

    def lines(self) -> Iterator[tuple[str, int, RowTally]]:
        """Label, the how-manieth of that label, and sum of each column."""
        seen: Counter[str] = Counter()
        for column, row in enumerate(self.rows):
            yield row.label, seen[row.label], self.tally(column)
            seen[row.label] += 1


def read(text: str, progress: Callable[[float], None]) -> tuple[Block, str] | None:
    """The block and what is behind it; None where the text is not so regular, or not worth the import of pandas."""
    if len(text) < WORTH:
        return None
    sep = separated.separator(text)
    start = _first_row(text)
    if sep is None or len(sep) != 1 or text.find("\n#", start) >= 0:
        return None
    rows = _first_interval(text[start : start + (1 << 16)], sep)
    if rows is None:
        return None
    try:
        frame = _frame(text, start, sep, progress)
    except (ValueError, OverflowError):  # another number of fields, or none where one belongs
        return None
    return _block(frame, rows, text)


def _first_row(text: str) -> int:
    at = 0
    while at < len(text) and text.startswith(("#", "\n"), at):
        at = text.find("\n", at) + 1 or len(text)
    return at


def _first_interval(beginning: str, sep: str) -> tuple[Row, ...] | None:
    """Its rows, None where they are not of six fields in the usual places, or are all that there is."""
    rows: list[Row] = []
    for line in takewhile(bool, beginning.splitlines()[:-1]):
        fields = [field.strip() for field in line.split(sep)]
        found = list(separated.rows(f"{line}\n", Sheet("csv")))
        if len(found) != 1 or len(fields) < len(_COLUMNS):
            return None
        row = found[0]
        usual = row.label == fields[3] and row.time_ns is not None and not (row.where or row.cgroup)
        if not usual or row.running_ns is None or not fields[4].isdecimal():
            return None
        if rows and row.time_ns != rows[0].time_ns:
            return tuple(rows)
        rows.append(row)
    return None


def _frame(text: str, start: int, sep: str, progress: Callable[[float], None]) -> pd.DataFrame:
    import pandas as pd

    kinds: dict[Any, Any] = {0: "float64", 1: "float64", 2: "category", 3: "category", 4: "float64", 5: "float64"}
    stream = io.StringIO(text)
    stream.seek(start)
    parts = []
    chunks = pd.read_csv(
        stream,
        sep=sep,
        header=None,
        usecols=list(kinds),
        dtype=kinds,
        na_values=list(UNCOUNTED),
        keep_default_na=False,
        quoting=3,
        skipinitialspace=True,
        chunksize=_AT_ONCE,
        encoding_errors="strict",
    )
    for chunk in chunks:
        parts.append(chunk)
        progress(stream.tell() / len(text))
    frame: pd.DataFrame = pd.concat(parts, ignore_index=True) if len(parts) > 1 else parts[0]
    frame.columns = list(_COLUMNS)
    return frame


def _block(frame: pd.DataFrame, rows: tuple[Row, ...], text: str) -> tuple[Block, str] | None:
    """The whole intervals as a block where they are regular; the rows of the last one that is not, as text."""
    import numpy as np

    wide = len(rows)
    intervals = len(frame) // wide
    whole = intervals * wide
    numbers = {name: frame[name].to_numpy()[:whole].reshape(intervals, wide) for name in ("time", "count", "percent")}
    running = frame["running"].to_numpy()[:whole].reshape(intervals, wide)
    same = all(_repeats(frame[name], [getattr(row, name) for row in rows], whole) for name in ("label", "unit"))
    ends = np.round(numbers["time"] * 1e9)
    counts, percents = numbers["count"], numbers["percent"]
    regular = (
        same
        and bool((ends == ends[:, :1]).all())
        and bool((np.diff(ends[:, 0], prepend=0) > 0).all())
        and bool(((percents >= 0) & (percents <= 100)).all())
        and bool((np.isnan(counts) | ((counts >= 0) & (counts < _LARGEST))).all())
        and bool((running >= 0).all())
        and _missing_as_at_first(counts, rows, text)
    )
    if not regular:
        return None
    block = Block(rows, ends[:, 0].astype(np.int64), counts, running.astype(np.int64), percents)
    return block, _last_lines(text, len(frame) - whole)


def _last_lines(text: str, number: int) -> str:
    return "\n".join(text.rstrip("\n").rsplit("\n", number)[-number:]) + "\n" if number else ""


def _repeats(column: pd.Series[Any], expected: Sequence[str], whole: int) -> bool:
    """Whether the column says the same in every interval."""
    named = [str(name).strip() for name in column.cat.categories]
    codes = column.cat.codes.to_numpy()[:whole].reshape(-1, len(expected))
    if (codes < 0).any():
        return False
    first = [named[code] for code in codes[0]]
    return first == list(expected) and bool((codes == codes[0]).all())


def _missing_as_at_first(counts: NDArray[np.float64], rows: Sequence[Row], text: str) -> bool:
    """Whether what is not supported never is, and nothing else is not supported."""
    import numpy as np

    never = np.isnan(counts).sum(axis=0)
    unsupported = [j for j, row in enumerate(rows) if row.missing is Status.UNSUPPORTED]
    told = text.count("<not supported>")
    return told == sum(int(never[j]) for j in unsupported) and all(never[j] == len(counts) for j in unsupported)
