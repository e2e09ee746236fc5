"""Who may scrape: hashes in a file, and the guard before the exporter."""

from __future__ import annotations

import base64
import subprocess
import sys
import time
import urllib.error
import urllib.request
from collections.abc import Iterable
from contextlib import closing
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from monitored import TENTH, GivenScope, GivenTarget
from prometheus import Prometheus, need_prometheus

from armprof.errors import ArmprofError
from armprof.monitor.exported import Exported
from armprof.monitor.exporter import Server
from armprof.monitor.loop import Loop
from armprof.monitor.passwords import Guard, Hash, hashed, read
from armprof.monitor.sessions import is_loopback
from armprof.monitor.settings import Prometheus as At

SECRET = "pässword: with a colon"
ALICE = hashed(SECRET)


def basic(user: str, password: str) -> str:
    return "Basic " + base64.b64encode(f"{user}:{password}".encode()).decode()


def asked(guard: Guard, authorization: str | None) -> str:
    status: list[str] = []

    def start(line: str, headers: list[tuple[str, str]]) -> Any:
        status.append(line)

    environ = {} if authorization is None else {"HTTP_AUTHORIZATION": authorization}
    body = b"".join(guard(environ, start))
    assert (body == b"numbers") == (status == ["200 OK"])
    return status[0][:3]


def numbers(environ: Any, start: Any) -> Iterable[bytes]:
    start("200 OK", [])
    return [b"numbers"]


@pytest.fixture
def guard():
    return Guard(numbers, {"alice": ALICE})


def test_the_password_opens_and_nothing_else_does(guard):
    assert asked(guard, basic("alice", SECRET)) == "200"
    assert asked(guard, basic("alice", SECRET)) == "200"  # known again
    assert asked(guard, basic("alice", SECRET + "x")) == "401"
    assert asked(guard, basic("alice", "")) == "401"
    assert asked(guard, basic("bob", SECRET)) == "401"
    assert asked(guard, basic("", "")) == "401"
    assert asked(guard, basic("alice", SECRET).replace("Basic", "basic")) == "200"
    assert asked(guard, basic("alice", SECRET).replace("Basic", "Bearer")) == "401"
    assert asked(guard, None) == "401"


NOBODY = Guard(numbers, {})


@given(st.text(max_size=60))
def test_no_header_brings_it_down(words):
    assert asked(NOBODY, f"Basic {words}") == "401"


def test_only_the_first_time_is_a_hash_made(guard, monkeypatch):
    made = []
    real = Hash.fits
    monkeypatch.setattr(Hash, "fits", lambda self, password: made.append(1) or real(self, password))
    for _ in range(10):
        asked(guard, basic("alice", SECRET))
    assert len(made) == 1
    asked(guard, basic("nobody", SECRET))  # an unknown user takes as long as a wrong password
    assert len(made) == 2


def test_a_printed_line_is_read_again(tmp_path):
    made = subprocess.run(
        [sys.executable, "-P", "-m", "armprof.monitor.passwords", "alice"],
        input=f"{SECRET}\n",
        capture_output=True,
        text=True,
        check=True,
    )
    file = tmp_path / "passwords"
    file.write_text(f"# who may scrape\n\n{made.stdout}bob:{hashed('other')}\n")
    users = read(file)
    assert users["alice"].fits(SECRET)
    assert not users["alice"].fits("other")
    assert users["bob"].fits("other")
    assert SECRET not in file.read_text()


@pytest.mark.parametrize(("user", "given"), [("a:b", "x"), ("", "x"), ("alice", "")])
def test_what_cannot_be_a_user_or_a_password_is_one_line(user, given):
    done = subprocess.run(
        [sys.executable, "-P", "-m", "armprof.monitor.passwords", user], input=given, capture_output=True, text=True
    )
    assert done.returncode == 1
    assert done.stderr.startswith("armprof: ")
    assert len(done.stderr.splitlines()) == 1


LINE = f"alice:{ALICE}"


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ("", "no user is in it"),
        ("alice:secret", "line 1: expected USER:scrypt:N"),
        (f"{LINE}\nbob:$2y$10$abc", "line 2: expected USER:scrypt:N"),
        (LINE.replace("16384", "16385"), "line 1: expected"),
        (LINE.replace("16384", "1073741824"), "line 1: expected"),  # more memory than is given to it
        (LINE.replace("16384", "9" * 30), "line 1: expected"),
        (LINE.replace("16384:8:1", "64:1:262144"), "line 1: expected"),  # little memory, and seconds a guess
        (LINE[:-4], "line 1: expected"),
        (f"{LINE}\n{LINE}", "line 2: alice is there twice"),
    ],
    # the salt is random, and the names of tests must not be
    ids=[
        "empty",
        "plain",
        "bcrypt",
        "no power of two",
        "too much memory",
        "many digits",
        "too much work",
        "cut off",
        "twice",
    ],
)
def test_what_is_wrong_in_the_file_is_told_with_its_line(tmp_path, text, told):
    file = tmp_path / "passwords"
    file.write_text(text)
    with pytest.raises(ArmprofError, match=told):
        read(file)


def test_a_file_that_cannot_be_read_is_one_line(tmp_path):
    with pytest.raises(ArmprofError, match=r"cannot read the passwords .*nothing: No such file"):
        read(tmp_path / "nothing")
    (tmp_path / "binary").write_bytes(b"\xff\xfe")
    with pytest.raises(ArmprofError, match="it is no text"):
        read(tmp_path / "binary")


@pytest.mark.parametrize(
    ("host", "expected"),
    [("127.0.0.1", True), ("::1", True), ("localhost", True), ("0.0.0.0", False), ("::", False), ("box", False)],
)
def test_loopback_is_known(host, expected):
    assert is_loopback(host) is expected


@pytest.fixture
def served(tmp_path):
    pytest.importorskip("prometheus_client")
    file = tmp_path / "passwords"
    file.write_text(f"alice:{ALICE}\n")
    with (
        Loop(GivenScope(GivenTarget("cpu0")), TENTH) as loop,
        closing(Server(Exported(loop), At(0, passwords=file))) as s,
    ):
        yield s


def test_the_exporter_lets_in_who_knows_it_alone(served):
    url = f"http://127.0.0.1:{served.port}/metrics"
    with pytest.raises(urllib.error.HTTPError) as refused:
        urllib.request.urlopen(url)
    with refused.value as answer:
        assert answer.code == 401
        assert answer.headers["WWW-Authenticate"].startswith("Basic ")
        assert b"armprof_" not in answer.read()
    request = urllib.request.Request(url, headers={"Authorization": basic("alice", SECRET)})
    with urllib.request.urlopen(request) as page:
        assert b"armprof_monitor_info" in page.read()


def test_a_real_prometheus_scrapes_with_basic_auth(served, tmp_path):
    need_prometheus()
    right = {"username": "alice", "password": SECRET}
    server = Prometheus(tmp_path / "prometheus", [served.port], scrape={"basic_auth": right})
    try:
        deadline = time.monotonic() + 60
        while not (found := server.query("armprof_monitor_info")) and time.monotonic() < deadline:
            time.sleep(0.2)
    finally:
        server.close()
    assert len(found) == 1
