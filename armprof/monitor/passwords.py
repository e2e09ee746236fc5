"""Who may scrape: a file of users with the hashes of their passwords, and what stands before the application and asks.

    alice:scrypt:16384:8:1:SALT:HASH            the last two in base64

`python -m armprof.monitor.passwords alice` asks for a password and prints such a line. No password is kept anywhere, and
none is compared with another: hashes are, in a time that does not tell how much of them was right.
"""

from __future__ import annotations

import base64
import hashlib
import hmac
import math
import os
import threading
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from armprof.errors import ArmprofError

if TYPE_CHECKING:
    from wsgiref.types import StartResponse, WSGIApplication

COST = (16_384, 8, 1)  # n, r, p: 16 MiB and some 50 ms a guess
MOST_MEMORY = 64 << 20  # that a line of the file may ask for
MOST_WORK = 16 * math.prod(COST)  # and some second a guess
_LINE = "expected USER:scrypt:N:R:P:SALT:HASH, as `python -m armprof.monitor.passwords USER` prints it"


@dataclass(frozen=True, slots=True)
class Hash:
    """What is kept of a password."""

    cost: tuple[int, int, int]
    salt: bytes
    hash: bytes

    def fits(self, password: str) -> bool:
        """Whether it is the hash of that one."""
        return hmac.compare_digest(_scrypt(password, self.salt, self.cost), self.hash)

    def __str__(self) -> str:
        salt, hashed = (base64.b64encode(part).decode() for part in (self.salt, self.hash))
        return ":".join(("scrypt", *map(str, self.cost), salt, hashed))


def _scrypt(password: str, salt: bytes, cost: tuple[int, int, int]) -> bytes:
    n, r, p = cost
    return hashlib.scrypt(password.encode(), salt=salt, n=n, r=r, p=p, maxmem=MOST_MEMORY, dklen=32)


def hashed(password: str) -> Hash:
    """A new hash of it, with a salt of its own."""
    salt = os.urandom(16)
    return Hash(COST, salt, _scrypt(password, salt, COST))


def read(path: Path) -> dict[str, Hash]:
    """The users of that file. Raises ArmprofError, with the line, for what is none."""
    try:
        lines = path.read_text(encoding="utf-8").splitlines()
    except (OSError, ValueError) as error:
        why = getattr(error, "strerror", None) or "it is no text"
        raise ArmprofError(f"cannot read the passwords {path}: {why}") from None
    users = {}
    for number, line in enumerate(lines, 1):
        if not line.strip() or line.startswith("#"):
            continue
        try:
            user, scheme, n, r, p, salt, hash_ = line.strip().split(":")
            one = Hash((int(n), int(r), int(p)), _decoded(salt), _decoded(hash_))
            if not user or scheme != "scrypt" or len(one.hash) != 32 or math.prod(one.cost) > MOST_WORK:
                raise ValueError
            one.fits("")  # that this cost can be paid
        except (ValueError, TypeError, OverflowError, MemoryError):
            raise ArmprofError(f"{path}: line {number}: {_LINE}") from None
        if user in users:
            raise ArmprofError(f"{path}: line {number}: {user} is there twice")
        users[user] = one
    if not users:
        raise ArmprofError(f"{path}: no user is in it: {_LINE}")
    return users


def _decoded(text: str) -> bytes:
    return base64.b64decode(text, validate=True)


class Guard:
    """Stands before a WSGI application and lets in who knows a user's password, by basic authentication.

    What was let in once is known again by its digest under a key of this process, since each scrape brings the same words and
    a hash is made to be slow. One guess at a time: who tries many does not take the machine.
    """

    def __init__(self, application: WSGIApplication, users: Mapping[str, Hash]) -> None:
        self._application, self._users = application, users
        self._key = os.urandom(32)
        self._known: dict[str, bytes] = {}  # by user, so that there are never more than these
        self._nobody = hashed("")
        self._one = threading.Lock()

    def __call__(self, environ: dict[str, Any], start: StartResponse) -> Iterable[bytes]:
        if self._lets_in(str(environ.get("HTTP_AUTHORIZATION", ""))):
            return self._application(environ, start)
        start(
            "401 Unauthorized",
            [("WWW-Authenticate", 'Basic realm="armprof", charset="UTF-8"'), ("Content-Type", "text/plain")],
        )
        return [b"a user and a password are needed\n"]

    def _lets_in(self, given: str) -> bool:
        scheme, _, words = given.partition(" ")
        if scheme.lower() != "basic":
            return False
        try:
            user, colon, password = base64.b64decode(words.strip(), validate=True).decode().partition(":")
        except ValueError:
            return False
        digest = hmac.digest(self._key, words.strip().encode(), "sha256")
        if hmac.compare_digest(self._known.get(user, b""), digest):
            return True
        with self._one:
            # an unknown user takes as long as a wrong password
            right = self._users.get(user, self._nobody).fits(password) and user in self._users and bool(colon)
        if right:
            self._known[user] = digest
        return right


def main(user: str) -> None:
    """Asks for a password and prints the line of that user."""
    import getpass
    import sys

    if not user or ":" in user or not user.isprintable():
        raise SystemExit(f"armprof: {user!r} is no name of a user: it has no colon and is printable")
    password = getpass.getpass("Password: ") if sys.stdin.isatty() else sys.stdin.readline().rstrip("\n")
    if not password:
        raise SystemExit("armprof: no password was given")
    print(f"{user}:{hashed(password)}")


if __name__ == "__main__":
    import sys

    if len(sys.argv) != 2:
        raise SystemExit("usage: python -m armprof.monitor.passwords USER")
    main(sys.argv[1])
