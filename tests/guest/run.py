"""Boots a guest by hand: python -m tests.guest.run --machine emulator --script FILE --out FOLDER."""

from __future__ import annotations

import argparse
import sys
from pathlib import Path

from . import cache, wheel
from .machine import KINDS, BootError, Guest


def main() -> int:
    parser = argparse.ArgumentParser(prog="python -m tests.guest.run", description=__doc__)
    parser.add_argument("--machine", choices=KINDS, default="debian")
    parser.add_argument("--smp", type=int, choices=(1, 2), default=1)
    parser.add_argument("--script", help="shell script to run in the guest; '-' or none: standard input")
    parser.add_argument("--file", action="append", default=[], metavar="GUEST_PATH=PATH", help="a file or a folder")
    parser.add_argument("--project", action="store_true", help="install the project, built for aarch64")
    parser.add_argument("--out", type=Path, help="folder for what the script writes to $ARMPROF_OUT")
    parser.add_argument("--timeout", type=float, default=300, metavar="SECONDS")
    args = parser.parse_args()
    script = sys.stdin.read() if args.script in (None, "-") else Path(args.script).read_text()
    files = {name: Path(path) for name, _, path in (pair.partition("=") for pair in args.file)}
    try:
        if args.project:
            files |= wheel.installed()
        result = Guest(args.machine, args.smp).run(script, files, args.timeout)
    except (cache.MissingError, cache.BuildError, BootError) as error:
        print(error, file=sys.stderr)
        return 1
    print(result.console, end="")
    for name, content in result.files.items():
        if args.out:
            (args.out / name).parent.mkdir(parents=True, exist_ok=True)
            (args.out / name).write_bytes(content)
            print(f"wrote {args.out / name}", file=sys.stderr)
    return result.exit_status


if __name__ == "__main__":
    sys.exit(main())
