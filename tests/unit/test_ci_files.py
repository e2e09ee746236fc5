"""What examples/ci gives to copy, and the hooks of pre-commit: by the schemas of those who read them, with verbs that exist."""

from __future__ import annotations

import json
import re
import shlex
from pathlib import Path
from typing import Any

import check_jsonschema
import jsonschema
import pytest
from ruamel.yaml import YAML

from armprof.cli import VERBS, main

PROJECT = Path(__file__).parents[2]
SCHEMAS = Path(check_jsonschema.__file__).parent / "builtin_schemas" / "vendor"
WORKFLOW, CALLER = ".github/workflows/armprof.yml", ".github/workflows/performance.yml"
FILES = {
    name: (PROJECT / "examples" / "ci" / name).read_text()
    for name in (WORKFLOW, CALLER, ".gitlab-ci.yml", ".pre-commit-config.yaml")
}


def parsed(text: str) -> Any:
    return YAML(typ="safe").load(text)


def commands(text: str) -> list[list[str]]:
    """Every call of armprof in a file."""
    found = re.findall(rf"\barmprof (?:{'|'.join(VERBS)})\b[^|)\n]*", text)
    return [shlex.split(one) for one in found]


@pytest.mark.parametrize(
    ("name", "schema"),
    [(WORKFLOW, "github-workflows"), (CALLER, "github-workflows"), (".gitlab-ci.yml", "gitlab-ci")],
)
def test_it_is_what_its_platform_reads(name: str, schema: str) -> None:
    known = json.loads((SCHEMAS / f"{schema}.json").read_text(encoding="utf-8"))
    jsonschema.validators.validator_for(known)(known).validate(parsed(FILES[name]))


def test_every_call_of_armprof_is_one_that_there_is(capsys: pytest.CaptureFixture[str]) -> None:
    called = [words for block in FILES.values() for words in commands(block)]
    assert {words[1] for words in called} == {"stat", "compare"}
    for words in called:
        with pytest.raises(SystemExit) as ended:
            main([*words[1:2], *words[2 : words.index("--") if "--" in words else None], "--help"])
        assert ended.value.code == 0, words
    capsys.readouterr()


def test_what_a_caller_gives_is_what_the_workflow_takes() -> None:
    inputs = parsed(FILES[WORKFLOW])["on"]["workflow_call"]["inputs"]
    given = parsed(FILES[CALLER])["jobs"]["armprof"]["with"]
    assert given.keys() <= inputs.keys()
    assert {name for name, one in inputs.items() if one.get("required")} <= given.keys()


def test_no_step_pastes_what_a_pull_request_controls_into_its_script() -> None:
    (job,) = parsed(FILES[WORKFLOW])["jobs"].values()
    assert not [step for step in job["steps"] if "${{" in step.get("run", "")]


def test_the_hooks_are_verbs_that_there_are(capsys: pytest.CaptureFixture[str]) -> None:
    hooks = parsed((PROJECT / ".pre-commit-hooks.yaml").read_text())
    for hook in hooks:
        assert hook.keys() == {
            "id",
            "name",
            "description",
            "entry",
            "language",
            "pass_filenames",
            "always_run",
            "stages",
        }
        program, verb = hook["entry"].split()
        assert (program, verb in VERBS, hook["language"]) == ("armprof", True, "python")
    used = parsed(FILES[".pre-commit-config.yaml"])["repos"][0]["hooks"]
    assert {one["id"] for one in used} <= {hook["id"] for hook in hooks}
