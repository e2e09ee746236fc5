"""`perf stat` text: what is a row, what is a number, what stands around them."""

import pytest

from armprof.counters.imported import parse
from armprof.counters.reading import Status

HEADER = " Performance counter stats for './work':\n\n"
FOOTER = (
    "\n       1.500000000 seconds time elapsed\n\n       1.250000000 seconds user\n       0.125000000 seconds sys\n"
)


def counts(*rows):
    return parse(HEADER + "".join(row + "\n" for row in rows) + FOOTER).total


def count(row, event="cpu_cycles"):
    return counts(row)[event]


def test_a_count_without_a_percentage_ran_all_the_time():
    cycles = count("     1,234,567      cycles                    #    2.390 GHz")
    assert (cycles.value, cycles.raw, cycles.status, cycles.coverage) == (
        1234567,
        1234567,
        Status.COUNTED,
        1.0,
    )
    assert (cycles.enabled_ns, cycles.running_ns) == (None, None)
    assert cycles.label == "cycles"


def test_a_count_with_a_percentage_is_perfs_estimate_and_has_no_raw():
    cycles = count("     1,234,567      cycles                    #    2.390 GHz       (49.95%)")
    assert (cycles.value, cycles.raw, cycles.status) == (1234567, None, Status.SCALED)
    assert cycles.coverage == 0.4995


def test_an_estimate_of_0_was_0():
    assert count("   0      cycles   (49.95%)").raw == 0


def test_one_hundred_percent_after_rounding_is_all_the_time():
    assert count("     1,234,567      cycles       (100.00%)").status is Status.COUNTED


def test_the_percentage_of_old_perf_stands_in_square_brackets():
    assert count("        1234567      cycles       #    2.390 GHz      ( +-  1.26% ) [49.95%]").coverage == 0.4995


def test_a_percentage_on_the_metric_line_below_belongs_to_the_count_above():
    total = counts(
        "   121,297,105      instructions              #    1.54  insn per cycle",
        "                                              #    0.16  stalled cycles per insn  (50.84%)",
        "    18,926,193      stalled-cycles-frontend   #   23.98% frontend cycles idle     (75.34%)",
    )
    assert total["inst_retired"].coverage == 0.5084
    assert total["stall_frontend"].coverage == 0.7534


def test_the_metric_line_of_a_damaged_row_belongs_to_no_other():
    total = counts(
        "    18,926,193      stalled-cycles-frontend   #   23.98% frontend cycles idle",
        "   121,297,1?5      instructions              #    1.54  insn per cycle",
        "                                              #    0.16  stalled cycles per insn  (50.84%)",
    )
    assert total["stall_frontend"].coverage == 1.0
    assert "inst_retired" not in total


@pytest.mark.parametrize("end", ["(150.84%)", "(50.8"])
def test_a_metric_line_with_a_damaged_percentage_leaves_the_coverage_open(end):
    total = counts(
        "   121,297,105      instructions              #    1.54  insn per cycle",
        f"                                              #    0.16  stalled cycles per insn  {end}",
    )
    instructions = total["inst_retired"]
    assert (instructions.coverage, instructions.status) == (None, Status.SCALED)


def test_metrics_without_a_count_are_no_rows():
    total = counts(
        "     1,234,567      cpu_cycles                       #     23.3 %  frontend_bound           (66.86%)",
        "                 TopdownL1                 #     51.5 %  tma_backend_bound",
        "                                           #     10.5 %  tma_retiring",
    )
    assert set(total) == {"cpu_cycles", "user_time", "system_time"}


@pytest.mark.parametrize(
    ("printed", "value"),
    [
        ("1,234,567", 1234567),
        ("1.234.567", 1234567),
        ("1'234'567", 1234567),
        ("1\u2019234\u2019567", 1234567),
        ("1\u00a0234\u00a0567", 1234567),
        ("1\u202f234\u202f567", 1234567),
        ("1\ufffd234\ufffd567", 1234567),
        ("1 234 567", 1234567),
        ("12,34,567", 1234567),
        ("1,234", 1234),
        ("1.234", 1234),
        ("1234567", 1234567),
        ("0", 0),
    ],
)
def test_digits_are_grouped_in_many_ways(printed, value):
    assert count(f"   {printed}      cycles").value == value


