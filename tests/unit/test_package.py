"""What `import armprof` gives: quickly, lazily, and without the native module as far as files go."""

from __future__ import annotations

import ast
import importlib
import importlib.metadata
import inspect
import json
import os
import pkgutil
import re
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path

import pytest
from processes import python

import armprof
from armprof import display

ROOT = Path(__file__).parents[2]

# Stands before the import system as if the native modules had not been built.
WITHOUT_NATIVE = """
import sys
class Missing:
    def find_spec(self, name, path=None, target=None):
        if name in ("armprof._native", "armprof._blocks"):
            raise ModuleNotFoundError(f"No module named {name!r}", name=name)
sys.meta_path.insert(0, Missing())
"""


def told_by(script: str) -> str:
    done = python(script)
    assert (done.returncode, done.stderr) == (0, "")
    return done.stdout


# ---- what is imported ------------------------------------------------------------------------------------------------


def modules_after(statement: str) -> set[str]:
    return set(json.loads(told_by(f"import json, sys\n{statement}\nprint(json.dumps(sorted(sys.modules)))")))


def test_importing_armprof_imports_nothing_heavy():
    added = modules_after("import armprof") - modules_after("pass")
    heavy = {"numpy", "pandas", "rich", "cffi", "_cffi_backend", "argparse", "asyncio", "inspect", "dataclasses"}
    assert not {name.partition(".")[0] for name in added} & heavy
    assert {name for name in added if name.startswith("armprof")} == {"armprof"}


def test_measuring_needs_no_pandas_nor_rich_nor_numpy():
    loaded = modules_after("import armprof\nwith armprof.measure() as m: pass\nrepr(m), m.metrics, repr(m.metrics)")
    assert not {name.partition(".")[0] for name in loaded} & {"pandas", "rich", "numpy", "argparse"}


def test_the_analysis_of_a_file_needs_no_native_module():
    script = (
        WITHOUT_NATIVE
        + """
import armprof
from armprof.counters.imported import parse
text = '''
 Performance counter stats for './parse':

     4,000,000,000      cycles
     6,000,000,000      instructions
     2,000,000,000      L1-dcache-loads
       200,000,000      L1-dcache-load-misses

       1.500000000 seconds time elapsed
'''
reading = parse(text).total
analysis = armprof.analyze(reading)
print(analysis.metrics.cycles_per_instruction)
print([r.type.name for r in analysis.recommendations])
reading.to_frame(), repr(analysis), armprof.Reading, armprof.Count, armprof.ARM64Metrics
"""
    )
    cycles, recommendations = told_by(script).splitlines()
    assert float(cycles) == pytest.approx(4 / 6)
    assert "CACHE_LAYOUT" in recommendations


@pytest.mark.parametrize("name", ["measure", "region", "profile"])
def test_counting_without_the_native_module_is_one_line_with_a_remedy(name):
    script = (
        WITHOUT_NATIVE
        + f"""
import armprof
for attempt in range(2):
    try:
        armprof.{name}
    except armprof.CannotCount as e:
        print(e)
"""
    )
    first, second = told_by(script).splitlines()
    assert first == second
    assert first.startswith("the native module is missing (No module named 'armprof._native'); install armprof ")


@pytest.mark.parametrize("verb", ["doctor", "events"])
def test_verbs_that_count_nothing_work_without_the_native_module(verb):
    script = WITHOUT_NATIVE + f"import armprof.cli\nsys.exit(armprof.cli.main([{verb!r}]))"
    assert python(script).returncode == 0


@pytest.mark.parametrize("words", [["bench"], ["stat", "--", "true"]])
def test_verbs_that_count_say_that_the_native_module_is_missing(words):
    done = python(WITHOUT_NATIVE + f"import armprof.cli\nsys.exit(armprof.cli.main({words!r}))")
    assert done.returncode == 3
    assert done.stderr.startswith("armprof: the native module is missing (")
    assert done.stderr.count("\n") == 1


