"""The checker of console blocks, so that a page that lies cannot pass."""

from pathlib import Path

import pytest

from tests.docs.console import Exchange, complaints, exchanges, matches


def test_a_block_is_commands_with_what_they_print() -> None:
    block = "$ weir a \\\n    --b\none\ntwo\n\n$ echo $?\n0\n"
    assert list(exchanges(block)) == [
        Exchange("weir a --b", "one\ntwo\n"),
        Exchange("echo $?", "0"),
    ]


@pytest.mark.parametrize(
    ("shown", "printed", "same"),
    [
        ("one\ntwo", "one  \ntwo\n", True),
        ("one\n...", "one\ntwo\nthree\n", True),
        ("TPP ... < 2,400", "TPP 2,368 < 2,400", True),
        ("one", "one\ntwo", False),
        ("one\ntwo", "one", False),
        ("a.c", "abc", False),
        ("", "", True),
        ("", "one", False),
    ],
)
def test_a_page_shows_what_is_printed(shown: str, printed: str, same: bool) -> None:
    assert matches(shown, printed) is same


@pytest.mark.parametrize(
    ("block", "complaint"),
    [
        ("$ weir --version\nweir 999\n", "but the page shows"),
        ("$ weir nonsense\n...\n", "exit status 2"),
        ("$ weir nonsense\n...\n$ echo $?\n0\n", "shows 0, is 2"),
        ("$ make nonsense\n", "no such target"),
        ("$ rm -r x\n", "not a command that pages may show"),
    ],
)
def test_a_page_that_lies_is_told(block: str, complaint: str, tmp_path: Path) -> None:
    assert complaint in "\n".join(complaints(block, tmp_path, {"demo"}))


def test_a_page_that_tells_the_truth_passes(tmp_path: Path) -> None:
    block = "$ make demo\n$ weir --version\nweir ...\n$ weir nonsense\n...\n$ echo $?\n2\n"
    assert list(complaints(block, tmp_path, {"demo"})) == []
