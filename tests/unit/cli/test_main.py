import errno

import click
import pytest

from weir import __version__
from weir.cli import main as program
from weir.core.errors import NothingFitsError, WeirError

BAD = ["--to", "CN", "--on", "2025-07-15"]


def test_the_version_is_printed(weir):
    assert weir("--version").out == f"weir {__version__}\n"


@pytest.mark.parametrize("command", sorted(program.COMMANDS))
def test_every_command_has_help(weir, command):
    found = weir(command, "--help")
    assert found.status == 0
    assert found.out.startswith(f"Usage: weir {command}")


def test_the_help_lists_every_command_and_gives_no_legal_advice(weir):
    text = weir("--help").out
    assert all(f"\n  {command} " in text for command in program.COMMANDS)
    assert "not legal advice" in text


def test_an_unknown_command_comes_with_the_nearest(refused):
    assert "Did you mean assess" in refused("asses", "H20")


def test_an_unknown_option_and_a_missing_one_are_told(refused):
    assert "--jsn" in refused("assess", "H20", *BAD, "--jsn")
    assert "Missing option '--to'" in refused("check", "H20")


def test_a_folder_of_data_that_is_none_is_told(refused, tmp_path):
    (tmp_path / "file").write_text("", encoding="utf-8")
    assert "is not a folder" in refused("--data", "nowhere", "chip", "show", "H20")
    assert "is not a folder" in refused("--data", "file", "chip", "show", "H20")


def test_a_broken_record_of_ones_own_is_told_with_file_and_key(refused, tmp_path):
    folder = tmp_path / "mine" / "chips"
    folder.mkdir(parents=True)
    record = 'id = "one"\nname = "One"\ndesigner = "Me"\ngeneration = "mine"\n[facts]\n'
    facts = 'memory_bandwidth = {value = 4, unit = "parsecs", status = "recalled"}\n'
    (folder / "one.toml").write_text(record + facts, encoding="utf-8")
    message = refused("--data", "mine", "chip", "show", "one")
    assert "one.toml" in message
    assert "facts.memory_bandwidth: unknown unit 'parsecs'" in message
    assert "GB/s" in message


def test_a_record_that_is_no_toml_is_told(refused, tmp_path):
    folder = tmp_path / "mine" / "chips"
    folder.mkdir(parents=True)
    (folder / "one.toml").write_text("this is not toml", encoding="utf-8")
    message = refused("--data", "mine", "check", "one", *BAD)
    assert "one.toml" in message
    assert "not valid TOML" in message


@pytest.mark.parametrize(
    ("error", "status", "told"),
    [
        (WeirError("broken"), 1, "weir: broken"),
        (NothingFitsError("none"), 3, "weir: none"),
        (click.exceptions.Abort(), 1, "weir: stopped"),
        (click.UsageError("odd"), 2, "odd"),
    ],
)
def test_each_error_has_its_status(monkeypatch, capsys, error, status, told):
    def fail(**_):
        raise error

    monkeypatch.setattr(program.main, "main", fail)
    assert program.run(["x"]) == status
    assert told in capsys.readouterr().err


def test_an_answer_that_cannot_be_printed_is_told(weir, monkeypatch):
    def full(*_, **__):
        raise OSError(errno.ENOSPC, "No space left on device")

    monkeypatch.setattr("weir.cli.output.emit", full)
    found = weir("chip", "show", "H20")
    assert found.status == 2
    assert found.err == "weir: the answer cannot be printed: No space left on device\n"
