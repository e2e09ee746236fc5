"""C programs whose counts are known, for the hardware tests to count.

Each is built with the command line given here, in the top folder of the project: by the compiler of an ARM64
machine itself, by a cross-compiler for a guest.
"""

from pathlib import Path

PROJECT = Path(__file__).parents[3]
COUNTERS = (
    "-Icsrc/include",
    *(str(path.relative_to(PROJECT)) for path in sorted((PROJECT / "csrc/counters").glob("*.c"))),
    "-pthread",
)

# Tests in C of the counter core, of which ARM64 decides the most: on other machines their reads are system calls.
CORE = ("set", "sigill", "standing")

FLAGS = ("-std=gnu17", "-O2", "-Wall", "-Wextra", "-Werror")
PROGRAMS = {
    "walk": ("-static", "tests/hardware/programs/walk.c"),
    "region_cost": ("-static", "-O3", "tests/hardware/programs/region_cost.c", *COUNTERS),
    "walk_region": ("-static", "-O3", "tests/hardware/programs/walk_region.c", *COUNTERS),
    "walk_output": ("-static", "-O3", "tests/hardware/programs/walk_output.c", *COUNTERS),
    "sampled": ("-g", "-fno-omit-frame-pointer", "tests/hardware/programs/sampled.c", "-pthread", "-ldl"),
    "papi_cost": ("tests/hardware/programs/papi_cost.c", "-lpapi"),
    "libwalk.so": ("-shared", "-fPIC", "tests/hardware/programs/walk.c"),
    **{f"core_{name}": ("-static", "-Icsrc/counters", f"tests/c/test_{name}.c", *COUNTERS) for name in CORE},
}

# Of the diagnosis suite, those whose causes caches, TLBs and branches tell; how often each does its work in one pass.
DIAGNOSED = {"queue_ahead": 2, "sessions": 2, "alerts": 4}  # a cache, a TLB, a branch predictor
# And one that samples put on its line by what the code says: what handlers lose comes from where they are called.
PLACED = {**DIAGNOSED, "messages": 10}
