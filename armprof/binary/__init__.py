"""What ELF files say of their code: functions, variables, source lines and inlined calls by address; and what the code does.

It knows ELF, DWARF and A64, and nothing of armprof but its errors and how files are written: every box may ask it.
"""

from armprof.binary.binary import Binary, Frame, Function, Line, Resolved
from armprof.binary.space import Mapping, Place, Space

__all__ = ["Binary", "Frame", "Function", "Line", "Mapping", "Place", "Resolved", "Space"]
