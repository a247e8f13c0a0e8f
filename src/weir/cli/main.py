"""The `weir` command: finds the subcommand, runs it, turns errors into messages and exit codes."""

import importlib
import sys
from collections.abc import Sequence

import click

from weir._version import __version__
from weir.core.errors import EXIT_BUG, EXIT_INPUT, WeirError

COMMANDS = {
    "assess": "weir.cli.assess:assess",
    "calibrate": "weir.cli.calibrate:calibrate",
    "changes": "weir.cli.changes:changes",
    "check": "weir.cli.law:check",
    "chip": "weir.cli.chip:chip",
    "classify": "weir.cli.classify:classify",
    "data": "weir.cli.data:data",
    "history": "weir.cli.history:history",
    "infer": "weir.cli.infer:infer",
    "law": "weir.cli.lawbook:law",
    "memo": "weir.cli.memo:memo",
    "model": "weir.cli.model:model",
    "plan": "weir.cli.plan:plan",
    "simulate": "weir.cli.simulate:simulate",
    "system": "weir.cli.system:system",
    "whatif": "weir.cli.whatif:whatif",
    "validate": "weir.cli.validate:validate",
}


class LazyGroup(click.Group):
    """A group whose commands are imported when they are run."""

    def list_commands(self, ctx: click.Context) -> list[str]:
        """All commands, in alphabetical order."""
        del ctx
        return sorted(COMMANDS)

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        """Imports one command; None where there is no such command."""
        del ctx
        target = COMMANDS.get(cmd_name)
        if target is None:
            return None
        module, _, attribute = target.partition(":")
        command: click.Command = getattr(importlib.import_module(module), attribute)
        return command

    def resolve_command(
        self, ctx: click.Context, args: list[str]
    ) -> tuple[str | None, click.Command | None, list[str]]:
        """As click, with the nearest command names where there is no such command."""
        if args and args[0] not in COMMANDS and not args[0].startswith("-"):
            from weir.core.errors import nearest_names

            near = nearest_names(args[0], COMMANDS)
            hint = f" Did you mean {' or '.join(near)}?" if near else ""
            ctx.fail(f"No such command '{args[0]}'.{hint}")
        return super().resolve_command(ctx, args)


@click.group(cls=LazyGroup, context_settings={"help_option_names": ["-h", "--help"]})
@click.version_option(__version__, message="weir %(version)s")
@click.option(
    "--data",
    "overlays",
    multiple=True,
    type=click.Path(),
    metavar="DIR",
    help="A folder of your own chips and models, over the stock (repeatable).",
)
@click.pass_context
def main(ctx: click.Context, overlays: Sequence[str]) -> None:
    """What an AI chip is, what U.S. export law says of it, and what it does on the models.

    Every number carries its source. Information, not legal advice.
    """
    ctx.obj = tuple(overlays)


def run(arguments: Sequence[str] | None = None) -> int:
    """Runs one command line.

    Returns:
        0 for an answer, 2 for bad input, 3 where nothing fits, 1 for a bug.
    """
    try:
        given = list(arguments) if arguments is not None else None
        main.main(args=given, prog_name="weir", standalone_mode=False)
    except WeirError as error:
        click.echo(f"weir: {error}", err=True)
        return error.exit_code
    except click.ClickException as error:
        error.show()
        return EXIT_INPUT
    except click.exceptions.Abort:
        click.echo("weir: stopped", err=True)
        return EXIT_BUG
    except BrokenPipeError:
        sys.stderr.close()
        return 0
    except OSError as error:
        # Files that cannot be read or written are told by who opens them, with their name.
        if error.filename is not None:
            raise
        click.echo(f"weir: the answer cannot be printed: {error.strerror}", err=True)
        return EXIT_INPUT
    return 0
