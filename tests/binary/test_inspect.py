"""Static checks: what is planted is found on its line, and what is sound is not spoken of."""

from __future__ import annotations

import json
import re
from importlib.resources import files
from pathlib import Path

import jsonschema
import pytest
from building import ARM64, PROGRAMS, build, needs, run

from armprof import cli
from armprof.analysis.findings import uncounted
from armprof.binary import checks
from armprof.binary.checks import Finding, Inspection, inspect
from armprof.binary.checks.rules import found
from armprof.commands.inspect import target
from armprof.cpu import features
from armprof.errors import ArmprofError
from armprof.report import inspect as report

FLAGS = ("-O2", "-g", "-ftree-vectorize", "-fno-ipa-icf")


def inspected(*flags: str, core: str | None = "neoverse-n1", source: str = "planted.c") -> Inspection:
    return inspect(build(ARM64, source, *FLAGS, *flags), target(core), features.of_flag)


def finding(inspection: Inspection, rule: str) -> Finding | None:
    return next((f for f in inspection.findings if f.rule.name == rule), None)


def functions(inspection: Inspection, rule: str) -> set[str | None]:
    found = finding(inspection, rule)
    return {spot.function for spot in found.spots} if found else set()


def line_of(text: str) -> int:
    lines = (PROGRAMS / "planted.c").read_text().splitlines()
    return next(number for number, line in enumerate(lines, 1) if text in line)


@pytest.fixture(scope="module")
def planted() -> Inspection:
    return inspected("-mno-outline-atomics")


# ---- each in its function, on its line, and nowhere else ----------------------------------------------------------------

PLANTED = {
    "exclusive-loops": ("atomic_add", "__atomic_fetch_add"),
    "barrier-in-loop": ("fenced_loop", "__sync_synchronize"),
    "invariant-divide": ("divided_by_the_same", "at[i] / by"),
    "divide-in-loop": ("divided_by_each", "sum / (at[i] | 1)"),
    "scalar-float-loop": ("summed_one_by_one", "sum += at[i];"),
    "plt-call-in-loop": ("library_in_a_loop", "strlen(at[i])"),
    "tiny-call-in-loop": ("tiny_in_a_loop", "tiny(at[i])"),
}


@pytest.mark.parametrize("rule", PLANTED)
def test_what_is_planted_is_found_in_its_function_alone(planted: Inspection, rule: str) -> None:
    function, text = PLANTED[rule]
    assert functions(planted, rule) == {function}
    lines = {spot.line.line for spot in finding(planted, rule).spots}
    if rule != "scalar-float-loop":  # of a loop it is the line that it begins with
        assert lines == {line_of(text)}
    assert {Path(spot.line.file).name for spot in finding(planted, rule).spots} == {"planted.c"}


def test_the_details_are_those_of_the_disassembly(planted: Inspection) -> None:
    listing = run("aarch64-linux-gnu-objdump", "-d", "--no-show-raw-insn", planted.path)
    for rule in ("exclusive-loops", "barrier-in-loop", "invariant-divide", "divide-in-loop"):
        for spot in finding(planted, rule).spots:
            line = next(one for one in listing.splitlines() if one.strip().startswith(f"{spot.address:x}:"))
            assert line.split("\t", 1)[1].split("//")[0].split() == spot.detail.split()


def test_calls_say_what_they_call(planted: Inspection) -> None:
    assert {s.detail for s in finding(planted, "plt-call-in-loop").spots} == {"calls strlen"}
    (tiny,) = finding(planted, "tiny-call-in-loop").spots
    assert re.fullmatch(r"calls tiny, [45678] instructions", tiny.detail)


def test_structures_with_holes(planted: Inspection) -> None:
    (holed,) = [
        s for s in finding(planted, "structure-holes").spots if s.detail.startswith(("holed", "tight", "reserved"))
    ]
    assert holed.detail == "holed: 48 bytes, 32 without its holes"
    assert holed.line.line == line_of("struct holed {")


def test_a_field_across_two_lines(planted: Inspection) -> None:
    (across,) = finding(planted, "straddling-field").spots
    assert across.detail == "aligned.across, 16 bytes at offset 56"


def test_a_line_that_two_functions_write_to(planted: Inspection) -> None:
    shared = finding(planted, "shared-line-writers")
    assert shared.count == 1
    assert {(s.function, s.detail) for s in shared.spots} == {
        ("count_left", "writes counters.left"),
        ("count_right", "writes counters.right"),
    }


# ---- how it was built ---------------------------------------------------------------------------------------------------


def test_helpers_in_place_of_loops() -> None:
    inspection = inspected("-moutline-atomics")
    assert finding(inspection, "exclusive-loops") is None
    assert functions(inspection, "outline-atomics") == {"atomic_add"}
    assert {s.detail for s in finding(inspection, "outline-atomics").spots} == {"calls __aarch64_ldadd4_acq_rel"}


