"""What ELF files say of their code: the functions, the variables and the source lines at an address."""

from armprof.binary.elf import Binary, Line

__all__ = ["Binary", "Line"]
