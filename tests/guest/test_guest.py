"""Each file of tests/hardware, and what holds everywhere, in each kind of guest; a guest is booted once for all of them."""

from __future__ import annotations

import os
from collections.abc import Iterator
from concurrent.futures import Future, ThreadPoolExecutor

import pytest

from .cache import BuildError, MissingError
from .conftest import SUMMARIES
from .hardware import TESTS, NoReportError, Outcome, run_hardware_tests, summary
from .machine import EMULATOR_VARIABLES, BootError, Guest

GUESTS = {
    "emulator": Guest("emulator"),
    "emulator-two-cpus": Guest("emulator", smp=2),
    "debian": Guest("debian"),
}
Boots = dict[str, Future[list[Outcome]]]


def _why_not(guest: Guest) -> str | None:
    if guest.machine == "emulator" and not all(map(os.environ.get, EMULATOR_VARIABLES)):
        return f"{' and '.join(EMULATOR_VARIABLES)} do not name an emulator with a full PMU"
    return None


@pytest.fixture(scope="session")
def boots(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Boots]:
    """The guests that the selected tests want, booting side by side: each keeps one CPU busy."""
    selected = {item.callspec.params.get("guest") for item in request.session.items if hasattr(item, "callspec")}
    with ThreadPoolExecutor(max_workers=min(len(GUESTS), os.cpu_count() or 1)) as pool:
        yield {
            name: pool.submit(run_hardware_tests, guest, tmp_path_factory.mktemp(name))
            for name, guest in GUESTS.items()
            if name in selected and _why_not(guest) is None
        }


@pytest.mark.parametrize("guest", GUESTS)
@pytest.mark.parametrize("file", [path.stem for path in TESTS])
def test_hardware(guest: str, file: str, boots: Boots, pytestconfig: pytest.Config) -> None:
    if reason := _why_not(GUESTS[guest]):
        pytest.skip(reason)
    try:
        every_test = boots[guest].result()
    except MissingError as missing:
        if os.environ.get("ARMPROF_GUEST_REQUIRED") == "1":
            pytest.fail(f"the guest is required here: {missing}", pytrace=False)
        pytest.skip(f"no guest: {missing}")
    except (BuildError, BootError, NoReportError) as error:
        pytest.fail(str(error), pytrace=False)
    pytestconfig.stash[SUMMARIES][guest] = summary(every_test)
    tests = [test for test in every_test if test.file == file]
    assert tests, f"no test of {file} ran in the guest {guest}"
    if failed := [f"--- {test.name}\n{test.text}" for test in tests if test.result == "failed"]:
        pytest.fail(f"in the guest {guest}: {summary(tests)}\n" + "\n".join(failed), pytrace=False)
    if not any(test.result == "passed" for test in tests):
        reasons = "; ".join(sorted({test.text for test in tests}))
        pytest.skip(f"nothing of {file} ran in the guest {guest}: {reasons}")


def test_every_hardware_test_runs_in_one_of_the_guests(boots: Boots) -> None:
    if boots.keys() != GUESTS.keys():
        pytest.skip("only with the tests of all guests")
    if failed := [name for name, boot in boots.items() if boot.exception()]:
        pytest.skip(f"{' and '.join(failed)} failed")
    reasons: dict[str, dict[str, str]] = {}
    for guest, boot in boots.items():
        for test in boot.result():
            reasons.setdefault(f"{test.file}::{test.name}", {})[guest] = "" if test.result != "skipped" else test.text
    assert {test: why for test, why in reasons.items() if all(why.values())} == {}
