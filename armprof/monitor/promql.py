"""Asking a server that speaks Prometheus's HTTP API: Prometheus itself, Thanos, Mimir, VictoriaMetrics."""

from __future__ import annotations

import base64
import json
import urllib.error
import urllib.parse
import urllib.request
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from armprof.errors import ArmprofError

TIMEOUT_S = 60


@dataclass(frozen=True, slots=True)
class Row:
    """One series of an answer: its labels and its value."""

    labels: Mapping[str, str]
    value: float


class QueryServer:
    """A server at that address, which may hold a path ("https://mimir/prometheus") and a user ("http://me:secret@host")."""

    def __init__(self, url: str, token: str | None = None) -> None:
        try:
            parts = urllib.parse.urlsplit(url)
            port = f":{parts.port}" if parts.port else ""
        except ValueError as error:
            raise ArmprofError(f"{url!r} is no address of a server: {error}") from None
        if parts.scheme not in ("http", "https") or not parts.hostname:
            raise ArmprofError(f"{url!r} is no address of a server, as in http://localhost:9090")
        host = f"[{parts.hostname}]" if ":" in parts.hostname else parts.hostname
        self.url = f"{parts.scheme}://{host}{port}{parts.path.rstrip('/')}"
        self._headers = {"Accept": "application/json"}
        if token:
            self._headers["Authorization"] = f"Bearer {token}"
        elif parts.username:
            user = f"{urllib.parse.unquote(parts.username)}:{urllib.parse.unquote(parts.password or '')}"
            self._headers["Authorization"] = f"Basic {base64.b64encode(user.encode()).decode()}"

    def query(self, expression: str, at_s: float) -> list[Row]:
        """What an instant query gives. Values that are no number are left out. Raises ArmprofError."""
        values = urllib.parse.urlencode({"query": expression, "time": f"{at_s:.3f}"}).encode()
        request = urllib.request.Request(f"{self.url}/api/v1/query", values, self._headers)
        try:
            with urllib.request.urlopen(request, timeout=TIMEOUT_S) as answer:
                told = json.load(answer)
        except urllib.error.HTTPError as error:
            raise ArmprofError(f"{self.url} refuses a query: {_refusal(error)}") from None
        except (OSError, ValueError, RecursionError) as error:  # RecursionError: JSON that is nested without end
            why = getattr(error, "reason", None) or error
            raise ArmprofError(f"{self.url} does not answer as Prometheus does: {why}") from None
        try:
            rows = [Row(one["metric"], float(one["value"][1])) for one in told["data"]["result"]]
        except (KeyError, TypeError, ValueError, IndexError):
            raise ArmprofError(f"{self.url} does not answer as Prometheus does: no data.result") from None
        return [row for row in rows if row.value == row.value and abs(row.value) != float("inf")]


def _refusal(error: urllib.error.HTTPError) -> str:
    """The server's own words, where it has some."""
    try:
        told: Any = json.loads(error.read(100_000))
        return f"{error.code}, {told['error']}"
    except (ValueError, KeyError, TypeError, OSError):
        return f"{error.code} {error.reason}"