@pytest.mark.parametrize(
    ("printed", "nanoseconds"),
    [
        ("4932.11 msec task-clock", 4_932_110_000),
        ("4,932.11 msec task-clock", 4_932_110_000),
        ("4.932,11 msec task-clock", 4_932_110_000),
        ("4\u202f932,11 msec task-clock", 4_932_110_000),
        ("0,67 msec task-clock:u", 670_000),
        ("0.123 msec task-clock", 123_000),
        ("1.460310      task-clock (msec)", 1_460_310),
        ("1.460310 task-clock", 1_460_310),
        ("2,082,958,624 task-clock", 2_082_958_624),
        ("1017434 ns   task-clock", 1_017_434),
        ("2 sec task-clock", 2_000_000_000),
    ],
)
def test_times_become_nanoseconds(printed, nanoseconds):
    clock = count(f"   {printed}    #    0.999 CPUs utilized", "task_clock")
    assert (clock.value, clock.unit) == (nanoseconds, "ns")


def test_units_other_than_time_are_kept():
    energy = count("             12.50 Joules power/energy-pkg/", "power/energy-pkg/")
    assert (energy.value, energy.unit) == (12.5, "Joules")


@pytest.mark.parametrize(
    ("row", "reason"),
    [
        ("     <not counted>      cycles                         (0.00%)", "never ran"),
        ("     <not counted>      cycles", "nothing ran"),
    ],
)
def test_not_counted_has_no_value_and_says_why(row, reason):
    cycles = count(row)
    assert (cycles.value, cycles.raw, cycles.status) == (None, None, Status.NOT_COUNTED)
    assert reason in cycles.reason


def test_not_supported_says_who_lacks_it():
    cycles = count("   <not supported>      cycles")
    assert (cycles.value, cycles.status) == (None, Status.UNSUPPORTED)
    assert "the core, the guest or the kernel" in cycles.reason


@pytest.mark.parametrize(
    ("label", "event"),
    [
        ("armv8_pmuv3_0/l1d_cache/", "l1d_cache"),
        ("L1D_CACHE", "l1d_cache"),
        ("cycles [armv8_pmuv3_1]", "cpu_cycles"),
        ("armv8_cortex_a76/event=0x11,long=1/", "cpu_cycles"),
        ("r1b", "inst_spec"),
        ("arm_cmn_0/hnf_cache_miss/", "arm_cmn_0/hnf_cache_miss/"),
        ("sched:sched_switch", "sched:sched_switch"),
        ("My_Event", "my_event"),
        ("arm_dsu_0/cycles/", "arm_dsu_0/cycles/"),
    ],
)
def test_no_label_is_dropped(label, event):
    assert count(f"         1,234,567      {label}", event).value == 1234567


def test_the_core_is_taken_from_the_name_of_the_pmu():
    assert counts("  1,234      armv8_neoverse_n1/cpu_cycles/").core == "neoverse-n1"
    assert counts("  1,234      armv8_cortex_a76/cpu_cycles/").core == "cortex-a76"
    assert counts("  1,234      armv8_pmuv3_0/cpu_cycles/").core is None


def test_duration_command_and_processor_time():
    imported = parse(f"{HEADER}  1,234 cycles\n{FOOTER}")
    assert imported.command == "./work"
    assert imported.total.duration_ns == 1_500_000_000
    assert imported.total.value("user_time") == 1_250_000_000
    assert imported.total.value("system_time") == 125_000_000
    assert imported.total.source == "imported"
    assert imported.total.access == "perf stat text"


