import io
import sys
import time

import pytest

from weir.cli import progress
from weir.cli.progress import Progress


class Terminal(io.StringIO):
    def isatty(self) -> bool:
        return True


def test_nothing_is_shown_where_nobody_looks(monkeypatch: pytest.MonkeyPatch) -> None:
    stream = io.StringIO()
    monkeypatch.setattr(sys, "stderr", stream)
    monkeypatch.setattr(progress, "_PATIENCE_S", 0.0)
    with Progress(2) as bar:
        bar.step("one")
        time.sleep(0.05)
    assert stream.getvalue() == ""


def test_nothing_is_shown_in_the_first_second(monkeypatch: pytest.MonkeyPatch) -> None:
    stream = Terminal()
    monkeypatch.setattr(sys, "stderr", stream)
    with Progress(2) as bar:
        bar.step("one")
    assert stream.getvalue() == ""


def test_a_terminal_sees_the_bar_and_nothing_is_left_of_it(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    stream = Terminal()
    monkeypatch.setattr(sys, "stderr", stream)
    monkeypatch.setattr(progress, "_PATIENCE_S", 0.0)
    with Progress(2) as bar:
        bar.step("layouts searched")
        time.sleep(0.3)
    assert "50% layouts searched" in stream.getvalue()
    assert stream.getvalue().endswith("\r\x1b[K")


def test_the_bar_never_runs_over() -> None:
    bar = Progress(1)
    bar.step("a")
    bar.step("b")
    assert bar.line().endswith("100% b")
