"""What ELF files say of their code: the functions, the variables and the source lines at an address; and what the code does.

It knows ELF, DWARF and A64, and nothing of armprof but its errors: every box may ask it.
"""

from armprof.binary.elf import Binary, Line

__all__ = ["Binary", "Line"]
