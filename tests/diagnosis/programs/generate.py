"""Writes the programs whose point is much code: python generate.py fields|formulas FILE."""

from __future__ import annotations

import sys
from pathlib import Path

FIELDS = 330
FORMULAS = 1800

FIELD = """
static __attribute__((noinline)) void field{n}(const uint32_t *raw) {{
    uint32_t value = __builtin_bswap32(raw[{n}]);
    if (value < {low}) {{
        reject({n}, 1, value, {low});
    }}
    if (value > {high}) {{
        reject({n}, 2, value, {high});
    }}
    if (value % 4096 == {odd}) {{
        reject({n}, 3, value, {odd});
    }}
    decoded[{n}] = value * {factor} + {n};
}}
"""

# ARM64's branches reach over the .skip, which stands for what a compiled formula keeps for the cases it does not expect.
FORMULA = """
static __attribute__((noinline, aligned(64))) int64_t formula{n}(int64_t x) {{
    if (x < 0) {{
        __asm__ volatile(".skip 4096");
        return missing++;
    }}
    return x * {factor} + {n};
}}
"""


def fields() -> str:
    """One function for each field of a message: see fields.c."""
    functions = [
        FIELD.format(n=n, low=16 + n % 50, high=900000 + n * 13, odd=4000 + n % 90, factor=2 * (n % 60) + 3)
        for n in range(FIELDS)
    ]
    calls = [f"    field{n}(raw);\n" for n in range(FIELDS)]
    return "".join([f"enum {{ FIELDS = {FIELDS} }};\n", "static uint32_t decoded[FIELDS];\n", *functions,
                    "\nstatic void decode(const uint32_t *raw) {\n", *calls, "}\n"])  # fmt: skip


def formulas() -> str:
    """One function for each formula: see formulas.c."""
    functions = [FORMULA.format(n=n, factor=2 * (n % 100) + 3) for n in range(FORMULAS)]
    calls = [f"    sum ^= formula{n}(x + {n % 16});\n" for n in range(FORMULAS)]
    return "".join([*functions, "\nstatic int64_t evaluate(int64_t x) {\n    int64_t sum = 0;\n", *calls,
                    "    return sum;\n}\n"])  # fmt: skip


if __name__ == "__main__":
    Path(sys.argv[2]).write_text({"fields": fields, "formulas": formulas}[sys.argv[1]](), encoding="utf-8")
