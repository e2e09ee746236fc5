"""The words that the unit tests take for instructions are what an assembler makes of them."""

from __future__ import annotations

import shutil
import struct
import subprocess
from pathlib import Path

import pytest
from a64_words import WORDS


def test_an_assembler_makes_these_words(tmp_path: Path) -> None:
    assembler, copier = (shutil.which(f"aarch64-linux-gnu-{tool}") for tool in ("as", "objcopy"))
    if assembler is None or copier is None:
        pytest.skip("there is no assembler for ARM64; apt install binutils-aarch64-linux-gnu")
    source, made, words = tmp_path / "words.s", tmp_path / "words.o", tmp_path / "words.bin"
    source.write_text("\n".join([".arch armv8.4-a+crypto+dotprod", *WORDS, ""]))
    subprocess.run([assembler, source, "-o", made], check=True)
    subprocess.run([copier, "-O", "binary", "-j", ".text", made, words], check=True)
    assert [word for (word,) in struct.iter_unpack("<I", words.read_bytes())] == list(WORDS.values())
