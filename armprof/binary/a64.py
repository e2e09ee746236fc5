"""What an A64 instruction does to registers and memory, and of which class it is in a core's table of latencies.

Capstone reads the words. What it says of a few instructions is wrong, and corrected here: that a compare writes what it
compares, that a shift by a constant reads what it writes, that `cbz` reads the flags, and nothing at all of atomics.
"""

from __future__ import annotations

import tomllib
from dataclasses import dataclass
from functools import cache
from importlib.resources import files
from typing import Any

# Registers by number: the general ones are 0 to 30.
SP = 31
VECTOR = 32  # V0
FLAGS = 64
REGISTERS = 65


@dataclass(frozen=True, slots=True)
class MemoryOperand:
    """An access at base + scale * index + offset. ``step`` is what base grows by, None where it grows by a register."""

    base: int | None  # None: at an address of its own
    index: int | None
    scale: int
    offset: int
    bytes: int
    load: bool
    store: bool
    step: int | None = 0


@dataclass(frozen=True, slots=True)
class Linear:
    """What a register becomes: the sum of ``terms`` (register, factor) and of ``constant``."""

    terms: tuple[tuple[int, int], ...]
    constant: int


@dataclass(frozen=True, slots=True)
class Instruction:
    """``reads`` does not hold what an address is made of, nor ``writes`` a base that grows: those are in ``memory``."""

    name: str
    kind: str  # its class in instructions.toml
    reads: tuple[int, ...] = ()
    writes: tuple[int, ...] = ()
    late: tuple[int, ...] = ()  # of the reads those of an accumulator, which is needed late
    memory: MemoryOperand | None = None
    linear: Linear | None = None
    vector: bool = False  # works on several elements at once

    @property
    def addresses(self) -> tuple[int, ...]:
        """The registers that the address is made of."""
        if self.memory is None:
            return ()
        return tuple(r for r in (self.memory.base, self.memory.index) if r is not None)


UNKNOWN = Instruction("?", "alu")


def words(names: str) -> frozenset[str]:
    """The names in a line."""
    return frozenset(names.split())


_ONLY_READS = words("cmp cmn tst fcmp fcmpe ccmp ccmn fccmp fccmpe dc ic")
_ONLY_WRITES = words("adds subs ands bics negs lsl lsr asr ror sxtb sxth sxtw uxtb uxth uxtw ubfx sbfx ubfiz sbfiz tbl")
_READ_NO_FLAGS = words("cbz cbnz tbz tbnz")
_ACCUMULATES = words("fmla fmls mla mls madd msub smaddl smsubl umaddl umsubl fmadd fmsub sdot udot")
_SHIFTED = words("add adds sub subs cmp cmn neg negs")
_SHIFTED_FLAGS = words("tst ands bics")
_VECTORS = "bhsdqv"  # the first letters of their names
_ELEMENT = {"b": 1, "h": 2, "s": 4, "d": 8, "q": 16, "w": 4, "x": 8}
_NARROW = {"b": 1, "h": 2, "w": 4}  # the last letter of ldrb, ldrsh, ldrsw
_READ, _WRITTEN = 1, 2  # capstone's bits of an access
_MOST_CHEAP = 4  # an addition shifts its operand by so many places at no cost


@cache
def instruction(word: int) -> Instruction:
    """One word as an instruction; ``UNKNOWN`` where it is none."""
    found = next(_disassembler().disasm(int(word).to_bytes(4, "little"), 0, 1), None)
    return UNKNOWN if found is None else _Reader(found).instruction()


def text(word: int, address: int = 0) -> str:
    """The word as an assembler has it."""
    found = next(_disassembler().disasm(word.to_bytes(4, "little"), address, 1), None)
    return f".inst {word:#010x}" if found is None else f"{found.mnemonic} {found.op_str}".strip()


@cache
def _disassembler() -> Any:
    import capstone

    made = capstone.Cs(capstone.CS_ARCH_ARM64, capstone.CS_MODE_LITTLE_ENDIAN)
    made.detail = True
    return made


