"""The two ways armprof says no. Both print as one line; both carry the exit status of the command line."""

from __future__ import annotations


class ArmprofError(Exception):
    """Bad usage or bad input: what is wrong, where, and what to do, in one line.

    ``exit_code`` is what the command line returns for it.
    """

    exit_code = 2


class CannotCount(ArmprofError):  # noqa: N818  # reads as a sentence where it is raised
    """What was asked for cannot be counted on this machine. It is an ArmprofError too.

    ``reason`` names what stands in the way, ``remedy`` the command or change that removes it ("" where nothing does).
    """

    exit_code = 3

    def __init__(self, reason: str, remedy: str = "") -> None:
        self.reason = reason
        self.remedy = remedy
        super().__init__(f"{reason}; {remedy}" if remedy else reason)
