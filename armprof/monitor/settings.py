"""What armprof.toml says of the monitor: [monitor] and [alerts.NAME]."""

from __future__ import annotations

import re
import urllib.parse
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from armprof import config
from armprof.counters.machine import canonical_events
from armprof.errors import ArmprofError
from armprof.metrics.wanted import wanted
from armprof.monitor.aging import Keep
from armprof.monitor.rules import Figure, Rule, duration_ns, rules
from armprof.run.codec import MismatchError

# Groups of metrics that together answer why, on one core's counters in a few turns.
METRICS = ("cycles_per_instruction", "topdown_l1", "cycle_accounting", "general", "mpki", "miss_ratio")
SOFTWARE = ("task_clock", "page_faults", "context_switches", "cpu_migrations")
STORE = Path("armprof-monitor.db")

LEAST_INTERVAL_S, DEFAULT_INTERVAL = 0.01, "100ms"
_KEYS = ("interval", "store", "metrics", "events", "keep", "notify", "prometheus", "otlp")
_KEEP = ("full", "seconds", "minutes")


@dataclass(frozen=True, slots=True)
class Notify:
    """Whom an alert is told to, besides the terminal."""

    log: Path | None = None
    command: tuple[str, ...] = ()
    webhook: str = ""


@dataclass(frozen=True, slots=True)
class Prometheus:
    """Where to serve what Prometheus scrapes, and the keys for TLS; with a ``client_cafile`` to clients that it vouches for,
    with ``passwords`` to users of that file.
    """

    port: int
    host: str = "127.0.0.1"
    certfile: Path | None = None
    keyfile: Path | None = None
    client_cafile: Path | None = None
    passwords: Path | None = None


@dataclass(frozen=True, slots=True)
class Otlp:
    """Whereto the same is sent by OTLP over HTTP, and how often."""

    endpoint: str
    every_ns: int = 15_000_000_000


@dataclass(frozen=True, slots=True)
class Settings:
    """What is sampled how often, where it goes, and when to raise an alarm."""

    interval_ns: int
    metrics: tuple[str, ...]  # metrics and groups of them
    events: tuple[str, ...]
    store: Path | None = None
    keep: Keep = field(default_factory=Keep)
    notify: Notify = field(default_factory=Notify)
    rules: tuple[Rule, ...] = ()
    prometheus: Prometheus | None = None
    otlp: Otlp | None = None


def read(path: Path | None) -> Settings:
    """The settings in that file; without one those of ./armprof.toml, or the defaults. Raises ArmprofError."""
    file = config.found(path)
    if file is None:
        return parse({}, Path())
    text = config.read(file)
    document = config.parse(text, str(file))
    try:
        return parse(document, file.parent)
    except ValueError as error:
        raise config.complain(file, text, error) from None


def parse(document: dict[str, Any], folder: Path) -> Settings:
    """The settings of that document. Files are looked for beside it. Raises ValueError that begins with a path."""
    config.check_sections(document)
    given = config.table(document, "monitor", _KEYS)
    keep = config.table(given, "keep", _KEEP, "monitor.keep")
    ages = {key: duration_ns(keep[key], f"monitor.keep.{key}", 60) for key in keep}
    kept = Keep(*(ages.get(key, getattr(Keep(), f"{key}_ns")) for key in _KEEP))
    if not kept.full_ns <= kept.seconds_ns <= kept.minutes_ns:
        raise ValueError("monitor.keep: expected full <= seconds <= minutes: intervals are joined as they age")
    metrics = _names(given, "metrics", METRICS)
    events = _names(given, "events", SOFTWARE)
    try:
        wanted(metrics)
    except ArmprofError as error:
        raise ValueError(f"monitor.metrics: {error}") from None
    try:
        events = canonical_events(events)
    except ArmprofError as error:
        raise ValueError(f"monitor.events: {error}") from None
    return Settings(
        interval_ns=duration_ns(given.get("interval", DEFAULT_INTERVAL), "monitor.interval", LEAST_INTERVAL_S),
        metrics=tuple(metrics),
        events=tuple(events),
        store=folder / config.text(given["store"], "monitor.store") if "store" in given else None,
        keep=kept,
        notify=_notify(given, folder),
        rules=rules(document, lambda name, figure, component: _of_a_run(folder, name, figure, component)),
        prometheus=_prometheus(given, folder) if "prometheus" in given else None,
        otlp=_otlp(given) if "otlp" in given else None,
    )


