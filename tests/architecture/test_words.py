"""The project speaks only of itself: no path of one machine, no address of an index."""

import subprocess
from pathlib import Path

import pytest

from tests.architecture.code import ROOT

# Written in halves, so that this file does not contain them.
FORBIDDEN = [
    "/wo" + "rk/",
    "/tm" + "p/",
    "/ho" + "me/",
    "shared" + "/facts",
    ".." + "/shared",
    "file" + "://",
    "pypi" + ".org",
    "pythonhosted" + ".org",
    "npmjs" + ".org",
    "debian" + ".org",
    "crates" + ".io",
    "golang" + ".org",
    "index" + "-url",
]


def _tracked() -> list[Path]:
    found = subprocess.run(["git", "ls-files", "-z"], cwd=ROOT, capture_output=True, check=False)
    if found.returncode:
        return []
    names = found.stdout.decode().split("\0")
    return [path for name in names if name and (path := ROOT / name).is_file()]


TRACKED = _tracked()


@pytest.mark.skipif(not TRACKED, reason="not a git checkout, so there is no list of files")
@pytest.mark.parametrize("word", FORBIDDEN)
def test_no_tracked_file_contains(word: str) -> None:
    found = [
        path.relative_to(ROOT).as_posix() for path in TRACKED if word.encode() in path.read_bytes()
    ]
    assert not found, f"'{word}' stands in {', '.join(found)}"
