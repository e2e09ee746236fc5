"""The modelled core: counts of an ARM64 program that runs under qemu-aarch64 with a plugin that models the core.

From left to right: `geometry` says what is modelled of a core, `emulator` runs the program, `counts` reads what the plugin
left, `events` names it as a PMU does.
"""
