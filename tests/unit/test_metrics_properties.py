"""What holds of metrics whatever was counted."""

import dataclasses
import math

from hypothesis import given, settings
from hypothesis import strategies as st

from armprof.counters.reading import Count, Reading, Status
from armprof.metrics import compute
from armprof.metrics.table import definitions
from armprof.metrics.topdown import TERMS, forms

EVENTS = sorted(
    {event for definition in definitions() for way in definition.ways for event in way.formula.names}
    | {event for form in forms() for term in TERMS for way in form.ways(term, 8) for event in way.formula.names}
)
CORES = [
    None,
    "neoverse-n1",
    "neoverse-n2",
    "neoverse-v1",
    "neoverse-v2",
    "neoverse-v3",
    "cortex-a72",
    "no such core",
]

times = st.none() | st.integers(0, 10**12)
any_value = st.none() | st.floats() | st.integers(-5, 10**18).map(float)


@st.composite
def any_count(draw, event):
    return Count(
        event=event,
        value=draw(any_value),
        raw=draw(any_value),
        enabled_ns=draw(times),
        running_ns=draw(times),
        status=draw(st.sampled_from(Status)),
        reason=draw(st.none() | st.text(max_size=20)),
        group=draw(st.none() | st.integers(0, 3)),
        stated_coverage=draw(st.none() | st.floats(0, 1)),
    )


@st.composite
def any_reading(draw):
    events = draw(st.lists(st.sampled_from(EVENTS), unique=True))
    counts = {event: draw(any_count(event)) for event in events}
    return Reading(counts, source=draw(st.text()), core=draw(st.sampled_from(CORES)), duration_ns=draw(times))


@st.composite
def counted_reading(draw):
    """Everything counted, nothing 0."""
    events = draw(st.lists(st.sampled_from(EVENTS), unique=True, min_size=2))
    values = {event: draw(st.integers(1, 10**11)) for event in events}
    counts = {e: Count(e, float(v), float(v), 10**9, 10**9, Status.COUNTED) for e, v in values.items()}
    return Reading(counts, source="pmu", core=draw(st.sampled_from(CORES)), duration_ns=10**9)


@settings(max_examples=300)
@given(any_reading(), st.lists(any_reading(), max_size=2))
def test_any_reading_gives_every_metric_a_value_or_a_reason(reading, groups):
    metrics = compute(reading, groups=groups)
    assert list(metrics) == [definition.name for definition in definitions()]
    for metric in metrics.values():
        if metric.value is None:
            assert metric.reason
            assert metric.confidence is None
            assert not metric.status.has_value
        else:
            assert math.isfinite(metric.value)
            assert metric.confidence is not None
            assert metric.status.has_value
    assert repr(metrics)
    assert metrics._repr_html_()
    assert metrics.to_dict()


@settings(max_examples=20)
@given(any_reading())
def test_any_reading_gives_a_frame(reading):
    metrics = compute(reading)
    assert list(metrics.to_frame().index) == list(metrics)


@settings(max_examples=300)
@given(any_reading())
def test_no_value_ever_comes_from_an_event_without_one(reading):
    metrics = compute(reading)
    for metric in metrics.values():
        if metric.value is not None:
            for event in metric.events:
                count = reading.counts[event]
                assert count.status.has_value
                assert count.value is not None


@settings(max_examples=200)
@given(counted_reading(), st.integers(2, 1000))
def test_twice_the_work_gives_the_same_metrics(reading, factor):
    more = {e: dataclasses.replace(c, value=c.value * factor, raw=c.raw * factor) for e, c in reading.counts.items()}
    once, often = compute(reading), compute(dataclasses.replace(reading, counts=more))
    for name in once:
        if name == "cpus_used":  # twice the time on CPUs in the same time is twice the CPUs
            continue
        assert (once[name].value is None) == (often[name].value is None), name
        if once[name].value is not None:
            assert math.isclose(once[name].value, often[name].value, rel_tol=1e-9, abs_tol=1e-12)


@given(counted_reading(), st.data())
def test_taking_an_event_away_never_makes_a_value_out_of_it(reading, data):
    gone = data.draw(st.sampled_from(sorted(reading.counts)))
    rest = {event: count for event, count in reading.counts.items() if event != gone}
    for metric in compute(dataclasses.replace(reading, counts=rest)).values():
        assert metric.value is None or gone not in metric.events
