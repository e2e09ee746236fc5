"""Registering components: by `armprof.component`, in armprof.toml; and what cannot be one."""

from __future__ import annotations

import functools
import itertools
import sys
import time
from collections.abc import Callable
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

import armprof
from armprof.components import KERNELS, configured, registry
from armprof.components.failure import Failed
from armprof.components.timing import FEW, MANY, sample_count, time_once, warm_up
from armprof.components.work import Work
from armprof.errors import ArmprofError

PATHS = itertools.count()


@pytest.fixture(autouse=True)
def nothing_registered(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(registry, "REGISTERED", {})
    monkeypatch.setattr(sys, "path", list(sys.path))


def registered(name: str) -> registry.Definition:
    return registry.REGISTERED[name]


# ---- armprof.component -----------------------------------------------------------------------------------------------


def test_a_function_is_registered_under_its_name_and_stays_what_it_is() -> None:
    @armprof.component
    def decode() -> str:
        return "decoded"

    assert decode() == "decoded"
    assert (registered("decode").kind, registered("decode").operation) == ("callable", "call")


def test_name_title_and_operation_can_be_given() -> None:
    @armprof.component("decode, small", title="The decoder", operation="message")
    def decode() -> None: ...

    assert list(registry.REGISTERED) == ["decode, small"]
    found = registered("decode, small")
    assert (found.title, found.operation) == ("The decoder", "message")


@pytest.mark.parametrize("command", ["ls -l '/a b'", ["ls", "-l", "/a b"]])
def test_a_command_is_a_line_or_words(command: str | list[str]) -> None:
    armprof.component("lister", command=command)
    assert (registered("lister").kind, registered("lister").title) == ("command", "ls -l '/a b'")


async def coroutine() -> None: ...


def generator() -> object:
    yield


class Caller:
    async def __call__(self) -> None: ...


@pytest.mark.parametrize(
    ("function", "complaint"),
    [
        (coroutine, "'mine' is a coroutine function.*asyncio.run"),
        (functools.partial(coroutine), "is a coroutine function"),
        (Caller(), "is a coroutine function"),
        (generator, "'mine' is a generator function"),
        (lambda x: x, "'mine' cannot be called without arguments .*'x'"),
        (lambda *, key: key, "without arguments .*'key'"),
        (int.__add__, "cannot be called without arguments"),
    ],
)
def test_what_a_call_without_arguments_does_not_run_is_refused(function: Callable[..., object], complaint: str) -> None:
    with pytest.raises(ArmprofError, match=complaint) as caught:
        armprof.component("mine")(function)
    assert "\n" not in str(caught.value)
    assert registry.REGISTERED == {}


@pytest.mark.parametrize("function", [lambda x=1: x, lambda *args: args, dict, Caller.__init_subclass__, int])
def test_what_can_be_called_without_arguments_is_taken(function: Callable[[], object]) -> None:
    armprof.component("mine")(function)
    assert "mine" in registry.REGISTERED


@pytest.mark.parametrize("name", [7, "", None])
def test_a_component_is_called_by_a_name(name: object) -> None:
    with pytest.raises(ArmprofError, match="called by a name, not by"):
        armprof.component(name)  # type: ignore[call-overload]
    with pytest.raises(ArmprofError, match=r"as a decorator it is @armprof\.component"):
        armprof.component()  # type: ignore[call-overload]


@pytest.mark.parametrize("more", [{"command": "true", "library": "x.so"}, {"symbol": "f"}, {"loop": True}])
def test_a_component_is_one_thing(more: dict[str, object]) -> None:
    with pytest.raises(ArmprofError, match="component 'mine' "):
        armprof.component("mine", **more)  # type: ignore[call-overload]


@pytest.mark.parametrize(
    ("command", "complaint"),
    [
        ("no-such-program -x", "component 'mine': cannot run 'no-such-program'"),
        ("ls 'half", 'the command "ls \'half": No closing quotation'),
        ("", "is no command"),
        ([], "is no command"),
        (["ls", "a\0b"], "is no command"),
        (["ls", 7], "is no command"),
    ],
)
def test_what_is_no_command_is_refused(command: str | list[str], complaint: str) -> None:
    with pytest.raises(ArmprofError, match=complaint):
        armprof.component("mine", command=command)


def test_names_belong_to_one_component() -> None:
    armprof.component("mine", command="true")
    with pytest.raises(ArmprofError, match=r"two components are called 'mine': \w+\.component\('mine'\), .*<lambda>"):
        armprof.component("mine")(lambda: None)
    with pytest.raises(ArmprofError, match="two components are called 'risk': a built-in kernel, "):
        armprof.component("risk", command="true")


def test_a_reloaded_module_registers_its_functions_anew() -> None:
    def once() -> None: ...

    armprof.component(once)
    first = registered("once")
    armprof.component(once)
    assert registered("once") is not first


# ---- armprof.toml ----------------------------------------------------------------------------------------------------


def read(folder: Path, text: str) -> dict[str, registry.Definition]:
    path = folder / "armprof.toml"
    path.write_text(text)
    return registry.joined(KERNELS.values(), registry.REGISTERED.values(), configured.read(path))


def test_a_table_for_each_component_and_modules_that_register_their_own(tmp_path: Path) -> None:
    module = f"users_parts_{next(PATHS)}"
    (tmp_path / f"{module}.py").write_text(
        "import armprof\n@armprof.component\ndef rows(): ...\nclass A:\n def f(): ...\n"
    )
    known = read(
        tmp_path,
        f"""
        [components]
        modules = ["{module}"]
        [components.lister]
        command = "ls /"
        title = "The lister"
        [components."A.f"]
        callable = "{module}:A.f"
        operation = "message"
        """,
    )
    assert list(known) == [*KERNELS, *registry.REGISTERED, "lister", "A.f"]
    assert known["rows"].origin == f"{module}.rows"
    assert known["lister"].title == "The lister"
    assert (known["A.f"].kind, known["A.f"].operation) == ("callable", "message")


def test_a_file_without_components_defines_none(tmp_path: Path) -> None:
    assert read(tmp_path, "[budget]\ntotal_ns = 1\n") == KERNELS


@pytest.mark.parametrize(
    ("text", "complaint"),
    [
        ("components = 1", "components: expected a table, found 1"),
        ("[components]\nmodules = 'x'", "components.modules: expected a list of modules, found 'x'"),
        ("[components]\nmodules = [1]", r"components.modules\[0\]: expected text, found 1"),
        ("[components]\nx = 1", "components.x: expected a table, found 1"),
        ("[components.x]", "components.x: expected one of library, callable, command, found none"),
        ("[components.x]\ncommand='true'\nlibrary='x.so'", "expected one of .*, found library and command"),
        ("[components.x]\ncommand='true'\nloop=true", "components.x.loop: not for a command"),
        ("[components.x]\nlibrary='x.so'\nloop=1", "components.x.loop: expected true or false, found 1"),
        ("[components.x]\ncomand='true'", "components.x.comand: no such key; expected one of library, "),
        ("[components.x]\ncommand=['true']", "components.x.command: expected text, found a list"),
        ("[components.x]\nlibrary='x.so'", "components.x: cannot read .*x.so: No such file"),
        ("[components.x]\ncallable='json'", "components.x: 'json' is no module:function"),
        ("[components.x]\ncallable='json:'", "components.x: 'json:' is no module:function"),
        ("[components.x]\ncallable='json:load_all'", "components.x: the module json has no load_all"),
        ("[components.x]\ncallable='json:decoder'", "component 'x': <module .* cannot be called"),
        ("[components.x]\ncallable='json:dumps'", "component 'x' cannot be called without arguments"),
        ("[components.x]\ncommand='no-such-program'", "components.x: component 'x': cannot run"),
        (
            "[components.risk]\ncommand='true'",
            "two components are called 'risk': a built-in kernel, components.risk in ",
        ),
        ("[components", "line 1"),
    ],
)
def test_a_wrong_table_is_said_in_a_line_with_its_place(tmp_path: Path, text: str, complaint: str) -> None:
    with pytest.raises(ArmprofError, match=complaint) as caught:
        read(tmp_path, text)
    assert "armprof.toml" in str(caught.value)
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize(
    ("source", "complaint"),
    [
        ("1 / 0", r"cannot be imported: ZeroDivisionError: division by zero \(users_bad_\d+.py:1\)$"),
        ("x x", "cannot be imported: SyntaxError: "),
        ("raise SystemExit(3)", "cannot be imported: SystemExit: 3"),
        ("import armprof\n@armprof.component\ndef f(x): ...", "'f' cannot be called without arguments"),
    ],
)
def test_a_module_that_cannot_be_imported_is_said_in_a_line(tmp_path: Path, source: str, complaint: str) -> None:
    module = f"users_bad_{next(PATHS)}"
    (tmp_path / f"{module}.py").write_text(source)
    with pytest.raises(ArmprofError, match=complaint) as caught:
        configured.load(module, tmp_path)
    assert "\n" not in str(caught.value)


# ---- How often ---------------------------------------------------------------------------------------------------------


@given(st.floats(0.01, 60), st.floats(1, 1e12))
def test_samples_fill_the_time_and_are_a_thousand_where_that_is_no_second(seconds: float, sample_ns: float) -> None:
    samples = sample_count(seconds, sample_ns)
    assert samples >= FEW
    assert samples * sample_ns <= max(seconds * 1e9, 1e9, FEW * sample_ns)
    if MANY * sample_ns <= 1e9:
        assert samples >= MANY


class Nothing(Work):
    def run(self, operations: int) -> None: ...

    def sample(self, batch: int, samples: int) -> object: ...


def test_what_does_nothing_cannot_be_warmed_up() -> None:
    with pytest.raises(Failed, match="it does nothing"):
        warm_up(functools.partial(time_once, Nothing()), 1.0)


def test_an_interruption_in_warming_up_makes_no_operation_look_longer() -> None:
    class Interrupted(Nothing):
        runs = 0

        def run(self, operations: int) -> None:
            self.runs += 1
            time.sleep(0.05 if self.runs == 1 else operations * 1e-6)

    assert warm_up(functools.partial(time_once, Interrupted()), 0.04) < 0.05e9
