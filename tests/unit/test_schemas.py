"""The schemas: each is one, and says of which format and version it is."""

from __future__ import annotations

import json
from importlib.resources import files
from pathlib import Path

import jsonschema
import pytest

SCHEMAS = sorted(Path(str(files("armprof"))).rglob("*.schema.json"))


def test_reports_runs_samples_and_alerts_have_one():
    told = {path.name.partition(".")[0] for path in SCHEMAS}
    reports = {"ab", "budget", "compare", "doctor", "events", "fleet", "history", "inspect", "report", "trends"}
    assert told == reports | {"run", "regions", "samples", "alert"}


@pytest.mark.parametrize("path", SCHEMAS, ids=lambda path: path.name)
def test_it_is_a_schema_that_names_its_format_and_version(path: Path):
    schema = json.loads(path.read_text(encoding="utf-8"))
    jsonschema.Draft202012Validator.check_schema(schema)
    named, version = (schema["properties"][one]["const"] for one in ("format", "version"))
    assert {"format", "version"} <= set(schema["required"])
    assert named.startswith("armprof-")
    assert schema["$id"] == f"{named.replace('armprof-', 'urn:armprof:')}:{version}"
    assert schema["title"].endswith(f", version {version}")
