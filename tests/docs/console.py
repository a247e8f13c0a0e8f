"""Console blocks of the documentation: what is typed, what is printed, and whether it still is.

A block looks like a terminal: a line that starts with "$ " is typed, a line that ends in a
backslash goes on in the next, and what follows is what is printed. "..." in what is printed stands
for anything. `weir` commands are run; commands that set things up are only checked to exist.
"""

import os
import re
import shlex
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
ANYTHING = "..."
# Shown to people and not run here: they fetch, install or take over the terminal.
SHOWN_ONLY = {"git", "cd", "pip", "python3", "source", "docker"}
SECONDS = 120


@dataclass(frozen=True)
class Exchange:
    """One command and what a block shows beneath it."""

    command: str
    shown: str


def exchanges(block: str) -> Iterator[Exchange]:
    """The commands of a block, each with the output it shows."""
    command, shown = "", []
    for line in block.splitlines():
        if command.endswith("\\"):
            command = command[:-1] + line.strip()
        elif line.startswith("$ "):
            if command:
                yield Exchange(command, "\n".join(shown))
            command, shown = line[2:].strip(), []
        else:
            shown.append(line)
    if command:
        yield Exchange(command, "\n".join(shown))


def matches(shown: str, printed: str) -> bool:
    """True where a block shows what was printed, up to "..." and spaces at line ends."""
    pattern = ".*".join(re.escape(part) for part in _trimmed(shown).split(ANYTHING))
    return re.fullmatch(pattern, _trimmed(printed), flags=re.DOTALL) is not None


def _trimmed(text: str) -> str:
    return "\n".join(line.rstrip() for line in text.strip("\n").splitlines())


def run(command: str, folder: Path) -> tuple[int, str]:
    """Runs a command line as a reader would; returns its status and all that it printed."""
    environment = {
        **{key: value for key, value in os.environ.items() if not key.startswith("WEIR_")},
        "PATH": f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}",
        "COLUMNS": "100",
        "NO_COLOR": "1",
        "LC_ALL": "C.UTF-8",
    }
    done = subprocess.run(
        ["bash", "-o", "pipefail", "-c", command],
        cwd=folder,
        env=environment,
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        timeout=SECONDS,
        check=False,
    )
    return done.returncode, done.stdout.decode()


def complaints(block: str, folder: Path, targets: set[str]) -> Iterator[str]:
    """What is no longer true in a block.

    Args:
        block: The text between the fences.
        folder: Where the commands run.
        targets: The targets of the Makefile.
    """
    status = 0
    found = list(exchanges(block))
    for number, exchange in enumerate(found):
        word = shlex.split(exchange.command, comments=True)[0]
        following = found[number + 1].command if number + 1 < len(found) else ""
        if exchange.command == "echo $?":
            if exchange.shown.strip() != str(status):
                yield f"echo $?: shows {exchange.shown.strip()}, is {status}"
        elif word == "make":
            wanted = [part for part in exchange.command.split()[1:] if "=" not in part]
            yield from (f"make {name}: no such target" for name in wanted if name not in targets)
        elif word == "weir":
            status, printed = run(exchange.command, folder)
            if status and following != "echo $?":
                yield f"{exchange.command}: exit status {status}; show it with '$ echo $?'"
            if not matches(exchange.shown, printed):
                yield f"{exchange.command}: prints\n{printed}\nbut the page shows\n{exchange.shown}"
        elif word not in SHOWN_ONLY:
            yield f"{exchange.command}: not a command that pages may show"
