"""A test of other people that counts an ARM64 program on the model: the same in every run, and one instruction more is seen."""

from __future__ import annotations

import numpy  # noqa: F401  # can be imported once in a process
import pytest
from arm64_programs import Compile

from armprof.run import file

pytest_plugins = "pytester"

TEST = """
import pytest

@pytest.mark.armprof_budget(inst_retired=50_000_000)
def test_program(armprof_benchmark):
    counted = armprof_benchmark.modelled([{program!r}], core="neoverse-n1")
    assert counted.lines("inst_retired")
    assert armprof_benchmark.counts["inst_retired"].value > 1000
    with pytest.raises(Exception, match="a modelled core has none"):
        armprof_benchmark.latency
"""


def test_a_program_is_held_against_its_baseline(arm64: Compile, pytester: pytest.Pytester) -> None:
    def session(program: str, *words: str) -> pytest.RunResult:
        pytester.makepyfile(test_model=TEST.format(program=str(program)))
        done = pytester.runpytest_inprocess("-p", "no:cacheprovider", *words)
        done.assert_outcomes(passed=1)
        return done

    old, new = arm64("added"), arm64("added", "-DMORE")
    session(old, "--armprof-save", "base.json")
    (component,) = file.read(pytester.path / "base.json").components
    assert component.where
    assert component.reading is not None
    assert component.reading.source == "model"
    same = session(old, "--armprof-baseline", "base.json")
    assert same.ret == 0
    same.stdout.fnmatch_lines(["unchanged: 2 of 2 metrics"])
    more = session(new, "--armprof-baseline", "base.json")
    assert more.ret == pytest.ExitCode.TESTS_FAILED
    more.stdout.fnmatch_lines(
        ["slower: test_model.py::test_program: instructions_per_operation +* % (noise: exact); *"]
    )


def test_a_program_that_fails_fails_the_test(arm64: Compile, pytester: pytest.Pytester) -> None:
    program = str(arm64("ends"))
    pytester.makepyfile(f"def test_ends(armprof_benchmark):\n    armprof_benchmark.modelled([{program!r}, 'exit'])\n")
    done = pytester.runpytest_inprocess("-p", "no:cacheprovider")
    done.assert_outcomes(failed=1)
    done.stdout.fnmatch_lines(["armprof: * ended with exit status *; its counts are not kept"])
