"""Who cries wolf: `armprof ab` beside the decision rules of other tools, on identical code and on code 5 and 2 % slower.

    python benchmarks/regression.py --trials 200 --output trials.jsonl

Every trial compares two builds of one function. armprof times them in turns; each rule is applied to the samples of one
process for the old build and then one for the new, as the tools time, and again to the very samples that armprof took.
Trials of all kinds take turns and are appended to the file, so that a run that was stopped goes on; the table is printed
from the file. Needs a C compiler.
"""

from __future__ import annotations

import argparse
import json
import math
import subprocess
import sys
import tempfile
from array import array
from collections import Counter
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import numpy as np

from armprof import cpu
from armprof.compare.paired import SECONDS, TOLERANCE, compare_pairs
from armprof.components.linked import Symbols, in_child
from armprof.components.pairs import Samples
from armprof.components.pinning import pinned
from armprof.components.symbols import symbol

HERE = Path(__file__).parent
KERNELS = HERE.parent / "csrc" / "kernels"
FUNCTIONS = ("chase", "risk", "treasury", "object_pool")
CHANGES = (0, 2, 5)  # percent
SAMPLES = 300  # of one side, where a tool takes them in one go


def build(folder: Path, work: int, name: str) -> Path:
    library = folder / f"{name}.so"
    sources = [str(HERE / "regression_work.c"), *map(str, sorted(KERNELS.glob("*.c")))]
    options = ["-O2", "-std=c17", "-shared", "-fPIC", "-pthread", f"-DWORK={work}", f"-I{KERNELS}"]
    subprocess.run(["cc", *options, *sources, "-o", str(library), "-lm"], check=True)
    return library


# Each rule: whether it calls the new side changed, from the samples of both. The tools' own defaults.


def pytest_benchmark(old: np.ndarray, new: np.ndarray) -> bool:
    """--benchmark-compare-fail=min:5%, which looks at slower alone."""
    return bool(new.min() > 1.05 * old.min())


def google(old: np.ndarray, new: np.ndarray) -> bool:
    """`compare.py`: Mann-Whitney, p < 0.05."""
    return rank_sum(old, new) < 0.05


def asv(old: np.ndarray, new: np.ndarray) -> bool:
    """`asv compare`: Mann-Whitney, p < 0.002, and a factor of 1.1 either way."""
    ratio = float(np.median(new) / np.median(old))
    return rank_sum(old, new) < 0.002 and max(ratio, 1 / ratio) > 1.1


RULES: dict[str, Callable[[np.ndarray, np.ndarray], bool]] = {
    "pytest-benchmark `min:5%`": pytest_benchmark,
    "Google compare.py, U test p < 0.05": google,
    "asv, U test p < 0.002 and 1.1": asv,
}


def rank_sum(old: np.ndarray, new: np.ndarray) -> float:
    """The two-sided p of the Mann-Whitney test, by the normal distribution, with ties."""
    both = np.concatenate([old, new])
    _, place, times = np.unique(both, return_inverse=True, return_counts=True)
    ranks = (np.cumsum(times) - (times - 1) / 2)[place]
    m, n = len(old), len(new)
    u = ranks[m:].sum() - n * (n + 1) / 2
    ties = float((times.astype(float) ** 3 - times).sum()) / ((m + n) * (m + n - 1))
    deviation = math.sqrt(m * n / 12 * (m + n + 1 - ties))
    return math.erfc(abs(u - m * n / 2) / deviation / math.sqrt(2)) if deviation else 1.0


class Kept(Symbols):
    """Keeps the samples of the rounds, for the rules of the others."""

    def __init__(self, old: Path, new: Path, name: str) -> None:
        super().__init__(old, new, name)
        self.kept = (array("d"), array("d"))

    def round(self, new_first: bool) -> Samples:
        samples = super().round(new_first)
        for kept, side in zip(self.kept, samples, strict=True):
            kept.extend(side)
        return samples


