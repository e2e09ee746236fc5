"""Shows how many tests ran in which guest, below the run's own summary."""

from __future__ import annotations

import pytest

SUMMARIES = pytest.StashKey[dict[str, str]]()


def pytest_configure(config: pytest.Config) -> None:
    config.stash[SUMMARIES] = {}


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter, config: pytest.Config) -> None:
    for guest, text in config.stash[SUMMARIES].items():
        terminalreporter.write_line(f"in the guest {guest}: {text}")
