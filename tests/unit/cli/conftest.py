"""Running a command line as a user does: arguments in; status, output and messages out."""

from collections.abc import Callable
from dataclasses import dataclass

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
