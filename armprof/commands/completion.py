"""armprof completion SHELL: the script by which a shell completes words of the command line."""

from __future__ import annotations

import argparse
import sys
from importlib.resources import files

from armprof.commands.reporting import put
from armprof.errors import ArmprofError

# shell -> where to put the script, so that it is found
SHELLS = {
    "bash": "~/.local/share/bash-completion/completions/armprof",
    "zsh": "a folder of $fpath, as _armprof",
    "fish": "~/.config/fish/completions/armprof.fish",
}


def prepare(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("shell", choices=tuple(SHELLS), metavar="SHELL", help="bash, zsh or fish")
    places = "; ".join(f"{shell}: {place}" for shell, place in SHELLS.items())
    parser.epilog = f"Put what it prints where the shell looks: {places}."


def run(args: argparse.Namespace) -> int:
    script = files("armprof") / "completion" / f"armprof.{args.shell}"
    try:
        put(script.read_text(encoding="utf-8"), None, sys.stdout)
    except FileNotFoundError:
        raise ArmprofError("the scripts are made where armprof is built: install it, these are its sources") from None
    return 0
