"""What /proc tells of a process that is to be sampled."""

from __future__ import annotations

from armprof.samples.processes import code_in

MAPS = b"""aaaab6f70000-aaaab6f71000 r-xp 00001000 fe:01 9437280                    /usr/bin/tr\rue (deleted)
ffff8c0a0000-ffff8c0a1000 rw-p 00002000 fe:01 9437281                    /usr/lib/libdata.so
ffff8c0b0000-ffff8c0b1000 r-xp 00000000 00:00 0
ffff8c0c0000-ffff8c0c1000 r-xp 00000000 00:00 0                          [vdso]
"""


def test_code_is_what_may_be_executed_and_a_name_may_hold_any_byte():
    assert list(code_in(MAPS)) == [
        (0xAAAAB6F70000, 0x1000, 0x1000, b"/usr/bin/tr\rue (deleted)"),
        (0xFFFF8C0B0000, 0x1000, 0, b"//anon"),
        (0xFFFF8C0C0000, 0x1000, 0, b"[vdso]"),
    ]