def test_helpers_are_known_without_their_names() -> None:
    inspection = inspected("-moutline-atomics", "-s")
    assert finding(inspection, "exclusive-loops") is None
    assert finding(inspection, "outline-atomics").count == 1


def test_compiled_for_the_core() -> None:
    inspection = inspected("-mcpu=neoverse-n1")
    assert not {f.rule.type for f in inspection.findings} & {"Build", "Hardening"}
    assert finding(inspection, "exclusive-loops") is finding(inspection, "outline-atomics") is None
    assert inspection.facts["lse_instructions"] == 1


def test_compiled_for_no_core(planted: Inspection) -> None:
    generic = finding(planted, "generic-target")
    assert "without DOTPROD, LSE, RCPC" in generic.says
    assert "-mcpu=neoverse-n1" in generic.advice
    assert [Path(s.line.file).name for s in generic.spots] == ["planted.c"]


def test_tuned_for_the_core_is_not_compiled_for_no_core() -> None:
    assert finding(inspected("-mtune=neoverse-n1", "-moutline-atomics"), "generic-target") is None


def test_compiled_for_another_core() -> None:
    assert "-mcpu=cortex-a76" in finding(inspected("-mcpu=cortex-a76"), "other-target").says


def test_compiled_for_a_newer_core() -> None:
    inspection = inspected("-O3", "-march=armv8.4-a+sve", core="neoverse-n1")
    assert "SVE" in finding(inspection, "newer-than-core").says
    newer = finding(inspection, "instructions-newer-than-core")
    assert "added_as_vectors" in {s.function for s in newer.spots}
    assert inspection.facts["sve_loops"] > 0


def test_atomics_that_an_old_core_has_not() -> None:
    newer = finding(inspected("-march=armv8.1-a", core="cortex-a72"), "instructions-newer-than-core")
    assert ("atomic_add", "ldaddal w1, w1, [x0]") in {
        (s.function, re.sub(r"w\d+", "w1", s.detail)) for s in newer.spots
    }


def test_an_old_core_is_not_told_to_use_what_it_has_not() -> None:
    inspection = inspected("-mno-outline-atomics", core="cortex-a72")
    assert finding(inspection, "exclusive-loops") is None


def test_not_optimized(tmp_path: Path) -> None:
    path = build(ARM64, "planted.c", "-O0", "-g")
    found = finding(inspect(path, None, features.of_flag), "not-optimized")
    assert [Path(s.line.file).name for s in found.spots] == ["planted.c"]
    assert finding(inspected(), "not-optimized") is None


@pytest.mark.parametrize(("flag", "missing"), [("standard", None), ("bti", "PAC"), ("none", "BTI and PAC")])
def test_branch_protection(flag: str, missing: str | None) -> None:
    # the C library's own objects may lack it: linked without them
    inspection = inspected(f"-mbranch-protection={flag}", "-shared", "-fPIC", "-nostdlib", core="neoverse-v2")
    found = finding(inspection, "no-branch-protection")
    assert (missing is None) == (found is None)
    if found is not None:
        assert f"does not claim {missing}," in found.says


def test_a_core_without_branch_protection_is_not_told_to_use_it(planted: Inspection) -> None:
    assert finding(planted, "no-branch-protection") is None


def test_large_code(tmp_path: Path) -> None:
    source = tmp_path / "large.s"
    source.write_text(".globl f\n.type f, %function\nf:\n.fill 3 * 256 * 1024, 4, 0xd503201f\nret\n.size f, . - f\n")
    for page, expected in (("65536", True), ("2097152", False)):
        out = tmp_path / page
        needs(ARM64)
        run(ARM64, "-shared", "-nostdlib", f"-Wl,-z,max-page-size={page}", source, "-o", out)
        inspection = inspect(out, target("neoverse-n1"), features.of_flag)
        assert (finding(inspection, "no-huge-pages") is not None) == expected
        assert (
            "3.0 MiB of code, and the L1 instruction cache of Neoverse N1 holds 64 KiB"
            in finding(inspection, "text-larger-than-l1i").says
        )


def test_code_at_a_fixed_address_that_fits_huge_pages_may_lie_on_them(tmp_path: Path) -> None:
    source = tmp_path / "large.s"
    source.write_text(".globl _start\n_start:\n.fill 3 * 256 * 1024, 4, 0xd503201f\nret\n")
    needs(ARM64)
    for base, expected in (("0x400000", False), ("0x410000", True)):
        flags = ("-nostdlib", "-no-pie", "-static", "-Wl,-z,max-page-size=65536", f"-Wl,-Ttext-segment={base}")
        run(ARM64, *flags, source, "-o", tmp_path / base)
        inspection = inspect(tmp_path / base, target("neoverse-n1"), features.of_flag)
        assert (finding(inspection, "no-huge-pages") is not None) == expected


