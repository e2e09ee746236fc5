"""Writes "newc" cpio archives, the format that the kernel unpacks as its first root file system.

The kernel accepts several archives one after the other and lets the later win, so a large cached archive and
a small one made for one boot are simply written to the same file.
"""

from __future__ import annotations

import os
import stat
from pathlib import Path
from typing import BinaryIO


class Writer:
    """One archive, written to `out` entry by entry; `close()` ends it. `out` stays open."""

    def __init__(self, out: BinaryIO) -> None:
        self._out = out
        self._inode = 0
        self._folders: set[str] = set()

    def add(self, name: str, content: bytes, mode: int) -> None:
        """Adds one entry with its full `mode` (type and permissions), after the folders that lead to it."""
        for parent in reversed(Path(name).parents):
            if parent.name and str(parent) not in self._folders:
                self._folders.add(str(parent))
                self._entry(str(parent), b"", stat.S_IFDIR | 0o755)
        if stat.S_ISDIR(mode):
            if name in self._folders:
                return
            self._folders.add(name)
        self._entry(name, content, mode)

    def add_path(self, name: str, path: Path) -> None:
        """Adds a file, a link or a whole folder of this machine as `name`, with the links kept as links."""
        mode = path.lstat().st_mode
        if stat.S_ISLNK(mode):
            self.add(name, os.readlink(path).encode(), mode)
        elif stat.S_ISDIR(mode):
            self.add(name, b"", mode)
            for child in sorted(path.iterdir()):
                self.add_path(f"{name}/{child.name}", child)
        else:
            self.add(name, path.read_bytes(), mode)

    def close(self) -> None:
        """Ends the archive; another may follow in the same file."""
        self._entry("TRAILER!!!", b"", 0)

    def _entry(self, name: str, content: bytes, mode: int) -> None:
        self._inode += 1
        path = name.encode() + b"\0"
        # inode, mode, uid, gid, links, mtime, size, device (2), rdev (2), length of the name, checksum
        fields = (self._inode, mode, 0, 0, 1, 0, len(content), 0, 0, 0, 0, len(path), 0)
        self._write(b"070701" + b"".join(b"%08X" % field for field in fields) + path)
        self._write(content)

    def _write(self, data: bytes) -> None:
        self._out.write(data + b"\0" * (-len(data) % 4))