@pytest.mark.parametrize(
    ("header", "scope", "command"),
    [
        ("'system wide':", "system wide", None),
        ("'CPU(s) 0-3':", "CPU(s) 0-3", None),
        ("process id '42':", "process 42", None),
        ("thread id '42':", "thread 42", None),
        ("'echo it's' (5 runs):", "command", "echo it's"),
        ("'sh -c first line", "command", "sh -c first line"),
    ],
)
def test_the_header_says_what_was_counted(header, scope, command):
    imported = parse(f" Performance counter stats for {header}\n\n   1,234      cycles\n{FOOTER}")
    assert (imported.total.scope, imported.command) == (scope, command)


def test_user_mode_is_told():
    assert counts("  1,234      cycles:u", "   567      instructions:u").scope == "command, user mode"


def test_lines_of_programs_are_no_rows():
    noise = "9 mticks, reader_thd (thread 3), on node 1 (cpu 78).\n12 items\n1234 cycles of the moon\nCPU0 is hot\n"
    imported = parse(f"{noise}{HEADER}{noise}     1,234      cycles\n{noise}{FOOTER}{noise}7 instructions\n")
    assert imported.total.value("cpu_cycles") == 1234
    assert set(imported.total) == {"cpu_cycles", "user_time", "system_time"}


def test_a_table_without_its_header_is_read():
    total = parse("  1,234      cycles\n    567      instructions\n").total
    assert (total.value("cpu_cycles"), total.value("inst_retired")) == (1234, 567)


def test_colours_of_a_terminal_are_no_text():
    assert count("  1,234      cycles    # \x1b[31m  81.31%\x1b[m backend cycles idle   (50.00%)").coverage == 0.5


def test_the_end_of_a_cut_off_output_is_missed():
    imported = parse(f"{HEADER}     1,234      cycles\n")
    assert any("may be cut off" in note for note in imported.notes)


@pytest.mark.parametrize(
    ("line", "why"),
    [
        ("         1,234,567", "a count without an event"),
        ("     1,690,222      inst_retired     (45.0", "cut off in the percentage"),
        ("     1,690,222      inst_retired     #  1.54 insn per cycle  (45.0", "cut off in the percentage"),
        ("     1,690,222      inst_retired     (145.02%)", "ran more than 100 % of the time"),
        ("     <not counted>      (0.00%)", "a count without an event"),
    ],
)
def test_damaged_rows_are_left_out_and_named_with_their_line(line, why):
    imported = parse(f"{HEADER}     1,234      cycles\n{line}\n{FOOTER}")
    assert "inst_retired" not in imported.total
    assert f"1 lines were left out (line 4: {why})" in imported.notes


def test_many_damaged_rows_are_counted_and_the_first_five_named():
    imported = parse(f"{HEADER}  1,234      cycles\n" + "  1,234,567\n" * 100 + FOOTER)
    note = next(note for note in imported.notes if "left out" in note)
    assert note.startswith("100 lines were left out (line 4: ")
    assert note.count("line ") == 5
    assert note.endswith(", and more)")


def test_per_cpu_metric_lines_belong_to_the_row_above():
    total = counts(
        "CPU0       121,297,105      instructions              #    1.54  insn per cycle",
        "CPU0                                                  #    0.16  stalled cycles per insn  (50.00%)",
        "CPU1       121,297,105      instructions              #    1.54  insn per cycle",
        "CPU1                                                  #    0.16  stalled cycles per insn  (25.00%)",
    )
    assert total.value("inst_retired") == 242_594_210
    assert total["inst_retired"].coverage == 0.375


@pytest.mark.parametrize(
    "place",
    ["S0        2", "S0-D0          8", "S0-D0-C0           1", "S0-D0-L3-ID8      16", "N0        4"],
)
def test_the_number_of_cpus_is_not_the_count(place):
    assert count(f"{place}         1,234,567      cycles").value == 1234567


def test_windows_line_ends():
    assert (
        parse((HEADER + "  1,234      cycles   (50.00%)\n" + FOOTER).replace("\n", "\r\n")).total["cpu_cycles"].coverage
        == 0.5
    )