def address(text: str, path: str) -> tuple[str, int]:
    """What "[ADDRESS:]PORT" names; loopback without an address. Raises MismatchError."""
    host, colon, port = text.rpartition(":")
    if not re.fullmatch(r"\d{1,5}", port) or int(port) > 65535 or (colon and not host):
        raise MismatchError(path, 'a port or an address with one, as in "9464", "0.0.0.0:9464" or "[::]:9464"', text)
    return host.strip("[]") or Prometheus(0).host, int(port)


def _of_a_run(folder: Path, name: str, figure: Figure, component: str) -> float:
    from armprof.monitor import baselines  # the formats of runs are many

    return baselines.value(baselines.read(name, folder), figure, component)


def _prometheus(given: dict[str, Any], folder: Path) -> Prometheus:
    path = "monitor.prometheus"
    tls = ("certfile", "keyfile", "client_cafile")
    keys = (*tls, "passwords")
    table = config.table(given, "prometheus", ("listen", *keys), path)
    if "listen" not in table:
        raise ValueError(f"{path}: a key listen is missing: where to serve")
    host, port = address(config.text(table["listen"], f"{path}.listen"), f"{path}.listen")
    files = {key: folder / config.text(table[key], f"{path}.{key}") for key in keys if key in table}
    if "certfile" not in files and any(key in files for key in tls):
        raise ValueError(f"{path}: a key certfile is missing: TLS needs the server's certificate")
    return Prometheus(port, host, **files)


def url(text: str, path: str) -> str:
    """An address that begins with http:// or https://. Raises MismatchError."""
    try:
        parts = urllib.parse.urlsplit(text)
        known = parts.scheme in ("http", "https") and parts.hostname and (parts.port is None or parts.port > 0)
    except ValueError:  # a port that is no number
        known = False
    if not known:
        raise MismatchError(path, "an address that begins with http:// or https://", text)
    return text


def _otlp(given: dict[str, Any]) -> Otlp:
    path = "monitor.otlp"
    table = config.table(given, "otlp", ("endpoint", "every"), path)
    if "endpoint" not in table:
        raise ValueError(f"{path}: a key endpoint is missing: where to send")
    endpoint = url(config.text(table["endpoint"], f"{path}.endpoint"), f"{path}.endpoint")
    return Otlp(endpoint, duration_ns(table["every"], f"{path}.every", 1)) if "every" in table else Otlp(endpoint)


def _names(given: dict[str, Any], key: str, default: Sequence[str]) -> Sequence[str]:
    names = given.get(key, list(default))
    if not isinstance(names, list):
        raise MismatchError(f"monitor.{key}", "a list of names", names)
    return [config.text(name, f"monitor.{key}[{at}]") for at, name in enumerate(names)]


def _notify(given: dict[str, Any], folder: Path) -> Notify:
    path = "monitor.notify"
    table = config.table(given, "notify", ("log", "command", "webhook"), path)
    command = table.get("command", [])
    if not isinstance(command, list):
        raise MismatchError(f"{path}.command", 'a list of words, as in ["logger", "-t", "armprof"]', command)
    return Notify(
        log=folder / config.text(table["log"], f"{path}.log") if "log" in table else None,
        command=tuple(config.text(word, f"{path}.command[{at}]") for at, word in enumerate(command)),
        webhook=url(config.text(table["webhook"], f"{path}.webhook"), f"{path}.webhook") if "webhook" in table else "",
    )
