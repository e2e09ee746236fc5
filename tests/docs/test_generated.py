"""The pages of the reference hold what the program knows, and follow it."""

from __future__ import annotations

import re
import sys
from pathlib import Path

import pytest

import armprof
from armprof import cpu
from armprof.cli import VERBS
from armprof.metrics.table import definitions

DOCS = Path(__file__).parents[2] / "docs"
sys.path.insert(0, str(DOCS))

import generated  # noqa: E402


def rows(page: str) -> list[list[str]]:
    return [re.split(r"(?<!\\)\|", line)[1:-1] for line in page.splitlines() if line.startswith("|")]


@pytest.mark.parametrize("name", generated.PAGES)
def test_each_part_has_a_page_that_leads_to_it(name: str) -> None:
    page = (DOCS / f"{name}.md").read_text()
    assert page.startswith("# ")
    assert "\n## " not in page


@pytest.mark.parametrize("name", generated.PAGES)
def test_every_row_of_a_table_is_as_long_as_its_head(name: str) -> None:
    for found in re.split(r"\n\n", generated.PAGES[name]()):
        assert len({len(row) for row in rows(found)}) <= 1, found


def test_python_has_every_public_name_and_its_methods() -> None:
    page = generated.api()
    for name in armprof.__all__:
        assert name == "__version__" or f"}} armprof.{name}" in page
    assert "{py:method} explain(name: str) -> Metric" in page
    assert "{py:property} memory_latency_ns\n\nOf a load that memory answers, in nanoseconds." in page
    assert "object at 0x" not in page
    assert "<function" not in page


def test_the_command_line_has_every_verb_with_its_options() -> None:
    page = generated.cli()
    assert re.findall(r"^## armprof (\w+)$", page, re.MULTILINE) == list(VERBS)
    assert "--tolerance PERCENT" in page


def test_events_tell_the_cores_that_have_them() -> None:
    table = {row[0].strip(" `"): row[3].strip() for row in rows(generated.events().split("## ")[1])}
    assert table["cpu_cycles"] == "all"
    assert table["stall_slot"] == "all but A53, A55, A57, A72, A76, N1"
    assert table["ld_retired"] == "AC03, AC04, A53, A55"
    assert table["l1d_tlb"].startswith("all but A53, ")
    assert "AC03 (0xd20c)" in table["stall_frontend_tlb"]
    for name in cpu.core_names():
        core, short = cpu.core(name), cpu.core(name).title.rpartition(" ")[2].removeprefix("Cortex-").strip("()")
        for event, on in list(table.items())[2:]:
            told = short in re.findall(r"\w+", on.removeprefix("all but"))
            assert core.has(event) == (on == "all" or told != on.startswith("all but")), (name, event)


def test_cores_and_metrics_have_every_row_of_their_tables() -> None:
    assert [
        cpu.core(name).title for name in cpu.core_names() if f"## {cpu.core(name).title}\n" not in generated.cores()
    ] == []
    page = generated.metrics()
    assert [one.name for one in definitions() if f"\n`{one.name}`: " not in page] == []
    assert "| `1 - l1d_cache_refill / l1d_cache` |" in page


def test_files_have_the_fields_of_every_schema() -> None:
    page = generated.files()
    for schema in Path(armprof.__file__).parent.rglob("*.schema.json"):
        assert schema.name in page
    assert "| `reason` |" in page or "| `reason` (optional) |" in page