def test_beside_the_sources_it_says_how_to_import_what_is_installed():
    environment = {name: value for name, value in os.environ.items() if name != "PYTHONSAFEPATH"}
    command = [sys.executable, "-c", "import armprof; armprof.measure"]
    done = subprocess.run(command, cwd=ROOT, env=environment, capture_output=True, text=True, check=False)
    assert f"these are the sources in {ROOT}: run python -P, or in another folder" in done.stderr


def test_names_that_threads_ask_for_at_once_are_the_same_for_all():
    script = """
import threading
import armprof
start = threading.Barrier(16)
found = []
def ask(at):
    start.wait()
    names = armprof.__all__[at % 3 :] + armprof.__all__[: at % 3]
    found.append({name: id(getattr(armprof, name)) for name in names})
threads = [threading.Thread(target=ask, args=(at,)) for at in range(16)]
for thread in threads: thread.start()
for thread in threads: thread.join()
print(len(found), all(f == found[0] for f in found))
"""
    assert told_by(script) == "16 True\n"


# ---- who imports whom ------------------------------------------------------------------------------------------------

# From left to right: a box may import those before it, when it is imported itself and when it is called. Names below
# TYPE_CHECKING are not counted: they are never imported.
FLOW = (
    *("errors", "output", "display", "binary", "cpu", "counters", "metrics", "run", "config", "samples"),
    *("measurement", "regions", "model", "components", "budget", "analysis", "compare", "history", "monitor"),
    *("report", "testing", "pytest_plugin", "commands", "cli", "__main__"),
)


def test_the_page_of_the_architecture_has_them_in_this_order():
    told = (ROOT / "docs/architecture.md").read_text(encoding="utf-8").partition("| of `armprof/` |")[2]
    cells = re.findall(r"^\| (`.*?`) \|", told.partition("\n\n")[0], re.MULTILINE)
    assert tuple(name for cell in cells for name in re.findall(r"`(\w+)`", cell)) == FLOW


@dataclass
class Imports:
    """The modules of armprof that one of them needs to be imported, and those that it needs at all."""

    first: set[str]
    ever: set[str]


def named_in(node: ast.AST) -> set[str]:
    """What an import names, and what a string names that is imported later: whole modules, and folders of them."""
    if isinstance(node, ast.Import):
        return {alias.name for alias in node.names}
    if isinstance(node, ast.ImportFrom):
        whole = {f"{node.module}.{alias.name}" for alias in node.names}
        return {name if name in MODULES else name.rpartition(".")[0] for name in whole}
    if isinstance(node, ast.JoinedStr) and isinstance(node.values[0], ast.Constant):  # f"armprof.commands.{verb}"
        folder = str(node.values[0].value).rpartition(".")[0]
        is_package = folder in MODULES and folder != "armprof"
        return {module for module in MODULES if is_package and module.startswith(f"{folder}.")}
    if isinstance(node, ast.Constant) and isinstance(node.value, str) and node.value != "armprof":
        return {node.value}
    return set()


def imports_of(module: str, path: Path) -> Imports:
    found = Imports(set(), set())

    def read(node: ast.AST, *, later: bool) -> None:
        names = {name for name in named_in(node) if name in MODULES} - {module}
        found.ever.update(names)
        if not later and isinstance(node, ast.Import | ast.ImportFrom):
            found.first.update(names)
        later = later or isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef | ast.Lambda)
        guarded = isinstance(node, ast.If) and "TYPE_CHECKING" in ast.unparse(node.test)
        for child in node.orelse if guarded else ast.iter_child_nodes(node):
            read(child, later=later)

    read(ast.parse(path.read_text(encoding="utf-8")), later=False)
    return found


def name_of(path: Path) -> str:
    return ".".join(path.relative_to(ROOT).with_suffix("").parts).removesuffix(".__init__")


MODULES = {name_of(path): path for path in sorted((ROOT / "armprof").rglob("*.py"))}
IMPORTS = {module: imports_of(module, path) for module, path in MODULES.items()}


def box(module: str) -> str:
    return module.split(".")[1] if "." in module else ""


