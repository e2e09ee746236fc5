"""JUnit XML: a test case for each check, the plain gate that every CI shows.

What is printable, as the texts of a Review are, XML can hold.
"""

from __future__ import annotations

from xml.etree import ElementTree

from armprof.report.review import Check, Grade, Review


def render(review: Review) -> str:
    """The review as one test suite. What is open is skipped: it was not judged, and never passes as good."""
    cases = [_case(check) for check in review.checks]
    count = {
        "tests": str(len(cases)),
        "failures": str(sum(check.grade in (Grade.ERROR, Grade.WARNING) for check in review.checks)),
        "errors": "0",
        "skipped": str(sum(check.grade is Grade.OPEN for check in review.checks)),
    }
    suites = ElementTree.Element("testsuites", {"name": f"armprof {review.verb}", **count})
    suite = ElementTree.SubElement(suites, "testsuite", dict(suites.attrib))
    del suites.attrib["skipped"]  # which the schema has for a suite alone
    suite.extend(cases)
    ElementTree.SubElement(suite, "system-out").text = "\n".join((review.summary, *review.notes))
    ElementTree.indent(suites)
    return f'<?xml version="1.0" encoding="UTF-8"?>\n{ElementTree.tostring(suites, "unicode")}\n'


def _case(check: Check) -> ElementTree.Element:
    case = ElementTree.Element(
        "testcase", {"classname": f"armprof.{check.component}", "name": check.what or check.component}
    )
    told = "\n".join((check.message, *check.facts, *_where(check)))
    if check.grade in (Grade.ERROR, Grade.WARNING):
        failure = ElementTree.SubElement(case, "failure", {"message": check.message, "type": check.rule.id})
        failure.text = told
    elif check.grade is Grade.OPEN:
        ElementTree.SubElement(case, "skipped", {"message": check.message})
    else:
        ElementTree.SubElement(case, "system-out").text = told
    return case


def _where(check: Check) -> list[str]:
    return [f"{check.location.file}:{check.location.line}"] if check.location else []
