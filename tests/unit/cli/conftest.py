"""Running a command line as a user does: arguments in; status, output and messages out."""

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import pytest

from weir.cli.main import run


@dataclass(frozen=True)
class Ran:
    """What became of one command line."""

    status: int
    out: str
    err: str


Weir = Callable[..., Ran]


@pytest.fixture
def weir(capsys: pytest.CaptureFixture[str]) -> Weir:
    """Runs `weir` with some arguments."""

    def call(*arguments: object) -> Ran:
        capsys.readouterr()
        status = run([str(argument) for argument in arguments])
        captured = capsys.readouterr()
        assert "Traceback" not in captured.err
        return Ran(status, captured.out, captured.err)

    return call


@pytest.fixture
def refused(weir: Weir, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Callable[..., str]:
    """Runs what must be refused in an empty folder; hands back the one message."""
    monkeypatch.chdir(tmp_path)

    def call(*arguments: object, status: int = 2) -> str:
        before = sorted(tmp_path.rglob("*"))
        ran = weir(*arguments)
        assert ran.status == status, ran.err
        assert ran.out == ""
        assert ran.err.count("weir:") + ran.err.count("Error:") == 1
        assert sorted(tmp_path.rglob("*")) == before
        return ran.err

    return call
