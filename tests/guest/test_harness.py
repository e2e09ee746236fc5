"""What of the harness needs no guest: consoles, reports, interrupted builds, archives."""

from __future__ import annotations

import base64
import gzip
import io
import stat
from pathlib import Path

import pytest

from . import cache
from .cpio import Writer
from .hardware import Outcome, outcomes, summary
from .machine import BootError, parse

PACKED = base64.encodebytes(gzip.compress(b"a,b\n1,2\n" * 100)).decode()
CONSOLE = f"""[    1.3] some driver\r
<<<armprof start>>>
counting
no end of line<<<armprof file out/table.csv>>>
{PACKED}<<<armprof end>>>
<<<armprof exit 3>>>
"""


def test_a_console_gives_output_status_and_files() -> None:
    result = parse(CONSOLE, "QEMU ended with status 0")
    assert result.console == "counting\nno end of line"
    assert result.exit_status == 3
    assert result.files == {"out/table.csv": b"a,b\n1,2\n" * 100}


@pytest.mark.parametrize("kept", [0, 30, CONSOLE.index("<<<armprof file"), CONSOLE.index("<<<armprof exit")])
def test_a_console_that_breaks_off_is_an_error_that_shows_its_end(kept: int) -> None:
    with pytest.raises(BootError) as caught:
        parse(CONSOLE[:kept], "stopped after 60 seconds")
    assert "stopped after 60 seconds" in str(caught.value)
    assert str(caught.value).endswith(CONSOLE[:kept].replace("\r\n", "\n").rstrip("\n").rpartition("\n")[2])


def test_a_build_that_fails_leaves_nothing_and_one_that_succeeds_is_not_repeated(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("ARMPROF_CACHE", str(tmp_path / "cache"))
    builds = []

    def build(place: Path) -> None:
        (place / "half").write_text("done")
        builds.append(place)
        if len(builds) == 1:
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        cache.built("thing", "1", build)
    assert not [path for path in cache.folder().iterdir() if path.is_dir()]
    assert cache.built("thing", "1", build) == cache.built("thing", "1", build)
    assert len(builds) == 2


def test_old_builds_go_and_the_last_used_stay(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("ARMPROF_CACHE", str(tmp_path))
    for key in ["a", "b", "c", "a", "d"]:
        cache.built("thing", key, lambda place: None)
    assert {path.name for path in tmp_path.glob("thing-*")} == {"thing-a", "thing-c", "thing-d"}


def test_a_failed_command_is_told_whole_and_in_one_line() -> None:
    with pytest.raises(cache.BuildError) as caught:
        cache.run(["sh", "-c", "echo fetching; echo E: no such host; echo cleaning; exit 1"], what="a download")
    assert caught.value.brief == "a download failed: E: no such host"
    assert str(caught.value) == "a download failed:\nfetching\nE: no such host\ncleaning"


def test_an_archive_names_each_folder_once_and_before_what_is_in_it(tmp_path: Path) -> None:
    (tmp_path / "folder").mkdir()
    (tmp_path / "folder/file").write_text("content")
    (tmp_path / "folder/link").symlink_to("file")
    out = io.BytesIO()
    archive = Writer(out)
    archive.add("a/b/first", b"1", stat.S_IFREG | 0o644)
    archive.add_path("a/b", tmp_path / "folder")
    archive.close()
    names = [name for name, *_ in entries(out.getvalue())]
    assert names == ["a", "a/b", "a/b/first", "a/b/file", "a/b/link", "TRAILER!!!"]
    found = {name: (stat.S_IFMT(mode), content) for name, mode, content in entries(out.getvalue())}
    assert found["a/b/file"] == (stat.S_IFREG, b"content")
    assert found["a/b/link"] == (stat.S_IFLNK, b"file")


def entries(archive: bytes) -> list[tuple[str, int, bytes]]:
    """Name, mode and content of each entry, by the kernel's description of the format."""
    found, at = [], 0
    while at < len(archive):
        assert archive[at : at + 6] == b"070701"
        fields = [int(archive[at + 6 + 8 * i : at + 14 + 8 * i], 16) for i in range(13)]
        start = at + 110
        name = archive[start : start + fields[11] - 1].decode()
        start = (start + fields[11] + 3) // 4 * 4
        found.append((name, fields[1], archive[start : start + fields[6]]))
        at = (start + fields[6] + 3) // 4 * 4
    return found


def test_a_report_gives_each_test_with_its_file_and_reason() -> None:
    tests = outcomes(
        b"""<testsuites><testsuite>
        <testcase classname="tests.hardware.test_reads" name="test_one"/>
        <testcase classname="tests.hardware.test_reads.TestClass" name="test_two[0.5]">
            <failure message="assert">def test_two: boom</failure></testcase>
        <testcase classname="tests.hardware.test_reads" name="test_three"><skipped message="why"/></testcase>
        <testcase classname="" name="tests.hardware.test_broken"><error>no module</error></testcase>
        </testsuite></testsuites>"""
    )
    assert tests == [
        Outcome("test_reads", "test_one", "passed"),
        Outcome("test_reads", "test_two[0.5]", "failed", "def test_two: boom\n"),
        Outcome("test_reads", "test_three", "skipped", "why"),
        Outcome("test_broken", "tests.hardware.test_broken", "failed", "no module\n"),
    ]
    assert summary(tests) == "2 failed, 1 passed, 1 skipped"
