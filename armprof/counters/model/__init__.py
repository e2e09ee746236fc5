"""The modelled core: counts of an ARM64 program that runs under qemu-aarch64 with a plugin that models the core.

From left to right: `geometry` says what is modelled of a core, `emulator` runs the program, `counts` reads what the plugin
left, `tally` lays it out by instruction, `code` finds the loops, `misses` and `shapes` look at them, `estimate` makes cycles of
it all, `events` names everything as a PMU does.
"""
