"""The pages of the reference, made of what the program itself goes by: docstrings, parsers, tables and schemas.

Each function gives the Markdown that follows the words of a page of the same name. `python docs/generated.py events`
prints one.
"""

from __future__ import annotations

import argparse
import inspect
import json
import os
import re
import sys
from collections.abc import Callable, Iterable, Mapping, Sequence
from importlib import import_module
from pathlib import Path
from typing import Any

import armprof
from armprof import cpu
from armprof.cli import VERBS
from armprof.cpu import tables
from armprof.metrics.table import MetricDefinition, definitions
from armprof.metrics.wanted import groups

PACKAGE = Path(armprof.__file__).parent


def table(head: Sequence[str], rows: Iterable[Sequence[object]]) -> str:
    """A table of Markdown."""
    lines = [head, ["---"] * len(head), *([_cell(cell) for cell in row] for row in rows)]
    return "".join(f"| {' | '.join(line)} |\n" for line in lines) + "\n"


def _cell(value: object) -> str:
    return "" if value is None else re.sub(r"\s+", " ", str(value)).replace("|", "\\|").strip()


# What is public beside the names of `armprof` itself.
MODULES = {
    "armprof.model": ("run", "Modelled"),
    "armprof.monitor": ("Monitor", "performance_trends"),
    "armprof.components": ("bench",),
    "armprof.compare": ("detect_regressions",),
    "armprof.budget": ("assess", "allocate", "validate", "defaults"),
    "armprof.binary": ("Binary", "Space"),
}

# ---- Python ----------------------------------------------------------------------------------------------------------


def api() -> str:
    """Every public name: its signature, its docstring, and those of its methods and fields."""
    values = {name: getattr(armprof, name) for name in armprof.__all__ if name != "__version__"}
    functions = [name for name, value in values.items() if inspect.isfunction(value)]
    classes = [name for name in values if name not in functions]
    found = ""
    for title, names in (("Functions", functions), ("Classes", classes)):
        found += f"## {title}\n\n" + "".join(_described(f"armprof.{name}", values[name]) for name in names)
    for module, public in MODULES.items():
        owner = import_module(module)
        found += f"## {module}\n\n" + "".join(_described(f"{module}.{name}", getattr(owner, name)) for name in public)
    return found


def _described(name: str, value: Any) -> str:
    kind = "class" if inspect.isclass(value) else "function"
    return _directive(kind, name + _signature(value), _text(value) + (_members(value) if kind == "class" else ""), 3)


def _members(owner: type) -> str:
    found = ""
    for name, value in vars(owner).items():
        if name.startswith("_") or not inspect.getdoc(value):
            continue
        if isinstance(value, property) or hasattr(value, "__set_name__"):  # as a cached_property has
            found += _directive("property", name, _text(value), 2)
        elif isinstance(value, staticmethod | classmethod) or inspect.isfunction(value):
            is_bound = not isinstance(value, staticmethod)
            signature = _signature(getattr(value, "__func__", value), is_bound)
            found += _directive("method", name + signature, _text(value), 2)
    return found


def _signature(value: Any, is_bound: bool = False) -> str:
    try:
        signature = inspect.signature(value)
    except (TypeError, ValueError):
        return ""
    text = str(signature.replace(parameters=list(signature.parameters.values())[is_bound:]))
    text = re.sub(r"(: |-> )'([^']*)'", r"\1\2", text)  # annotations are strings
    return re.sub(r"<function (?:([\w.]+)|<lambda>) at \w+>", lambda found: found[1] or "...", text)


def _text(value: Any) -> str:
    return (inspect.getdoc(value) or "").replace("``", "`") + "\n\n"


def _directive(kind: str, argument: str, content: str, depth: int) -> str:
    fence = "`" * (3 + depth)
    return f"{fence}{{py:{kind}}} {argument}\n\n{content}{fence}\n\n"


# ---- the command line ------------------------------------------------------------------------------------------------


