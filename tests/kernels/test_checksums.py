"""The kernels put out the same on every machine. tests/guest runs this file in the ARM64 guests too."""

from __future__ import annotations

import os
import re
from pathlib import Path

import pytest

from armprof.components import KERNELS, feed

OPERATIONS = 100_000
TABLE = Path(__file__).with_name("checksums.h").read_text()


def table(prefix: str) -> dict[str, str]:
    """The checksums of the C tests, as a run prints them."""
    return {name: f"{int(value, 16):016x}" for name, value in re.findall(rf"{prefix}_([a-z]\w+) (0x\w+)", TABLE)}


CHECKSUMS, FIELD_CHECKSUMS = table("#define CHECKSUM"), table("#define FIELD_CHECKSUM")


def test_every_kernel_has_its_checksums() -> None:
    assert set(CHECKSUMS) == set(KERNELS)
    assert set(FIELD_CHECKSUMS) == {name for name, kernel in KERNELS.items() if kernel.takes_input}


@pytest.mark.parametrize("name", CHECKSUMS)
def test_generated_input_has_its_checksum(name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(feed.generate, "__defaults__", (OPERATIONS,))
    work = KERNELS[name].set_up(1, None)
    assert f"{work.run(OPERATIONS):016x}" == CHECKSUMS[name]


@pytest.mark.parametrize("name", FIELD_CHECKSUMS)
def test_the_field_file_has_its_checksum(name: str) -> None:
    folder = os.environ.get("ARMPROF_FIELD_DATA")
    if not folder:
        pytest.skip("ARMPROF_FIELD_DATA does not name the folder with itch/ex20101224.itch50")
    work = KERNELS[name].set_up(1, Path(folder) / "itch" / "ex20101224.itch50")
    assert f"{work.run(work.period):016x}" == FIELD_CHECKSUMS[name]