def in_one_go(library: Path, function: str, batch: int) -> np.ndarray:
    """Samples of one process that times nothing else."""
    side = symbol(library, function, False, function, "", "", "")

    def samples() -> bytes:
        work = side.set_up(0, None)
        work.sample(batch, SAMPLES // 10)  # to warm up
        return work.sample(batch, SAMPLES).tobytes()

    return np.frombuffer(in_child(samples, f"{function}() of {library}"), dtype=np.uint64).astype(float)


def trial(libraries: dict[int, Path], function: str, change: int, seconds: float) -> dict[str, Any]:
    old, new = libraries[100], libraries[change]
    pair = Kept(old, new, function)
    with pinned():
        found = compare_pairs(str(old), str(new), [pair], seconds, TOLERANCE)
        interleaved = [np.array(side) for side in pair.kept]
        sequential = [in_one_go(side, function, pair.batch) for side in (old, new)]
    one = found.compared[0]
    return {
        "function": function,
        "change": change,
        "verdict": str(one.verdict),
        "median": str(one.findings[0].verdict),
        "found": one.findings[0].change,
        "seconds": round(found.seconds, 3),
        "rounds": one.rounds,
        "sequential": {name: rule(*sequential) for name, rule in RULES.items()},
        "sequential_change": float(np.median(sequential[1]) / np.median(sequential[0])) - 1,
        "interleaved": {name: rule(*interleaved) for name, rule in RULES.items()},
    }


def table(trials: list[dict[str, Any]]) -> Iterator[str]:
    """Shares of trials in which something was called: changed where nothing is, slower where it is."""
    calls: dict[str, Callable[[dict[str, Any]], bool]] = {
        "**armprof ab**": lambda t: t["verdict"] in (("slower", "faster") if t["change"] == 0 else ("slower",)),
    }
    for how in ("sequential", "interleaved"):
        for name in RULES:
            calls[f"{name}, {how}"] = lambda t, how=how, name=name: t[how][name]
    for function in (*FUNCTIONS, "all"):
        mine = [t for t in trials if function in (t["function"], "all")]
        by_change = {change: [t for t in mine if t["change"] == change] for change in CHANGES}
        if not all(by_change.values()):
            continue
        counts = ", ".join(f"{len(by_change[change])} with {change} %" for change in CHANGES)
        yield f"\n{function} (trials: {counts})\n"
        yield "| rule | false alarms | +2 % found | +5 % found |\n|---|---|---|---|"
        for name, called in calls.items():
            shares = (f"{sum(map(called, each)) / len(each):.1%}" for each in by_change.values())
            yield f"| {name} | {' | '.join(shares)} |"
        for change, each in by_change.items():
            seconds = sorted(t["seconds"] for t in each)
            undecided = sum(t["median"] == "undecided" for t in each) / len(each)
            sequential = sorted(abs(t["sequential_change"] - change / 100) for t in each)
            yield (
                f"+{change} %: {seconds[len(each) // 2]:.1f} s in the middle, {seconds[-1]:.1f} s at most; median undecided in "
                f"{undecided:.1%}; one process beside another was off by {sequential[len(each) // 2]:.1%} in the middle"
            )


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--trials", type=int, default=200, help="with identical code, half as many with each change")
    parser.add_argument("--seconds", type=float, default=SECONDS, help="of a trial at most (default: %(default)s)")
    parser.add_argument("--output", type=Path, required=True, metavar="FILE", help="a line of JSON for each trial")
    args = parser.parse_args()
    done = [json.loads(line) for line in args.output.read_text().splitlines()] if args.output.exists() else []
    times = Counter((t["function"], t["change"]) for t in done)
    with tempfile.TemporaryDirectory() as folder, args.output.open("a") as output:
        libraries = {100: build(Path(folder), 100, "old")}
        libraries |= {change: build(Path(folder), 100 + change, f"new{change}") for change in CHANGES}
        for number in range(args.trials):
            for function in FUNCTIONS:
                for change in CHANGES:
                    wanted = number // 2 + 1 if change else number + 1
                    if times[function, change] < wanted:
                        done.append(trial(libraries, function, change, args.seconds))
                        times[function, change] += 1
                        print(json.dumps(done[-1]), file=output, flush=True)
    print(cpu.host().describe())
    print(f"at most {args.seconds:g} s for each comparison")
    print("\n".join(table(done)))
    return 0


if __name__ == "__main__":
    sys.exit(main())
