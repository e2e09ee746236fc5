"""What the model takes from a core's table, what it assumes, and what it refuses."""

from __future__ import annotations

import pytest

from armprof import cpu
from armprof.counters.model import events
from armprof.counters.model.geometry import geometry
from armprof.counters.model.readings import describe
from armprof.errors import ArmprofError


@pytest.mark.parametrize("name", cpu.core_names())
def test_every_core_can_be_modelled_and_says_what_is_assumed(name):
    made = geometry(name)
    core = cpu.core(name)
    for level in ("l1i", "l1d", "l2"):
        cache = core.caches.get(level)
        known = cache is not None and cache.modelled_kib is not None
        assert (f"{level}_bytes" in made.assumed) is not known
        if known:
            assert made.settings[f"{level}_bytes"] == cache.modelled_kib * 1024
    assert describe(made).startswith("L1I")


def test_a_neoverse_n1_is_that_of_its_manual():
    settings = geometry("neoverse-n1").settings
    assert (settings["l1d_bytes"], settings["l1d_ways"]) == (64 << 10, 4)
    assert (settings["l2_bytes"], settings["l2_ways"]) == (1 << 20, 8)
    assert (settings["l1d_tlb"], settings["l2_tlb"], settings["l2_tlb_ways"]) == (48, 1280, 5)
    assert geometry("neoverse-n1").assumed == ()


def test_what_is_set_is_not_assumed():
    assert "l2_bytes" in geometry("neoverse-n2").assumed
    made = geometry("neoverse-n2", {"l2_bytes": 512 << 10})
    assert made.settings["l2_bytes"] == 512 << 10
    assert "l2_bytes" not in made.assumed


@pytest.mark.parametrize(
    ("overrides", "told"),
    [
        ({"l1d": 1}, "no setting 'l1d'"),
        ({"l1d_bytes": 0}, "l1d_bytes=0 is no multiple"),
        ({"l1d_ways": 0}, "no multiple"),
        ({"l1d_bytes": 48 << 10}, "192 sets: an L1 cache has a power of two"),
        ({"l2_tlb_ways": 7}, "l2_tlb=1280 is no multiple of its 7 ways"),
        ({"page_bits": 4}, "page_bits=4 is not from 12 to 30"),
        ({"returns": 0}, "returns=0 is not from 1 to 64"),
    ],
)
def test_a_geometry_that_there_cannot_be_is_refused(overrides, told):
    with pytest.raises(ArmprofError, match=told):
        geometry("neoverse-n1", overrides)


def test_a_level_may_be_left_out_and_its_events_then_are_unsupported():
    made = geometry("neoverse-n1", {"ll_bytes": 0, "l2_bytes": 0})
    assert "no L2, no last level" in describe(made)
    assert events.why_not("ll_cache_rd", made) == "the model was set up without a last level"
    assert events.why_not("l2d_cache", made) == "the model was set up without an L2"
    assert events.why_not("l1d_cache", made) is None


@pytest.mark.parametrize("name", sorted(events.EVENTS | events.OF_CODE | events.ESTIMATES))
def test_every_modelled_event_is_one_of_arms_or_named_as_the_models_own(name):
    own = cpu.events()[name].kind == "modelled"
    assert own == name.startswith("model_")


@pytest.mark.parametrize("event", ["stall_slot", "op_retired", "exc_irq", "task_clock", "bus_access"])
def test_what_is_not_modelled_has_a_reason(event):
    assert events.why_not(event, geometry("neoverse-n1"))
