"""The suite itself: what its table promises, and that a mended program still answers the same."""

from __future__ import annotations

import platform
from collections import Counter
from pathlib import Path

import pytest

from armprof.analysis.rules import rules

from .sources import answer
from .suite import PROGRAMS, SLOW, Builder, Pair, builder, pairs, table


def test_every_cause_that_a_rule_names_has_a_program_or_a_reason_why_not():
    causes = {cause for pair in pairs() for cause in pair.causes}
    assert causes | set(table()["without"]) == {rule.name for rule in rules()}
    assert not causes & set(table()["without"])


def test_there_are_enough_programs_of_each_kind():
    kinds = Counter(len(pair.causes) for pair in pairs())
    single = {pair.causes[0] for pair in pairs() if len(pair.causes) == 1}
    assert len(single) >= 20
    assert kinds[2] >= 4
    assert kinds[0] >= 6


def test_every_program_is_in_the_table_and_every_cause_has_a_fix():
    assert {path.stem for path in PROGRAMS.glob("*.c")} == {pair.program for pair in pairs()}
    assert all(len(pair.fix) == len(pair.causes) for pair in pairs())


def test_every_cause_has_its_lines_marked_or_is_all_over_a_file():
    for pair in pairs():
        assert all(pair.spread or pair.marked(cause) for cause in pair.causes), pair.program


@pytest.fixture(scope="module")
def native(tmp_path_factory: pytest.TempPathFactory) -> Builder:
    return builder(tmp_path_factory.mktemp("native"), platform.machine())


@pytest.mark.parametrize("pair", [pair for pair in pairs() if pair.causes], ids=lambda pair: pair.program)
def test_a_mended_program_answers_as_the_slow_one(pair: Pair, native: Builder):
    if platform.machine() not in pair.targets:
        pytest.skip(f"{pair.program} is for {', '.join(pair.targets)}")
    answers = {fixed: checksum(native.program(pair, fixed)) for fixed in (SLOW, *range(1, 1 << len(pair.causes)))}
    assert len(set(answers.values())) == 1, answers


def checksum(program: Path) -> str:
    return answer([str(program), "3"])[0]
