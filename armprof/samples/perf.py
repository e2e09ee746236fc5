"""What `perf script` and `perf report --stdio` print, as Samples: names are those that perf found."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator

from armprof.counters.reading import Status, uncounted
from armprof.cpu import canonical
from armprof.errors import ArmprofError
from armprof.samples.profile import Frame, Row, Samples, Thread
from armprof.samples.trace import Sampled

NOT_TOLD = "what was counted in all is not in this output"

# python3 123/124 [001] 4711.123456:     250000 cycles:u:      7f12 walk+0x10 (/lib/libwalk.so)
_SAMPLE = re.compile(
    r"(?P<comm>\S.*?)\s+(?P<pid>\d+)(?:/(?P<tid>\d+))?\s+(?:\[\d+\]\s+)?(?:[\d.]+:\s+)?(?:(?P<period>\d+)\s+)?"
    r"(?P<event>[A-Za-z][^\s]*?):(?P<modifier>[a-zA-Z]*):?(?:\s+(?P<frame>[0-9a-f]+ .*))?\s*"
)
#         7f12 walk+0x10 (/lib/libwalk.so)
_FRAME = re.compile(r"\s*(?P<address>[0-9a-f]{1,16})\s+(?P<symbol>.*?)(?:\+0x[0-9a-f]+)?\s+\((?P<module>.*)\)\s*")
_SOURCE = re.compile(r"\s+(?P<file>[^\s():]+):(?P<line>\d+)\s*")
# # Samples: 12K of event 'cycles:u'
_REPORT = re.compile(r"# Samples: (?P<samples>[\d.]+)(?P<scale>[KMG]?)\s+of events? '(?P<event>[^']+)'")
_EVENTS = re.compile(r"# Event count \(approx\.\): (?P<count>\d+)")
#     45.67%  python3  libwalk.so  [.] walk
_SHARE = re.compile(
    r"\s+(?P<share>\d+\.\d+)%(?:\s+\d+\.\d+%)?\s+(?P<comm>\S.*?)\s+(?P<module>\S+)\s+\[[.k]\]\s(?P<symbol>\S.*)"
)
_SCALES = {"": 1, "K": 1000, "M": 10**6, "G": 10**9}

_KNOWN_LINES = 200  # within so many a file shows what it is


def reader(text: str) -> Callable[[str, str], Samples] | None:
    """What reads such a text: `script` or `report`; None where it is neither."""
    lines = text[: 1 << 16].splitlines()[:_KNOWN_LINES]
    if any(map(_REPORT.match, lines)):
        return report
    for line in lines:
        if line.strip() and not line.startswith("#"):
            found = _SAMPLE.fullmatch(line.strip())
            return script if found and (found["frame"] or any(map(_FRAME.fullmatch, lines))) else None
    return None


class _Building:
    """Samples that grow."""

    def __init__(self) -> None:
        self.events: dict[str, int] = {}
        self.threads: dict[Thread, int] = {}
        self.frames: dict[Frame, int] = {}
        self.stacks: dict[tuple[int, ...], int] = {}
        self.rows: dict[tuple[int, int, int], tuple[int, int]] = {}

    def add(self, event: str, thread: Thread, stack: list[Frame], samples: int, weight: int) -> None:
        numbers = tuple(self.frames.setdefault(frame, len(self.frames)) for frame in stack)
        key = (
            self.events.setdefault(canonical(event) or event, len(self.events)),
            self.threads.setdefault(thread, len(self.threads)),
            self.stacks.setdefault(numbers, len(self.stacks)),
        )
        before = self.rows.get(key, (0, 0))
        self.rows[key] = (before[0] + samples, before[1] + weight)

    def samples(self, origin: str, note: str) -> Samples:
        return Samples(
            events=tuple(
                Sampled(e, uncounted(e, Status.NOT_COUNTED, NOT_TOLD), "as perf was told", "") for e in self.events
            ),
            frames=tuple(self.frames),
            stacks=tuple(self.stacks),
            threads=tuple(self.threads),
            rows=tuple(Row(*key, *found) for key, found in self.rows.items()),
            losses=None,
            duration_ns=None,
            reading_ns=None,
            command=origin,
            source="imported",
            notes=(note,),
        )


def script(text: str, origin: str) -> Samples:
    """The samples that `perf script` printed, with stacks or without. Raises ArmprofError where it holds none."""
    built = _Building()
    unknown = 0
    for head, lines in _samples(text):
        if head is None:
            unknown += 1
            continue
        stack = list(_frames(lines)) or [Frame("", 0)]
        thread = Thread(int(head["pid"]), int(head["tid"] or head["pid"]), head["comm"])
        built.add(head["event"], thread, stack, 1, int(head["period"] or 1))
    if not built.rows:
        raise ArmprofError(f"{origin} holds no samples of `perf script`")
    note = "imported from perf script; a sample without a period stands for one event"
    return built.samples(origin, note + (f"; {unknown:,} lines were not understood" if unknown else ""))


def _samples(text: str) -> Iterator[tuple[re.Match[str] | None, list[str]]]:
    """Each sample's first line and those of its stack; None for a first line that is none."""
    head: re.Match[str] | None = None
    frames: list[str] = []
    for line in text.splitlines():
        if line.startswith((" ", "\t")) and head is not None and (_FRAME.fullmatch(line) or _SOURCE.fullmatch(line)):
            frames.append(line)
            continue
        if head is not None:
            yield head, frames
            head, frames = None, []
        if not line.strip() or line.startswith("#"):
            continue
        head = _SAMPLE.fullmatch(line.strip())
        if head is None:
            yield None, []
        elif head["frame"]:
            frames = [head["frame"]]
    if head is not None:
        yield head, frames


def _frames(lines: list[str]) -> Iterator[Frame]:
    """A line of source, where perf was asked for it, stands behind the frame that it is of."""
    for number, line in enumerate(lines):
        found = _FRAME.fullmatch(line)
        if found is None:
            continue
        source = _SOURCE.fullmatch(lines[number + 1]) if number + 1 < len(lines) else None
        symbol = None if found["symbol"] == "[unknown]" else found["symbol"]
        inlined = found["module"] == "inlined"
        file, at = (source["file"], int(source["line"])) if source else (None, None)
        yield Frame("" if inlined else found["module"], int(found["address"], 16), symbol, file, at, inlined)


def report(text: str, origin: str) -> Samples:
    """The functions that `perf report --stdio` printed. Raises ArmprofError where it holds none."""
    built = _Building()
    event, samples, count = "", 0, 0
    for line in text.splitlines():
        if head := _REPORT.match(line):
            event = head["event"].partition(":")[0]
            samples, count = round(float(head["samples"]) * _SCALES[head["scale"]]), 0
        elif events := _EVENTS.match(line):
            count = int(events["count"])
        elif event and (row := _SHARE.fullmatch(line)):
            share = float(row["share"]) / 100
            frame = Frame(row["module"], 0, row["symbol"].strip())
            built.add(
                event,
                Thread(0, 0, row["comm"]),
                [frame],
                max(1, round(share * samples)),
                round(share * (count or samples)),
            )
    if not built.rows:
        raise ArmprofError(f"{origin} holds no functions of `perf report`: give what perf report --stdio prints")
    return built.samples(origin, "imported from perf report: shares as it rounded them, samples follow from them")