def cli() -> str:
    """The help of every verb."""
    os.environ["COLUMNS"] = "80"
    found = ""
    for verb, does in VERBS.items():
        parser = argparse.ArgumentParser(prog=f"armprof {verb}", description=does)
        import_module(f"armprof.commands.{verb}").prepare(parser)
        found += f"## armprof {verb}\n\n```text\n{parser.format_help()}```\n\n"
    return found


# ---- cores, events and metrics ---------------------------------------------------------------------------------------


def cores() -> str:
    """A table of all cores, and of each what is known of it with its sources."""
    found = [cpu.core(name) for name in cpu.core_names()]
    rows = ((f"`{c.name}`", ", ".join(c.products), c.counters, c.slots, len(c.events)) for c in found)
    head = ("core", "in", "counters", "slots a cycle", "events")
    return "## All cores\n\n" + table(head, rows) + "".join(map(_core, found))


def _core(core: cpu.Core) -> str:
    rows: list[tuple[str, object]] = [
        ("MIDR", ", ".join(f"implementer {i:#04x}, part {p:#05x}" for i, p in core.midrs)),
        ("clock, at most", ", ".join(f"{clock} GHz ({product})" for product, clock in core.clocks_ghz.items())),
        ("mispredicted branch", f"{core.mispredict_cycles} cycles" if core.mispredict_cycles else ""),
        ("load from", ", ".join(f"{level} {cycles:g} cycles" for level, cycles in core.load_cycles.items())),
        *((f"cache {level}", _cache(cache)) for level, cache in core.caches.items()),
        *((f"TLB {level}", _tlb(tlb)) for level, tlb in core.tlbs.items()),
        *((f"erratum {e.id}", f"{e.effect} ({', '.join(f'`{n}`' for n in e.events)})") for e in core.errata),
        *((f"source of {what}", source) for what, source in core.sources.items()),
    ]
    note = f"{core.note}\n\n" if core.note else ""
    return f"## {core.title}\n\n{note}" + table(("", ""), (row for row in rows if row[1]))


def _cache(cache: tables.Cache) -> str:
    size = f"{cache.size_kib} KiB" if cache.size_kib else ""
    ways = f"{cache.ways} ways" if cache.ways else ""
    return ", ".join(part for part in (size, ways, f"lines of {cache.line_bytes} bytes", cache.note) if part)


def _tlb(tlb: tables.Tlb) -> str:
    return f"{tlb.entries} entries" + (f", {tlb.ways} ways" if tlb.ways else "")


def events() -> str:
    """What each event counts, and on which cores it is there; then the events that one core has alone."""
    known = [cpu.core(name) for name in cpu.core_names()]
    found = "## Of the architecture\n\n"
    architected = sorted(tables.architected().values(), key=lambda event: event.code or 0)
    found += _events(architected, known)
    for core in known:
        own = sorted(core.own.values(), key=lambda event: event.code or 0)
        if own:
            rows = ((f"`{e.name}`", f"{e.code:#x}", e.title) for e in own)
            found += f"## {core.title} alone\n\n" + table(("event", "code", "counts"), rows)
    software = [event for event in tables.events().values() if event.kind == "software"]
    for title, kind in (("Of the kernel", software), ("Of the modelled core", tables.modelled().values())):
        found += f"## {title}\n\n" + table(("event", "counts"), ((f"`{e.name}`", e.title) for e in kind))
    return found


def _events(rows: Iterable[cpu.Event], known: Sequence[cpu.Core]) -> str:
    cells = ((f"`{event.name}`", f"{event.code:#x}", event.title, _having(event, known)) for event in rows)
    return table(("event", "code", "counts", "on"), cells)


def _having(event: cpu.Event, known: Sequence[cpu.Core]) -> str:
    """The cores that have it, each with its own code where it has one."""
    codes = {core: core.code(event.name) for core in known if core.has(event.name)}
    own = {core: f" ({code:#x})" if code != event.code else "" for core, code in codes.items()}
    return _all_or(known, own)


