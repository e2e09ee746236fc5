"""What reports in JSON have in common: what they are, in which version, and the armprof that made them."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

import armprof


def rendered(format: str, version: int, content: Mapping[str, Any]) -> str:
    """The report as JSON text, in ASCII."""
    head = {"format": format, "version": version, "armprof_version": armprof.__version__}
    return json.dumps({**head, **content}, indent=2, allow_nan=False) + "\n"
