"""C programs whose counts are known, for the hardware tests to count.

Each is built with the command line given here, in the top folder of the project: by the compiler of an ARM64
machine itself, by a cross-compiler for a guest.
"""

FLAGS = ("-std=gnu17", "-O2", "-Wall", "-Wextra", "-Werror")
PROGRAMS = {
    "walk": ("-static", "tests/hardware/programs/walk.c"),
    "libwalk.so": ("-shared", "-fPIC", "tests/hardware/programs/walk.c"),
}