def test_a_box_knows_those_to_its_left_alone():
    place = {"": -1} | {name: i for i, name in enumerate(FLOW)}
    assert {box(module) for module in MODULES} <= place.keys()
    backwards = [
        f"{module} imports {other}"
        for module, imports in IMPORTS.items()
        if module != "armprof"
        for other in imports.ever
        if box(module) != box(other) and place[box(other)] > place[box(module)]
    ]
    assert backwards == []


def left_in_circles(graph: dict[str, set[str]]) -> dict[str, set[str]]:
    """What is left of the graph when those that need nothing more are taken away, again and again."""
    left = dict(graph)
    while ready := [module for module, others in left.items() if not others & left.keys()]:
        for module in ready:
            del left[module]
    return left


def with_packages(module: str, others: set[str]) -> set[str]:
    """To import a module of a package is to import the package; that of its own is there already."""
    packages = {".".join(parts[:n]) for parts in (other.split(".") for other in others) for n in range(2, len(parts))}
    return others | {package for package in packages if not module.startswith(f"{package}.")} - {module}


def test_no_modules_import_each_other_in_a_circle():
    assert left_in_circles({module: with_packages(module, found.first) for module, found in IMPORTS.items()}) == {}


def test_no_modules_call_for_each_other_in_a_circle():
    """The package itself is left out: it has the names of all, and no module asks it for more than its version."""
    graph = {module: with_packages(module, found.ever) for module, found in IMPORTS.items() if module != "armprof"}
    assert left_in_circles(graph) == {}


def test_modules_ask_the_package_itself_for_its_version_alone():
    asked = {
        f"{module} asks for {name}"
        for module, path in MODULES.items()
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8")))
        for name in names_asked_of_the_package(node)
        if module != "armprof" and name in armprof._HOME
    }
    assert asked == set()


def names_asked_of_the_package(node: ast.AST) -> set[str]:
    if isinstance(node, ast.ImportFrom) and node.module == "armprof":
        return {alias.name for alias in node.names}
    if isinstance(node, ast.Attribute) and ast.unparse(node.value) == "armprof":
        return {node.attr}
    return set()


def test_the_check_of_imports_sees_those_that_count():
    forming, reading, result = (
        IMPORTS[f"armprof.{n}"] for n in ("metrics.compute", "counters.reading", "metrics.result")
    )
    assert "armprof.metrics.forming" in forming.first
    assert "armprof.cpu" not in reading.first
    assert "armprof.cpu" in reading.ever  # in a function
    assert "armprof.cpu" not in result.ever  # below TYPE_CHECKING
    assert "armprof.report.sarif" in IMPORTS["armprof.report.formats"].ever  # by a name in a table
    assert "armprof.commands.doctor" in IMPORTS["armprof.commands.verbs"].ever  # by a name that is put together
    assert left_in_circles({"a": {"b"}, "b": {"c"}, "c": {"b"}, "d": set()}) == {"a": {"b"}, "b": {"c"}, "c": {"b"}}


def test_the_report_draws_for_notebooks_where_it_is_entered(monkeypatch: pytest.MonkeyPatch) -> None:
    (entry,) = importlib.metadata.entry_points(group="armprof.display")
    reading = armprof.Reading({}, source="pmu")
    assert reading._repr_html_() == entry.load()(reading)
    monkeypatch.setattr(importlib.metadata, "entry_points", lambda group: ())
    monkeypatch.setattr(display, "_drawing", display._drawing.__wrapped__)
    assert reading._repr_html_() is None  # then a notebook shows the text


# ---- what is called what ---------------------------------------------------------------------------------------------


def classes_of(path: Path) -> set[str]:
    tree = ast.parse(path.read_text(encoding="utf-8"))
    return {node.name for node in tree.body if isinstance(node, ast.ClassDef) and not node.name.startswith("_")}


CLASSES = {module: classes_of(path) for module, path in MODULES.items()}


def classes_below(package: str) -> set[str]:
    return set().union(*(found for module, found in CLASSES.items() if f"{module}.".startswith(f"{package}.")))


def classes_of_others(module: str) -> set[str]:
    """The classes that a module imports from other boxes than its own."""
    return {
        alias.name
        for node in ast.walk(ast.parse(MODULES[module].read_text(encoding="utf-8")))
        if isinstance(node, ast.ImportFrom) and node.module in MODULES and box(node.module) != box(module)
        for alias in node.names
        if alias.name in classes_below(node.module)
    }


