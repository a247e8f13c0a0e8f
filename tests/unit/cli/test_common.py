import datetime as dt
import os
import stat

import pytest

from weir.cli.common import Day, check_writable, emit, write_file
from weir.core.errors import DateError, OutputError


@pytest.mark.parametrize(("text", "day"), [("2025-07-15", dt.date(2025, 7, 15))])
def test_a_day_is_read(text, day):
    assert Day().convert(text, None, None) == day
    assert Day().convert(day, None, None) == day


def test_today_is_a_day():
    assert isinstance(Day().convert("today", None, None), dt.date)


@pytest.mark.parametrize("text", ["2025-02-30", "15/07/2025", "", "2025-7-15", "tomorrow"])
def test_what_is_no_day_says_how_to_write_one(text):
    with pytest.raises(DateError, match="write YYYY-MM-DD"):
        Day().convert(text, None, None)


def test_a_file_is_replaced_whole_and_nothing_else_is_left(tmp_path):
    path = tmp_path / "a.txt"
    path.write_text("old and longer", encoding="utf-8")
    write_file(path, "new ü")
    assert path.read_bytes() == "new ü".encode()
    assert [item.name for item in tmp_path.iterdir()] == ["a.txt"]
    assert stat.S_IMODE(path.stat().st_mode) & 0o400


def test_a_failed_write_leaves_the_old_file_alone(tmp_path, monkeypatch):
    path = tmp_path / "a.txt"
    path.write_text("old", encoding="utf-8")

    def full(*_):
        raise OSError(28, "No space left on device")

    monkeypatch.setattr("pathlib.Path.replace", full)
    with pytest.raises(OutputError, match=r"cannot write .*a\.txt: No space left"):
        write_file(path, "new")
    assert path.read_text(encoding="utf-8") == "old"
    assert [item.name for item in tmp_path.iterdir()] == ["a.txt"]


def test_a_link_stays_a_link(tmp_path):
    target, link = tmp_path / "target", tmp_path / "link"
    target.write_text("old", encoding="utf-8")
    link.symlink_to(target)
    write_file(link, "new")
    assert link.is_symlink()
    assert target.read_text(encoding="utf-8") == "new"


def test_a_pipe_is_written_to_and_not_replaced(tmp_path):
    pipe = tmp_path / "pipe"
    os.mkfifo(pipe)
    reader = os.open(pipe, os.O_RDONLY | os.O_NONBLOCK)
    check_writable(pipe)
    write_file(pipe, "through")
    assert os.read(reader, 100) == b"through"
    os.close(reader)
    assert stat.S_ISFIFO(pipe.stat().st_mode)


@pytest.mark.parametrize(
    ("name", "why"),
    [
        (".", "it is a folder"),
        ("missing/a.txt", "does not exist; create it"),
        ("file/a.txt", "is not a folder"),
        ("a" * 300, "name too long"),
        ("nul\0byte", "null"),
    ],
)
def test_a_path_that_cannot_be_written_is_refused_before_any_work(tmp_path, name, why):
    (tmp_path / "file").write_text("", encoding="utf-8")
    with pytest.raises(OutputError, match=f"(?i)cannot write .*{why}"):
        check_writable(tmp_path / name)


@pytest.mark.skipif(os.geteuid() == 0, reason="root may write anywhere")
def test_a_folder_without_permission_is_refused(tmp_path):
    tmp_path.chmod(0o500)
    with pytest.raises(OutputError, match="is not writable"):
        check_writable(tmp_path / "a.txt")


def test_what_is_printed_ends_in_one_line_break(tmp_path, capsys):
    emit("text\n\n", None)
    assert capsys.readouterr().out == "text\n"
    emit("text\n\n", tmp_path / "a.txt")
    assert (tmp_path / "a.txt").read_text(encoding="utf-8") == "text\n"
    assert capsys.readouterr().err.startswith("wrote ")
