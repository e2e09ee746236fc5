"""Kinds of instructions by their bits, as capstone reads them."""

from __future__ import annotations

import capstone
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from armprof.binary.encodings import TARGETS, of_kind, offsets, table

CONDITIONS = ("eq", "ne", "hs", "lo", "mi", "pl", "vs", "vc", "hi", "ls", "ge", "lt", "gt", "le", "al", "nv")
ATOMIC = tuple(f"ld{name}" for name in ["add", "clr", "eor", "set", "smax", "smin", "umax", "umin"])
ATOMIC_STORES = tuple(f"st{name}" for name in ["add", "clr", "eor", "set", "smax", "smin", "umax", "umin"])

# What the names of the instructions of a kind begin with.
NAMES = {
    "jump": ("b",),
    "call": ("bl",),
    "conditional": tuple(f"{b}.{c}" for b in ("b", "bc") for c in CONDITIONS),
    "compare_branch": ("cbz", "cbnz"),
    "test_branch": ("tbz", "tbnz"),
    "indirect_jump": ("br", "braa", "brab", "braaz", "brabz"),
    "indirect_call": ("blr", "blraa", "blrab", "blraaz", "blrabz"),
    "return": ("ret", "retaa", "retab"),
    "undefined": ("udf", "brk"),
    "system_call": ("svc",),
    "load_exclusive": tuple(f"ld{a}x{r}{s}" for a in ("", "a") for r in ("r", "p") for s in ("", "b", "h")),
    "store_exclusive": tuple(f"st{a}x{r}{s}" for a in ("", "l") for r in ("r", "p") for s in ("", "b", "h")),
    "compare_and_swap": tuple(f"cas{p}{o}{s}" for p in ("", "p") for o in ("", "a", "l", "al") for s in ("", "b", "h")),
    "atomic": tuple(
        f"{name}{o}{s}"
        for name in (*ATOMIC, *ATOMIC_STORES, "swp")
        for o in ("", "a", "l", "al")
        for s in ("", "b", "h")
    ),
    "barrier": ("dmb", "dsb", "isb", "dfb", "ssbb", "pssbb"),
    "divide": ("udiv", "sdiv"),
    "fp_divide": ("fdiv",),
    "fp_root": ("fsqrt",),
    "fp_arithmetic": ("fadd", "fsub", "fmul", "fdiv", "fmadd", "fmsub", "fnmadd", "fnmsub"),
    "bti": ("bti",),
    "sign": ("paciasp", "pacibsp", "paciaz"),
}
# Names that instructions of another kind share with it.
SHARED = {"fp_arithmetic", "fp_divide", "fp_root"}  # of vectors, and SVE
# Bits that are to be ones, which capstone does not look at, and we do: data is less often taken for code.
ONES = {"load_exclusive": 0x001F7C00, "store_exclusive": 0x7C00, "compare_and_swap": 0x7C00}

DISASSEMBLER = capstone.Cs(capstone.CS_ARCH_ARM64, capstone.CS_MODE_LITTLE_ENDIAN)


def name_of(word: int, address: int = 0) -> tuple[str, str] | None:
    found = next(DISASSEMBLER.disasm_lite(int(word).to_bytes(4, "little"), address, 1), None)
    return None if found is None else (found[2], found[3])


def is_of(word: int, kind: str) -> bool:
    return bool(of_kind(np.array([word], np.uint32), kind)[0])


@pytest.mark.parametrize("kind", NAMES)
@given(st.integers(0, 2**32 - 1))
def test_what_has_the_bits_has_the_name(kind: str, word: int) -> None:
    for mask, value in table()[kind]:
        named = name_of(word & ~mask | value)
        assert named is None or named[0] in NAMES[kind]


@given(st.integers(0, 2**32 - 1), st.sampled_from([pair for pairs in table().values() for pair in pairs]))
def test_what_has_the_name_has_the_bits(word: int, near: tuple[int, int]) -> None:
    """Any word, and those that are a bit or two from being of some kind."""
    mask, value = near
    for tried in (word, word & ~mask | value, (word & ~mask | value) ^ (1 << word % 32)):
        named = name_of(tried)
        for kind, names in NAMES.items():
            if named is not None and named[0] in names and kind not in SHARED:
                assert is_of(tried | ONES.get(kind, 0), kind)


@pytest.mark.parametrize("kind", TARGETS)
@given(st.integers(0, 2**32 - 1), st.integers(0, 2**20))
def test_branches_lead_where_the_disassembly_says(kind: str, word: int, place: int) -> None:
    mask, value = table()[kind][0]
    word, address = word & ~mask | value, 2**40 + 4 * place
    named = name_of(word, address)
    if named is not None:
        ahead = int(offsets(np.array([word], np.uint32), kind)[0])
        assert int(named[1].rsplit("#", 1)[1], 16) == address + 4 * ahead


# Accesses have too many names to list. A load of an SVE register may be a prefetch; tags of memory are not looked at.
ACCESSES = {"load": ("ld", "prf"), "store": ("st",)}
OTHERS = tuple(NAMES[kind] for kind in ("load_exclusive", "store_exclusive", "compare_and_swap", "atomic"))
TAGS = ("ldg", "ldgm", "stg", "stzg", "st2g", "stz2g", "stgm", "stzgm", "ld64b", "st64b", "st64bv", "st64bv0")


@pytest.mark.parametrize("kind", ACCESSES)
@given(st.integers(0, 2**32 - 1))
def test_what_has_the_bits_of_an_access_has_a_name_of_one(kind: str, word: int) -> None:
    for mask, value in table()[kind]:
        named = name_of(word & ~mask | value)
        assert named is None or named[0].startswith(ACCESSES[kind])


@given(st.integers(0, 2**32 - 1), st.sampled_from([pair for kind in ACCESSES for pair in table()[kind]]))
def test_what_has_a_name_of_an_access_has_the_bits(word: int, near: tuple[int, int]) -> None:
    mask, value = near
    for tried in (word, word & ~mask | value, (word & ~mask | value) ^ (1 << word % 32)):
        named = name_of(tried)
        if named is not None and named[0] not in (*TAGS, *sum(OTHERS, ())):
            assert is_of(tried, "load") == named[0].startswith("ld") or named[0].startswith("prf")
            assert is_of(tried, "store") == named[0].startswith("st")


def test_every_kind_is_told_apart_here() -> None:
    assert set(table()) - set(NAMES) - set(ACCESSES) == {"vector", "vector_memory", "sve"}


@pytest.mark.parametrize(
    ("kind", "word"),
    [
        ("vector", 0x4E22D420),  # fadd v0.4s, v1.4s, v2.4s
        ("vector", 0x6E205800),  # not v0.16b, v0.16b
        ("vector_memory", 0x3DC00400),  # ldr q0, [x0, #16]
        ("vector_memory", 0xAD000400),  # stp q0, q1, [x0]
        ("sve", 0xA5E0A000),  # ld1d {z0.d}, p0/z, [x0]
        ("sve", 0x04E0E3E0),  # cntd x0
    ],
)
def test_vectors(kind: str, word: int) -> None:
    assert is_of(word, kind)


@pytest.mark.parametrize("word", [0x1E622820, 0x9B010000, 0xF9400000, 0xFC408400, 0x5E61D800])
def test_what_is_no_vector(word: int) -> None:
    """fadd d0, d1, d2; madd; ldr x; ldr d; scvtf d0, d0."""
    assert not of_kind(np.array([word], np.uint32), "vector", "vector_memory", "sve").any()