@pytest.mark.parametrize(("padding", "expected"), [(0, False), (14, True)])
def test_a_short_loop_across_two_lines(padding: int, expected: bool, tmp_path: Path) -> None:
    needs(ARM64)
    source = tmp_path / "loop.s"
    loop = "1: add x0, x0, 1\n subs x1, x1, 1\n eor x0, x0, x1\n b.ne 1b\n ret\n"
    nops = "nop\n" * padding
    source.write_text(f".globl f\n.type f, %function\n.balign 64\nf:\n{nops}{loop}.size f, . - f\n")
    run(ARM64, "-shared", "-nostdlib", source, "-o", tmp_path / "loop.so")
    found = finding(inspect(tmp_path / "loop.so", None, features.of_flag), "straddling-loop")
    assert (found is not None) == expected
    if found is not None:
        assert [s.detail for s in found.spots] == ["16 bytes from 56 bytes into a line"]


def test_data_between_functions_is_no_code(tmp_path: Path) -> None:
    """A table of constants that look like an exclusive load and a barrier."""
    needs(ARM64)
    source = tmp_path / "data.s"
    source.write_text(
        ".globl f\n.type f, %function\nf: ret\n.word 0x885f7c20, 0xd5033bbf, 0xb8e00020\n.size f, . - f\n"
    )
    run(ARM64, "-shared", "-nostdlib", source, "-o", tmp_path / "data.so")
    inspection = inspect(tmp_path / "data.so", target("neoverse-n1"), features.of_flag)
    assert inspection.facts["exclusive_loads"] == inspection.facts["lse_instructions"] == 0


# ---- the verb -----------------------------------------------------------------------------------------------------------


def test_every_rule_of_the_table_is_tried_here() -> None:
    tried = Path(__file__).read_text()
    assert not [name for name in checks.rules() if f'"{name}"' not in tried and name != "old-compiler"]


def test_json_is_as_its_schema_says(capsys: pytest.CaptureFixture[str]) -> None:
    path = build(ARM64, "planted.c", *FLAGS, "-mno-outline-atomics")
    assert cli.main(["inspect", str(path), "--core", "neoverse-n1", "--format", "json"]) == 0
    document = json.loads(capsys.readouterr().out)
    schema = json.loads(files("armprof.report").joinpath("inspect.schema.json").read_text())
    jsonschema.Draft202012Validator.check_schema(schema)
    jsonschema.validate(document, schema)
    assert {f["basis"] for f in document["findings"]} == {"possibility"}


@pytest.mark.parametrize("format", ["text", "markdown", "html"])
@pytest.mark.parametrize("words", [[], ["--core", "neoverse-n1", "--places", "1"]])
def test_what_people_read(format: str, words: list[str], capsys: pytest.CaptureFixture[str]) -> None:
    path = build(ARM64, "planted.c", *FLAGS, "-mno-outline-atomics")
    assert cli.main(["inspect", str(path), "--format", format, *words]) == 0
    told = " ".join(capsys.readouterr().out.replace("\\", "").split())
    assert "a possibility, not a cost" in told
    assert "divided_by_the_same (planted.c:{})".format(line_of("at[i] / by")) in told


def test_what_is_no_arm64_code() -> None:
    path = build("gcc", "frames.c", "-O2")
    with pytest.raises(ArmprofError, match=r"is for x86-64: inspect reads code of ARM64"):
        inspect(path, None, features.of_flag)


def test_without_symbols_or_debug_information_it_says_so(capsys: pytest.CaptureFixture[str]) -> None:
    path = build(ARM64, "planted.c", *FLAGS, "-s")
    assert cli.main(["inspect", str(path), "--core", "neoverse-n1"]) == 0
    assert "no debug information was found" in capsys.readouterr().out


@pytest.mark.parametrize("limit", ["MOST_WORDS", "MOST_BLOCKS"])
def test_loops_that_were_not_looked_for_are_told(limit: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(f"armprof.binary.code.{limit}", 2)
    inspection = inspected()
    assert finding(inspection, "divide-in-loop") is None
    assert any(
        "functions are too large, or the file is, for their loops" in note
        for note in report.notes(uncounted(inspection))
    )


def test_wrong_words(capsys: pytest.CaptureFixture[str]) -> None:
    assert cli.main(["inspect", "/no/such/file"]) == 2
    assert cli.main(["inspect", __file__, "--core", "neoverse-x9"]) == 2
    assert cli.main(["inspect", __file__, "--places", "0"]) == 2
    lines = capsys.readouterr().err.splitlines()
    assert [line.startswith("armprof: ") for line in lines] == [True] * 3


@pytest.mark.parametrize(
    ("places", "says"), [(1, "1 division or square root in loops"), (3, "3 divisions or square roots in loops")]
)
def test_one_place_is_told_as_one(places, says):
    assert found("divide-in-loop", total=places).says.startswith(says)
