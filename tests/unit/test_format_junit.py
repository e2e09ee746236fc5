"""JUnit XML: what every CI reads, with names that mean harm."""

from __future__ import annotations

from xml.etree import ElementTree

from hypothesis import given
from reviews import check, review, reviews

from armprof.report import junit
from armprof.report.review import Grade, Review

# The published schema of Jenkins, as far as it is used here: of each element its attributes and children.
SCHEMA = {
    "testsuites": ({"name", "tests", "failures", "errors"}, {"testsuite"}),
    "testsuite": ({"name", "tests", "failures", "errors", "skipped"}, {"testcase", "system-out"}),
    "testcase": ({"classname", "name"}, {"failure", "skipped", "system-out"}),
    "failure": ({"message", "type"}, set()),
    "skipped": ({"message"}, set()),
    "system-out": (set(), set()),
}


def parsed(what: Review) -> ElementTree.Element:
    return ElementTree.fromstring(junit.render(what).encode())


def test_each_check_is_a_test_case() -> None:
    grades = {
        "slow": Grade.ERROR,
        "slowish": Grade.WARNING,
        "open": Grade.OPEN,
        "same": Grade.PASSED,
        "faster": Grade.BETTER,
    }
    suite = parsed(review(*(check(name, grade) for name, grade in grades.items()))).find("testsuite")
    assert suite is not None
    assert {key: suite.get(key) for key in ("tests", "failures", "errors", "skipped")} == {
        "tests": "5",
        "failures": "2",
        "errors": "0",
        "skipped": "1",
    }
    outcomes = {case.get("classname"): case[0].tag for case in suite.findall("testcase")}
    assert outcomes == {
        "armprof.slow": "failure",
        "armprof.slowish": "failure",
        "armprof.open": "skipped",
        "armprof.same": "system-out",
        "armprof.faster": "system-out",
    }


def test_a_failure_says_what_is_wrong_and_where() -> None:
    failure = parsed(review(check(facts=("cycles +25 %",)))).find(".//failure")
    assert failure is not None
    assert (failure.get("type"), failure.get("message")) == (
        "p95-latency",
        "book: p95_latency went from 12.0 ns to 15.0 ns",
    )
    assert failure.text == "book: p95_latency went from 12.0 ns to 15.0 ns\ncycles +25 %\nsrc/book.c:42"


@given(reviews)
def test_any_review_is_xml_of_the_schema(what: Review) -> None:
    root = parsed(what)
    for element in root.iter():
        attributes, children = SCHEMA[element.tag]
        assert set(element.attrib) == attributes
        assert {child.tag for child in element} <= children
    names = [case.get("classname") for case in root.iter("testcase")]
    assert names == [f"armprof.{one.component}" for one in what.checks]
    messages = [element.get("message") for element in root.iter("failure")]
    assert messages == [one.message for one in what.checks if one.grade in (Grade.ERROR, Grade.WARNING)]
