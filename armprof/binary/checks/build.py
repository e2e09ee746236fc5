"""What the file says of how it was built: compilers, flags, properties, segments."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Callable, Iterator
from dataclasses import dataclass

import numpy as np

from armprof.binary.binary import Line
from armprof.binary.checks.rules import Finding, Spot, found
from armprof.binary.checks.subject import Subject
from armprof.binary.elf import ET_EXEC, PF_X, PT_LOAD

GNU = re.compile(r"GNU (C|C\+\+|Fortran|GIMPLE|D|Ada|Go|Modula-2)\S* (\d+[.\d]*)\S*(.*)")
CLANG = re.compile(r".*clang version (\d+[.\d]*).*")
RUSTC = re.compile(r".*rustc version (\d+[.\d]*).*")
COMMENT_GCC = re.compile(r"GCC: \(.*\) (\d+[.\d]*)")
OLD_GCC = 10
HUGE = 2 << 20
PROPERTIES = 5  # the type of the note
FEATURES = 0xC0000000  # GNU_PROPERTY_AARCH64_FEATURE_1_AND
PROTECTIONS = {1: "bti", 2: "pauth"}  # its bits, and the features of a core that they need
PROTECTION_NAMES = {"bti": "BTI", "pauth": "PAC"}

Features = Callable[[str], frozenset[str] | None]


@dataclass(frozen=True, slots=True)
class Unit:
    """What was compiled at once; ``flags`` is None where the compiler does not tell them."""

    file: str
    compiler: str  # "GCC 12.2.0"
    flags: tuple[str, ...] | None

    def last(self, *starts: str) -> str | None:
        """The last flag that begins so: it holds."""
        return next((f for f in reversed(self.flags or ()) if f.startswith(starts)), None)


def units(subject: Subject) -> list[Unit]:
    """The units of compilation that the debug information tells of."""
    found = []
    for file, producer in subject.binary.producers():
        gnu, clang, rustc = GNU.match(producer), CLANG.match(producer), RUSTC.match(producer)
        if gnu is not None:
            found.append(Unit(file, f"GCC {gnu[2]}", tuple(gnu[3].split())))
        elif rustc is not None:
            found.append(Unit(file, f"rustc {rustc[1]}", None))
        elif clang is not None:
            found.append(Unit(file, f"clang {clang[1]}", None))
        else:
            found.append(Unit(file, producer.partition(" -")[0][:60] or "?", None))
    return found


def compilers(subject: Subject) -> list[str]:
    """The compilers, those of the most units first; of a file without debug information what .comment says."""
    counted = Counter(unit.compiler for unit in units(subject) if not unit.compiler.startswith("GNU AS"))
    if counted:
        return [name for name, _ in counted.most_common()]
    comment = bytes(subject.binary.elf.bytes_of(subject.binary.elf.section(".comment")))
    texts = dict.fromkeys(t.decode(errors="replace") for t in comment.split(b"\0") if t)
    return [f"GCC {m[1]}" if (m := COMMENT_GCC.match(text)) else text[:60] for text in texts]


def check(subject: Subject, features: Features) -> Iterator[Finding]:
    """``features`` tells what a flag lets a compiler use."""
    told = [unit for unit in units(subject) if unit.flags is not None]
    plain = [unit for unit in told if unit.last("-O") in (None, "-O0")]
    if plain:
        yield found("not-optimized", _files(plain), {"units": f"{len(told):,}"})
    gcc = [name for name in compilers(subject) if name.startswith("GCC ")]
    old = [name for name in gcc if int(name.split()[1].partition(".")[0]) < OLD_GCC]
    if old and len(old) == len(gcc):
        yield found("old-compiler", words={"version": old[0].removeprefix("GCC ")})
    if subject.target is not None:
        yield from against(subject, told, features)
        yield from newer(subject)
    yield from segments(subject)
    yield from protection(subject)


def against(subject: Subject, told: list[Unit], features: Features) -> Iterator[Finding]:
    """What the units were compiled for, against the core."""
    target = subject.target
    assert target is not None
    words = {"mcpu": target.mcpu, "core": target.title, "units": f"{len(told):,}"}
    by_flag: dict[str | None, list[Unit]] = {}
    for unit in told:
        by_flag.setdefault(unit.last("-mcpu=", "-march="), []).append(unit)
    for flag, those in by_flag.items():
        tuned = [unit for unit in those if unit.last("-mtune=") == f"-mtune={target.mcpu}"]
        if flag is None:
            missing = (
                ", ".join(sorted(target.features & {"lse", "rcpc", "dotprod", "sve", "sve2"})).upper()
                or "anything newer"
            )
            left = [unit for unit in those if unit not in tuned]
            if left:
                yield found("generic-target", _files(left), {"missing": missing, **words})
            continue
        lets = features(flag)
        lacking = (
            (lets or frozenset()) - target.features - {"profile", "rng", "memtag", "ssbs", "crypto", "sha3", "sm4"}
        )
        if lacking:
            missing = ", ".join(sorted(lacking)).upper()
            yield found("newer-than-core", _files(those), {"flag": flag, "missing": missing, **words})
        elif flag.startswith("-mcpu=") and flag.partition("+")[0] != f"-mcpu={target.mcpu}":
            yield found("other-target", _files(those), {"flag": flag, **words})


def newer(subject: Subject) -> Iterator[Finding]:
    """Instructions that the core has not, wherever they are."""
    target, code = subject.target, subject.code
    assert target is not None
    for feature, kinds in (("lse", ("atomic", "compare_and_swap")), ("sve", ("sve",))):
        numbers = np.flatnonzero(code.of_kind(*kinds) & (code.function >= 0))
        if feature not in target.features and len(numbers):
            _, first = np.unique(code.function[numbers], return_index=True)
            spots = subject.spots(numbers[first].tolist(), [subject.text(n) for n in numbers[first].tolist()])
            words = {
                "feature": feature.upper(),
                "functions": f"{len(first):,}",
                "core": target.title,
                "mcpu": target.mcpu,
            }
            yield found("instructions-newer-than-core", spots, words, total=len(numbers))


def text_bytes(subject: Subject) -> int:
    """The size of all code."""
    return sum(int(end) - int(start) for start, end in subject.binary.elf.code.tolist())


def size(number: int) -> str:
    """Bytes in words."""
    return f"{number / (1 << 20):.1f} MiB" if number >= 1 << 20 else f"{number / 1024:.0f} KiB"


def segments(subject: Subject) -> Iterator[Finding]:
    text, target = text_bytes(subject), subject.target
    if target is not None and target.l1i_bytes is not None and text > target.l1i_bytes:
        words = {"text": size(text), "l1i": size(target.l1i_bytes), "core": target.title}
        yield found("text-larger-than-l1i", words=words)
    table = subject.binary.elf.segments
    is_fixed = subject.binary.elf.type == ET_EXEC  # else the kernel puts it where its alignment allows
    for segment in table[(table["type"] == PT_LOAD) & (table["flags"] & PF_X != 0)]:
        apart = (int(segment["address"]) - int(segment["offset"])) % HUGE
        if int(segment["file_size"]) >= HUGE and (apart or not (is_fixed or int(segment["align"]) >= HUGE)):
            yield found("no-huge-pages", words={"text": size(int(segment["file_size"]))})
            return


def protections(subject: Subject) -> frozenset[str]:
    """The protections of branches that the file claims."""
    for note in subject.binary.elf.notes:
        data = note.bytes
        while note.owner == "GNU" and note.type == PROPERTIES and len(data) >= 12:
            kind, length = int.from_bytes(data[:4], "little"), int.from_bytes(data[4:8], "little")
            if kind == FEATURES:
                bits = int.from_bytes(data[8:12], "little")
                return frozenset(name for bit, name in PROTECTIONS.items() if bits & bit)
            data = data[8 + (length + 7 & ~7) :]
    return frozenset()


def protection(subject: Subject) -> Iterator[Finding]:
    useful = (
        set(PROTECTIONS.values()) if subject.target is None else set(PROTECTIONS.values()) & subject.target.features
    )
    missing = useful - protections(subject)
    if missing:
        yield found(
            "no-branch-protection", words={"missing": " and ".join(PROTECTION_NAMES[m] for m in sorted(missing))}
        )


def _files(those: list[Unit]) -> tuple[Spot, ...]:
    return tuple(Spot(None, None, Line(unit.file, 1)) for unit in those)