def test_a_class_that_other_boxes_know_has_a_name_of_its_own():
    known = set().union(*map(classes_of_others, MODULES))
    homes = {name: [module for module, classes in CLASSES.items() if name in classes] for name in known}
    assert {"Reading", "Verdict"} <= homes.keys()
    assert {name: modules for name, modules in homes.items() if len(modules) > 1} == {}


# ---- what there is ---------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("name", armprof.__all__)
def test_every_public_name_is_there_and_says_what_it_is(name):
    value = getattr(armprof, name)
    assert name in dir(armprof)
    if name != "__version__":
        assert inspect.getdoc(value)
        assert value.__name__ == name


def test_the_names_of_the_design_are_public():
    functions = {"measure", "region", "profile", "analyze", "ab", "sample"}
    findings = {"PerformanceBottleneck", "PerformanceRegression", "OptimizationType", "ImplementationEffort"}
    figures = {"ARM64Metrics", "ComponentMetrics", "HeadroomAllocation", "Reading", "Count"}
    assert functions | findings | figures <= set(armprof.__all__)


def test_a_star_import_gives_the_public_names():
    assert told_by("from armprof import *\nprint(measure, region, profile, analyze)").count("<function") == 4


def test_a_name_that_is_not_there_is_an_attribute_error():
    assert not hasattr(armprof, "measurements")
    with pytest.raises(AttributeError, match="module 'armprof' has no attribute 'measurements'"):
        _ = armprof.measurements


def test_no_submodule_bears_the_name_of_something_public():
    """Importing it would put the module in its place."""
    submodules = {module.name for module in pkgutil.iter_modules([str(ROOT / "armprof")])}
    assert "measurement" in submodules
    assert not submodules & set(armprof.__all__)


def test_public_names_stay_what_they_are_when_everything_is_imported():
    script = """
import importlib, pkgutil
import armprof
before = {name: getattr(armprof, name) for name in armprof.__all__}
for module in pkgutil.walk_packages(armprof.__path__, "armprof."):
    if not module.name.endswith("__main__"):
        importlib.import_module(module.name)
print(before == {name: getattr(armprof, name) for name in armprof.__all__})
"""
    assert told_by(script) == "True\n"


def test_type_checkers_see_every_public_name():
    tree = ast.parse((ROOT / "armprof/__init__.py").read_text())
    guarded = next(node for node in tree.body if isinstance(node, ast.If))
    imported = {
        alias.asname: node.module
        for node in guarded.body
        if isinstance(node, ast.ImportFrom)
        for alias in node.names
        if alias.asname == alias.name
    }
    assert imported == armprof._HOME | {"model": "armprof", "monitor": "armprof"}
    assert (ROOT / "armprof/py.typed").exists()


def test_the_version_is_the_same_everywhere():
    assert (
        re.search(r"project\([^)]*?\n\s*version:\s*'([^']+)'", (ROOT / "meson.build").read_text())[1]
        == armprof.__version__
    )
    assert importlib.metadata.version("armprof") == armprof.__version__
    assert 'dynamic = ["version"]' in (ROOT / "pyproject.toml").read_text()


PUBLIC = [name for name in armprof.__all__ if inspect.isclass(getattr(armprof, name))]


@pytest.mark.parametrize("name", PUBLIC)
def test_every_public_method_says_what_it_does(name):
    for attribute, value in vars(getattr(armprof, name)).items():
        is_told = inspect.isfunction(value) or isinstance(value, property) or hasattr(value, "__set_name__")
        if not attribute.startswith("_") and is_told:
            assert inspect.getdoc(value), f"{name}.{attribute}"


@pytest.mark.parametrize("name", ["measure", "region", "profile", "analyze", "ab", "component", "sample"])
def test_a_function_says_what_it_takes_and_what_it_raises(name):
    function = getattr(armprof, name)
    for parameter in inspect.signature(function).parameters.values():
        assert parameter.annotation is not inspect.Parameter.empty
    assert "Raises" in (inspect.getdoc(function) or "")
