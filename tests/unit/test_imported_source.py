"""Files that are no perf output: one clear line each. Encodings that are read all the same."""

import gzip
import io
import sys
from pathlib import Path

import pytest

from armprof.counters.imported import parse, read
from armprof.errors import ArmprofError

TABLE = (
    " Performance counter stats for './work':\n\n     1,234      cycles     (50.00%)\n\n  1.0 seconds time elapsed\n"
)


def refusal(path):
    with pytest.raises(ArmprofError) as caught:
        read(path)
    message = str(caught.value)
    assert caught.value.exit_code == 2
    assert message.isprintable(), message
    return message


@pytest.mark.parametrize(
    "data",
    [
        TABLE.encode(),
        TABLE.encode("utf-8-sig"),
        TABLE.encode("utf-16"),
        TABLE.encode("utf-16-le"),
        TABLE.encode("utf-16-be"),
        TABLE.replace("./work", "./tr\u00e4ge").encode("latin-1"),
        TABLE.replace("\n", "\r\n").encode("utf-16"),
    ],
    ids=["utf-8", "utf-8 BOM", "utf-16 BOM", "utf-16-le", "utf-16-be", "latin-1", "PowerShell"],
)
def test_encodings(tmp_path, data):
    (tmp_path / "perf.txt").write_bytes(data)
    imported = read(tmp_path / "perf.txt")
    assert imported.total.value("cpu_cycles") == 1234
    assert imported.total["cpu_cycles"].coverage == 0.5
    assert imported.origin == str(tmp_path / "perf.txt")


def test_standard_input(monkeypatch):
    class Stdin:
        buffer = io.BytesIO(TABLE.encode())

    monkeypatch.setattr(sys, "stdin", Stdin)
    imported = read("-")
    assert (imported.total.value("cpu_cycles"), imported.origin) == (1234, "standard input")


def test_a_missing_file(tmp_path):
    assert refusal(tmp_path / "none.txt") == f"cannot read {tmp_path}/none.txt: No such file or directory"


def test_a_directory(tmp_path):
    assert refusal(tmp_path) == f"cannot read {tmp_path}: Is a directory"


def test_a_file_without_permission(tmp_path, monkeypatch):
    def denied(*_args, **_more):
        raise PermissionError(13, "Permission denied")  # root may read everything, so the mode of a file is no test

    monkeypatch.setattr("builtins.open", denied)
    assert refusal(tmp_path / "secret.txt") == f"cannot read {tmp_path}/secret.txt: Permission denied"


def test_a_name_that_cannot_be_one(tmp_path):
    assert "null byte" in refusal("a\0b")
    assert refusal(tmp_path / "two\nlines").count("\\n") == 1


@pytest.mark.parametrize("text", ["", " \n\t\n", "\ufeff"])
def test_an_empty_file(tmp_path, text):
    (tmp_path / "empty.txt").write_text(text)
    assert refusal(tmp_path / "empty.txt").startswith(
        f"{tmp_path}/empty.txt is empty: expected what `perf stat` prints"
    )


@pytest.mark.parametrize("magic", [b"PERFILE2", b"2ELIFREP"])
def test_a_perf_data_file_is_told_what_prints_it(tmp_path, magic):
    (tmp_path / "perf.data").write_bytes(magic + bytes(200))
    message = refusal(tmp_path / "perf.data")
    assert "perf.data file" in message
    assert "`perf stat report -i FILE`" in message
    assert "`perf script`" in message


def test_a_packed_file(tmp_path):
    (tmp_path / "perf.txt.gz").write_bytes(gzip.compress(TABLE.encode()))
    assert "packed with gzip: unpack it first" in refusal(tmp_path / "perf.txt.gz")


def test_a_binary_file(tmp_path):
    (tmp_path / "a.out").write_bytes(b"\x7fELF" + bytes(range(256)) * 20)
    assert "is binary" in refusal(tmp_path / "a.out")
    assert "is binary" in refusal(Path(sys.executable))


def test_text_that_is_no_perf_output(tmp_path):
    (tmp_path / "notes.md").write_text("# Notes\n\nBuy 3 cycles\n")
    message = refusal(tmp_path / "notes.md")
    assert message.endswith(
        "no counts found: expected what `perf stat` prints, as text or with -x or -j; the first line is: # Notes"
    )


def test_the_first_line_is_shortened_and_escaped():
    with pytest.raises(ArmprofError) as caught:
        parse("\n\n" + "\x1b[2J" + "x" * 500, "log")
    assert len(str(caught.value)) < 250
    assert "\\x1b[2J" in str(caught.value)


def test_output_of_a_program_that_is_longer_than_the_table():
    noise = "the quick brown fox\n" * 50_000
    for table in (
        TABLE,
        "1234,,cycles,5,50.00,,\n",
        '{"counter-value" : "1234", "event" : "cycles", "pcnt-running" : 50}\n',
    ):
        assert parse(noise + table + noise).total["cpu_cycles"].coverage == 0.5
