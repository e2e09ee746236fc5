"""A real Prometheus, Debian's package, on a port of its own."""

from __future__ import annotations

import json
import shutil
import socket
import subprocess
import time
import urllib.parse
import urllib.request
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import pytest

RULES = Path(__file__).parents[2] / "docs/monitor/armprof.rules.yml"


def need_prometheus() -> None:
    """Skips the test where Prometheus is not installed."""
    for program in ("prometheus", "promtool"):
        if shutil.which(program) is None:
            pytest.skip(f"{program} is not installed: apt install prometheus")


def free_port() -> int:
    with socket.socket() as listening:
        listening.bind(("127.0.0.1", 0))
        return int(listening.getsockname()[1])


class Prometheus:
    """Scrapes these ports every second; its data is in a folder below."""

    def __init__(
        self,
        folder: Path,
        ports: Sequence[int] = (),
        rules: Path | None = None,
        scrape: Mapping[str, Any] | None = None,
    ) -> None:
        folder.mkdir(exist_ok=True)
        config = {
            "global": {"scrape_interval": "1s", "evaluation_interval": "1s"},
            "scrape_configs": [
                {
                    "job_name": "armprof",
                    "static_configs": [{"targets": [f"127.0.0.1:{port}" for port in ports]}],
                    **(scrape or {}),
                }
            ],
            "rule_files": [str(rules)] if rules else [],
        }
        (folder / "prometheus.yml").write_text(json.dumps(config))  # JSON is YAML
        port = free_port()
        self.url = f"http://127.0.0.1:{port}"
        self._log = open(folder / "log", "wb")  # noqa: SIM115  # closed with the server
        self._process = subprocess.Popen(
            [
                "prometheus",
                f"--config.file={folder}/prometheus.yml",
                f"--storage.tsdb.path={folder}/data",
                "--storage.tsdb.retention.time=10y",
                f"--web.listen-address=127.0.0.1:{port}",
            ],
            stdout=self._log,
            stderr=self._log,
        )
        self._wait()

    def _wait(self) -> None:
        deadline = time.monotonic() + 60
        while time.monotonic() < deadline:
            try:
                with urllib.request.urlopen(f"{self.url}/-/ready", timeout=5):
                    return
            except OSError:
                time.sleep(0.1)
        raise AssertionError("Prometheus does not become ready")

    def query(self, expression: str, at: float | None = None) -> list[dict[str, Any]]:
        """The result of an instant query."""
        values = {"query": expression} | ({"time": str(at)} if at is not None else {})
        with urllib.request.urlopen(f"{self.url}/api/v1/query?{urllib.parse.urlencode(values)}", timeout=60) as answer:
            told = json.load(answer)
        assert told["status"] == "success", told
        result: list[dict[str, Any]] = told["data"]["result"]
        return result

    def close(self) -> None:
        self._process.terminate()
        self._process.wait(60)
        self._log.close()
