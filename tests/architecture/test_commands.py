"""Every command explains itself and is told of where people read."""

from collections.abc import Iterator
from pathlib import Path

import click
import pytest

from tests.architecture.code import ROOT
from weir.cli.main import main


def _commands(group: click.Group, path: str = "weir") -> Iterator[tuple[str, click.Command]]:
    context = click.Context(group)
    for name in group.list_commands(context):
        command = group.get_command(context, name)
        assert command is not None, f"{path} {name} is listed and does not exist"
        yield f"{path} {name}", command
        if isinstance(command, click.Group):
            yield from _commands(command, f"{path} {name}")


COMMANDS = list(_commands(main))
PAGES = [ROOT / "README.md", *sorted((ROOT / "docs").rglob("*.md"))]


@pytest.mark.parametrize(("path", "command"), COMMANDS, ids=[path for path, _ in COMMANDS])
def test_a_command_says_what_it_does_and_so_does_each_option(
    path: str, command: click.Command
) -> None:
    assert (command.help or "").strip(), f"{path} has no help"
    for parameter in command.params:
        if isinstance(parameter, click.Option):
            assert parameter.help, f"{path} {parameter.opts[0]} has no help"


@pytest.mark.parametrize(
    "path", [path for path, command in COMMANDS if not isinstance(command, click.Group)]
)
def test_a_command_is_mentioned_in_the_readme_or_the_docs(path: str) -> None:
    def mentions(page: Path) -> bool:
        return path in page.read_text(encoding="utf-8")

    assert any(mentions(page) for page in PAGES), f"no page mentions '{path}'"
