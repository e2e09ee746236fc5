"""Boots an ARM64 Linux under QEMU and runs tests/hardware in it.

By hand, with any script: `python -m tests.guest.run --help`, in the top folder.
"""
