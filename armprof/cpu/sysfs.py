"""Reading small text files of sysfs and procfs. What cannot be read is empty or None, never an error."""

from __future__ import annotations

import re
from pathlib import Path


def line(path: Path) -> str:
    """The file's text on one line, for a person to read."""
    return " ".join("".join(c if c.isprintable() else " " for c in text(path)).split())


def text(path: Path) -> str:
    """The file's text, stripped of white space and of a device tree's final NUL; "" where there is none."""
    try:
        return path.read_text(encoding="utf-8", errors="replace").strip(" \t\r\n\0")
    except (OSError, ValueError):
        return ""


def number(path: Path) -> int | None:
    """The file's number, decimal or 0x; None where there is none."""
    try:
        found = int(text(path), 0)
    except ValueError:
        return None
    return found if -(1 << 63) <= found < 1 << 64 else None  # the kernel has no others


def numbers(folder: Path, pattern: str) -> list[int]:
    """The numbers that ``pattern``'s group finds in the names of the folder's entries."""
    try:
        names = [entry.name for entry in folder.iterdir()]
    except OSError:
        return []
    return sorted(int(match[1]) for match in map(re.compile(pattern).fullmatch, names) if match)


def parse_cpus(listed: str) -> tuple[int, ...]:
    """CPUs of a kernel CPU list: "0-3,8" is 0, 1, 2, 3 and 8. What is not a range is left out."""
    cpus: set[int] = set()
    for part in listed.split(","):
        match = re.fullmatch(r"\s*(\d{1,6})(?:-(\d{1,6}))?\s*", part)
        if match:
            cpus.update(range(int(match[1]), int(match[2] or match[1]) + 1))
    return tuple(sorted(cpus))


def format_cpus(cpus: tuple[int, ...]) -> str:
    """The kernel's way to list CPUs: 0, 1, 2, 3 and 8 are "0-3,8"."""
    parts: list[str] = []
    for cpu in sorted(cpus):
        first, _, last = parts[-1].partition("-") if parts else ("", "", "")
        if parts and int(last or first) == cpu - 1:
            parts[-1] = f"{first}-{cpu}"
        else:
            parts.append(str(cpu))
    return ",".join(parts)