def _all_or(known: Sequence[cpu.Core], having: Mapping[cpu.Core, str]) -> str:
    """Those that have something, or those that have it not, whichever are fewer."""
    lacking = [_short(core) for core in known if core not in having]
    if any(having.values()) or len(lacking) > len(having):
        return ", ".join(_short(core) + what for core, what in having.items()) or "none"
    return f"all but {', '.join(lacking)}" if lacking else "all"


def _short(core: cpu.Core) -> str:
    return core.title.rpartition(" ")[2].removeprefix("Cortex-").strip("()")


def metrics() -> str:
    """Formulas, by section, and on which cores each can be formed."""
    found = ""
    for section in dict.fromkeys(one.section for one in definitions()):
        found += f"## {section.capitalize()}\n\n" + "".join(_metric(m) for m in definitions() if m.section == section)
    rows = ((f"`{one.name}`", one.title, ", ".join(f"`{name}`" for name in one.metrics)) for one in groups().values())
    return found + "## Groups\n\n" + table(("group", "", "metrics"), rows)


def _metric(metric: MetricDefinition) -> str:
    low, high = metric.range
    better = f"; {metric.better} is better" if metric.better else ""
    rows = ((f"`{way.formula.text}`", ", ".join(way.cores), way.note) for way in metric.ways)
    known = [cpu.core(name) for name in cpu.core_names()]
    having = {core: "" for core in known if _forms(metric, core)}
    where = "the modelled core alone" if metric.source == "model" else _all_or(known, having)
    return (
        f"### {metric.title}\n\n`{metric.name}`: {metric.unit or 'a ratio'}, {low:g} to {high:g}{better}. On: {where}.\n\n"
        + table(("formula", "of", "to know"), rows)
    )


def _forms(metric: MetricDefinition, core: cpu.Core) -> bool:
    return any(all(core.has(event) for event in way.events) for way in metric.ways_of(core))


# ---- files -----------------------------------------------------------------------------------------------------------


def files() -> str:
    """The fields of every schema, object by object."""
    return "".join(_schema(path) for path in sorted(PACKAGE.rglob("*.schema.json")))


def _schema(path: Path) -> str:
    schema = json.loads(path.read_text(encoding="utf-8"))
    place = f"armprof/{path.relative_to(PACKAGE)}"
    found = f"## {schema['title']}\n\n`{place}`. {schema.get('description', '')}\n\n" + _fields(schema)
    for name, part in schema.get("$defs", {}).items():
        if "properties" in part:
            found += f"### {name} ({path.name.partition('.')[0]})\n\n{part.get('description', '')}\n\n" + _fields(part)
    return found


def _fields(part: dict[str, Any]) -> str:
    required = part.get("required", ())
    rows = (
        (f"`{name}`" + ("" if name in required else " (optional)"), _type(field), field.get("description", ""))
        for name, field in part["properties"].items()
    )
    return table(("field", "is", ""), rows)


def _type(field: dict[str, Any]) -> str:
    if "$ref" in field:
        return str(field["$ref"]).rpartition("/")[2]
    for several in ("anyOf", "oneOf"):
        if several in field:
            return " or ".join(_type(one) for one in field[several])
    if "const" in field or "enum" in field:
        return " or ".join(f"`{json.dumps(one)}`" for one in field.get("enum", [field.get("const")]))
    kind = field.get("type", "any")
    if kind == "array":
        return f"array of {_type(field.get('items', {}))}"
    if kind == "object" and "properties" in field:
        return f"object ({', '.join(field['properties'])})"
    return " or ".join(kind) if isinstance(kind, list) else str(kind)


PAGES: dict[str, Callable[[], str]] = {
    "api": api,
    "cli": cli,
    "cores": cores,
    "events": events,
    "metrics": metrics,
    "files": files,
}

if __name__ == "__main__":
    for wanted in sys.argv[1:]:
        print(PAGES[wanted]())