@cache
def _classes() -> dict[str, str]:
    table = tomllib.loads(files(__package__).joinpath("instructions.toml").read_text(encoding="utf-8"))
    return {name: kind for kind, names in table.items() for name in names.split()}


@cache
def _register(name: str) -> int | None:
    """The number of a register, None for those that are always zero and for what is no register of the three files."""
    if name in ("sp", "wsp"):
        return SP
    if name in ("fp", "lr"):
        return {"fp": 29, "lr": 30}[name]
    if name == "nzcv":
        return FLAGS
    if name[0] in "wx" and name[1:].isdigit():
        return int(name[1:])
    return VECTOR + int(name[1:]) if name[0] in _VECTORS and name[1:].isdigit() else None


class _Reader:
    """Reads one instruction of capstone's."""

    def __init__(self, found: Any) -> None:
        import capstone.arm64 as constants

        self.constants = constants
        self.found = found
        self.name: str = found.mnemonic
        self.operands = found.operands
        self.registers = [op for op in self.operands if op.type == constants.ARM64_OP_REG]

    def instruction(self) -> Instruction:
        kind = self._kind()
        reads, writes = self._registers(kind)
        late: tuple[int, ...] = ()
        if self.name in _ACCUMULATES and len(self.registers) >= 3:
            which = 3 if len(self.registers) > 3 else 0
            accumulator = self._number(self.registers[which])
            late = () if accumulator is None else (accumulator,)
        return Instruction(
            name=self.name,
            kind=kind,
            reads=tuple(dict.fromkeys(reads)),
            writes=tuple(dict.fromkeys(writes)),
            late=late,
            memory=self._memory(kind),
            linear=self._linear(),
            vector=any(op.vas for op in self.registers) or any(self._text(op)[0] == "q" for op in self.registers),
        )

    def _text(self, operand: Any) -> str:
        return str(self.found.reg_name(operand.reg) or "?")

    def _number(self, operand: Any) -> int | None:
        return _register(self._text(operand))

    # ---- Registers ----

    def _registers(self, kind: str) -> tuple[list[int], list[int]]:
        reads: list[int] = []
        writes: list[int] = []
        for place, operand in enumerate(self.registers):
            number = self._number(operand)
            if number is None or self._is_step(operand):
                continue
            read, written = self._access(kind, place, operand)
            if read:
                reads.append(number)
            if written:
                writes.append(number)
        if self.name not in _READ_NO_FLAGS:
            reads += [FLAGS] * any(self.found.reg_name(r) == "nzcv" for r in self.found.regs_read)
            writes += [FLAGS] * any(self.found.reg_name(r) == "nzcv" for r in self.found.regs_write)
        return reads, writes

    def _access(self, kind: str, place: int, operand: Any) -> tuple[bool, bool]:
        """Whether the register is read and whether it is written."""
        if self.name in _ONLY_READS:
            return True, False
        if self.name in _ONLY_WRITES and place == 0:
            return False, True
        if kind == "atomic":
            return self._atomic(place)
        if operand.access == 0:  # it does not know: the first is the destination, and may be added to
            return True, place == 0
        return bool(operand.access & _READ), bool(operand.access & _WRITTEN)

    def _atomic(self, place: int) -> tuple[bool, bool]:
        if self.name.startswith("casp"):
            return True, place < 2
        if self.name.startswith("cas"):
            return True, place == 0
        if self.name.startswith("st"):
            return True, False
        return place == 0, place == 1  # LDADD and the like, SWP

    # ---- Memory ----

    def _memory(self, kind: str) -> MemoryOperand | None:
        if kind not in _MEMORY:
            return None
        load, store = _MEMORY[kind]
        place = next((op for op in self.operands if op.type == self.constants.ARM64_OP_MEM), None)
        size = self._bytes()
        if place is None:
            return MemoryOperand(None, None, 1, 0, size, load, store)
        base = _register(str(self.found.reg_name(place.mem.base) or "?"))
        index = _register(str(self.found.reg_name(place.mem.index) or "?")) if place.mem.index else None
        offset, step = int(place.mem.disp), self._step(place)
        if self.found.writeback and step is not None and self._after(place) is None:
            return MemoryOperand(base, index, 1, offset, size, load, store, step)
        return MemoryOperand(base, index, 1 << place.shift.value, offset, size, load, store, step)

    def _after(self, place: Any) -> Any:
        """The operand behind the address: what its base grows by."""
        behind = self.operands[self.operands.index(place) + 1 :] if place in self.operands else []
        return behind[0] if behind else None

    def _step(self, place: Any) -> int | None:
        if not self.found.writeback:
            return 0
        after = self._after(place)
        if after is None:
            return int(place.mem.disp)  # pre-indexed
        return int(after.imm) if after.type == self.constants.ARM64_OP_IMM else None

    def _is_step(self, operand: Any) -> bool:
        return bool(self.found.writeback) and operand is self.operands[-1] and self._behind_memory()

    def _behind_memory(self) -> bool:
        return len(self.operands) > 1 and self.operands[-2].type == self.constants.ARM64_OP_MEM

    def _bytes(self) -> int:
        """How many the access is of."""
        moved = self.registers[1:2] if self.name.startswith(("stx", "stlx")) else self.registers
        if self.name.startswith(("ldp", "stp", "ldnp", "stnp", "ldxp", "ldaxp", "casp")):
            moved = self.registers[:2]
        elif not (self.found.mnemonic[:2] in ("ld", "st") and self.name[2:3].isdigit()):
            moved = moved[:1]
        else:
            moved = [op for op in self.registers if not self._is_step(op)]
        total = 0
        for operand in moved:
            total += self._element(operand)
        letter = self.name[-1]
        narrow = letter in _NARROW and self._text(self.registers[0])[0] in "wx" and self.name not in ("stlxp",)
        if narrow and self.name[:2] in ("ld", "st", "ca", "sw") and not self.name.endswith(("ldp", "stp")):
            return _NARROW[letter] * max(1, len(moved))
        return total

    def _element(self, operand: Any) -> int:
        text = self._text(operand)
        if text[0] != "v":
            return _ELEMENT.get(text[0], 8)
        lanes = self.constants
        if operand.vector_index != -1:
            return {lanes.ARM64_VAS_1B: 1, lanes.ARM64_VAS_1H: 2, lanes.ARM64_VAS_1S: 4}.get(operand.vas, 8)
        half = (lanes.ARM64_VAS_8B, lanes.ARM64_VAS_4H, lanes.ARM64_VAS_2S, lanes.ARM64_VAS_1D)
        return 8 if operand.vas in half else 16

    # ---- Class and arithmetic ----

    def _kind(self) -> str:
        name = self.name
        kind = _classes().get(name) or _classes().get(name.split(".")[0])
        first = self._text(self.registers[0]) if self.registers else "?"
        if kind is None:
            if name.startswith(_ATOMIC):
                return "atomic"
            return "simd" if first[0] in _VECTORS else "alu"
        if kind in ("multiply", "divide") and first[0] == "x" and name not in _WIDENING:
            return f"{kind}_long"
        if kind in ("multiply", "shift") and first[0] == "v":
            return f"simd_{kind}"
        if kind == "store" and first[0] == "q":
            return "store_quad"
        if kind in ("load", "store") and first[0] in _VECTORS:
            return f"{kind}_vector"
        if kind in ("fp_divide", "fp_root") and (first[0] == "d" or self._doubles()):
            return f"{kind}_double"
        if kind in ("convert", "fp", "move") and (kind == "convert" or name in ("fmov", "mov", "dup", "ins")):
            return self._moved({"move": "simd" if first[0] in _VECTORS else "alu"}.get(kind, kind), first)
        if kind == "shift":
            return "simd" if first[0] in _VECTORS else "alu"
        if kind == "alu" and first[0] == "v":
            return "simd"
        if kind == "alu" and self._shifts():
            return "shifted"
        return kind

    def _moved(self, kind: str, first: str) -> str:
        """Between the files of registers."""
        second = self._text(self.registers[1]) if len(self.registers) > 1 else first
        into, out = first[0] in _VECTORS, second[0] in _VECTORS
        if into and not out:
            return "convert_to_vector" if kind == "convert" else "to_vector"
        if out and not into:
            return "convert_from_vector" if kind == "convert" else "from_vector"
        return kind

    def _doubles(self) -> bool:
        return bool(self.registers) and self.registers[0].vas == self.constants.ARM64_VAS_2D

    def _shifts(self) -> bool:
        """Whether it shifts or extends an operand at a cost."""
        last = self.operands[-1] if self.operands else None
        if last is None or last.type != self.constants.ARM64_OP_REG:
            return False
        if self.name in _SHIFTED and (last.ext or (last.shift.type and not self._is_cheap(last))):
            return True
        return self.name in _SHIFTED_FLAGS and bool(last.shift.type)

    def _is_cheap(self, operand: Any) -> bool:
        return bool(operand.shift.type == self.constants.ARM64_SFT_LSL and operand.shift.value <= _MOST_CHEAP)

    def _linear(self) -> Linear | None:
        """For additions, moves and shifts to the left of general registers. Extensions are taken to change no value."""
        if self.name not in _LINEAR or not self.registers:
            return None
        into = self._number(self.registers[0])
        if into is None or into >= VECTOR:
            return None
        sources = self.operands[1:]
        if self.name in ("lsl", "ubfiz", "sbfiz") and sources[1].type == self.constants.ARM64_OP_IMM:
            return self._sum([(self._number(sources[0]), 1 << sources[1].imm)], 0)
        if self.name in ("lsl", "ubfiz", "sbfiz"):
            return None
        terms: list[tuple[int | None, int]] = []
        constant = 0
        for place, operand in enumerate(sources):
            sign = -1 if self.name.startswith("sub") and place == 1 else 1
            if operand.type == self.constants.ARM64_OP_IMM:
                constant += sign * (operand.imm << operand.shift.value)
            elif operand.type == self.constants.ARM64_OP_REG:
                if operand.shift.type not in (0, self.constants.ARM64_SFT_LSL):
                    return None
                terms.append(
                    (self._number(operand), sign << operand.shift.value if sign > 0 else -(1 << operand.shift.value))
                )
            else:
                return None
        return self._sum(terms, constant)

    def _sum(self, terms: list[tuple[int | None, int]], constant: int) -> Linear | None:
        if any(number is not None and number >= VECTOR for number, _ in terms):
            return None
        factors: dict[int, int] = {}
        for number, factor in terms:
            if number is not None:
                factors[number] = factors.get(number, 0) + factor
        return Linear(tuple(sorted((n, f) for n, f in factors.items() if f)), constant)


_LINEAR = words("add adds sub subs mov movz lsl ubfiz sbfiz sxtw uxtw adr adrp")
_WIDENING = words("smaddl smsubl umaddl umsubl smull umull smnegl umnegl")
_ATOMIC = (
    "ldadd", "ldclr", "ldeor", "ldset", "ldsmax", "ldsmin", "ldumax", "ldumin", "stadd", "stclr", "steor", "stset",
    "stsmax", "stsmin", "stumax", "stumin", "swp", "cas",
)  # fmt: skip
# Whether the class loads and whether it stores.
_MEMORY = {
    "load": (True, False),
    "load_vector": (True, False),
    "load_lanes": (True, False),
    "store": (False, True),
    "store_vector": (False, True),
    "store_quad": (False, True),
    "atomic": (True, True),
    "load_exclusive": (True, False),
    "store_exclusive": (False, True),
}
