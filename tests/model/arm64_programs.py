"""What the tests of the model are given to compile with."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

Compile = Callable[..., Path]
