"""Static checks of ARM64 code: what a file says of how fast it can be, before it runs."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path

from armprof.binary.binary import Binary
from armprof.binary.checks import atomics, bodies, build, structures
from armprof.binary.checks.rules import Finding, Rule, Spot, TargetCore, rules
from armprof.binary.checks.subject import VECTORS, Subject
from armprof.binary.code import Code
from armprof.binary.elf import ARM64
from armprof.errors import ArmprofError

__all__ = ["Finding", "Inspection", "Rule", "Spot", "TargetCore", "inspect", "rules"]


@dataclass(frozen=True, slots=True)
class Inspection:
    """What was found, facts about the whole that are no findings, and what was looked at, for who asks more of it."""

    path: Path
    target: TargetCore | None
    findings: Sequence[Finding]
    facts: dict[str, object]
    subject: Subject = field(repr=False)


def inspect(path: Path, target: TargetCore | None, features: build.Features) -> Inspection:
    """Looks at an ARM64 program or library. ``features`` tells what a compiler's flag lets it use.

    Raises ArmprofError where the file is no such thing.
    """
    binary = Binary(path)
    if binary.elf.machine != ARM64:
        raise ArmprofError(f"{path} is for {binary.elf.machine_name}: inspect reads code of ARM64")
    code = Code(binary)
    subject = Subject(binary, code, target)
    findings = [
        *build.check(subject, features),
        *atomics.check(subject),
        *bodies.check(subject),
        *structures.check(subject),
    ]
    order = {name: place for place, name in enumerate(rules())}
    return Inspection(path, target, sorted(findings, key=lambda f: order[f.rule.name]), _facts(subject), subject)


def _facts(subject: Subject) -> dict[str, object]:
    binary, code = subject.binary, subject.code
    innermost = [loop for loop in code.loops if loop.innermost]
    neon, sve = (code.of_kind(*VECTORS[name]) for name in ("NEON", "SVE"))
    calls = code.of_kind("call")
    return {
        "compilers": build.compilers(subject),
        "debug": binary.debug,
        "build_id": binary.elf.build_id,
        "text_bytes": build.text_bytes(subject),
        "functions": len(code.functions),
        "instructions": len(code.words),
        "innermost_loops": len(innermost),
        "functions_passed_over": code.passed_over,
        "neon_loops": sum(bool(neon[loop.at].any()) for loop in innermost),
        "sve_loops": sum(bool(sve[loop.at].any()) for loop in innermost),
        "lse_instructions": int(code.of_kind("atomic", "compare_and_swap").sum()),
        "exclusive_loads": int(code.of_kind("load_exclusive").sum()),
        "calls": int(calls.sum()),
        "calls_by_plt": sum(int(target) in subject.code.stubs for target in code.targets[calls].tolist()),
        "protections": sorted(build.PROTECTION_NAMES[p] for p in build.protections(subject)),
        "complete": binary.complete,
        "lacking": binary.lacking,
    }
