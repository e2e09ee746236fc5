"""Telling of alerts: to a log, a command, a webhook. Never in the way of sampling, and a failure is told once.

Command and webhook run in one thread of their own, one after the other, so that a slow receiver delays nothing else. No
shell stands between: the command is the words that the user wrote, and the alert is in its environment and on its stdin.
"""

from __future__ import annotations

import json
import os
import queue
import subprocess
import threading
import urllib.error
import urllib.request
from collections.abc import Callable
from dataclasses import asdict
from datetime import UTC, datetime
from typing import Any

from armprof.monitor.alerts import Alert
from armprof.monitor.settings import Notify

TIMEOUT_S = 30
MOST_WAITING = 100

FORMAT = "armprof-alert"  # alert.schema.json describes it
VERSION = 1


def document(alert: Alert, host: str) -> dict[str, Any]:
    """What receivers get."""
    told = {name: value for name, value in asdict(alert).items() if name != "firing"}
    firing = [{"rule": rule, "target": target} for rule, target in sorted(alert.firing)]
    state = "resolved" if alert.ended_ns else "firing"
    return {"format": FORMAT, "version": VERSION, "host": host, "state": state, **told, "firing": firing}


class Notifier:
    """Tells of alerts as `Notify` says. ``tell`` gets a line for what went wrong."""

    def __init__(self, notify: Notify, host: str, tell: Callable[[str], None]) -> None:
        self.notify = notify
        self._host, self._tell = host, tell
        self._failing: set[str] = set()
        self._waiting: queue.Queue[dict[str, Any] | None] = queue.Queue(MOST_WAITING)
        self._thread: threading.Thread | None = None

    def send(self, alert: Alert) -> None:
        """Tells everybody."""
        told = document(alert, self._host)
        if self.notify.log is not None:
            self._attempt("log", lambda: self._log(told))
        if self.notify.command or self.notify.webhook:
            if self._thread is None:
                self._thread = threading.Thread(target=self._work, name="armprof-notify", daemon=True)
                self._thread.start()
            try:
                self._waiting.put_nowait(told)
            except queue.Full:
                self._fail("notify", f"{MOST_WAITING} alerts wait for the command or the webhook already")

    def close(self) -> None:
        """Lets what waits be told, for as long as one receiver may take."""
        if self._thread is not None:
            self._waiting.put(None)
            self._thread.join(TIMEOUT_S)

    def _work(self) -> None:
        while (told := self._waiting.get()) is not None:
            if self.notify.command:
                self._attempt("command", lambda told=told: self._run(told))  # type: ignore[misc]
            if self.notify.webhook:
                self._attempt("webhook", lambda told=told: self._post(told))  # type: ignore[misc]

    def _attempt(self, whom: str, do: Callable[[], None]) -> None:
        try:
            do()
        except (OSError, ValueError, subprocess.SubprocessError) as error:
            self._fail(whom, str(getattr(error, "reason", None) or error))
        else:
            self._failing.discard(whom)

    def _fail(self, whom: str, why: str) -> None:
        if whom not in self._failing:
            self._failing.add(whom)
            self._tell(f"monitor.notify.{whom}: an alert could not be told: {why}")

    def _log(self, told: dict[str, Any]) -> None:
        assert self.notify.log is not None
        at = datetime.fromtimestamp((told["ended_ns"] or told["began_ns"]) / 1e9, UTC).isoformat(
            timespec="milliseconds"
        )
        with open(self.notify.log, "a", encoding="utf-8") as log:
            log.write(f"{at} {told['state']} {told['text']}\n")

    def _run(self, told: dict[str, Any]) -> None:
        environment = {
            f"ARMPROF_ALERT_{key.upper()}": str(told[key]) for key in ("state", "rule", "cause", "target", "text")
        }
        done = subprocess.run(
            self.notify.command,
            input=json.dumps(told),
            env={**os.environ, **environment},
            text=True,
            timeout=TIMEOUT_S,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.PIPE,
            check=False,
        )
        if done.returncode:
            last = (done.stderr.strip().splitlines() or ["it said nothing"])[-1]
            raise OSError(f"{self.notify.command[0]} ended with {done.returncode}: {last}")

    def _post(self, told: dict[str, Any]) -> None:
        request = urllib.request.Request(
            self.notify.webhook, json.dumps(told).encode(), {"Content-Type": "application/json"}, method="POST"
        )
        with urllib.request.urlopen(request, timeout=TIMEOUT_S) as answer:
            answer.read(1)
