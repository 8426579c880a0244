"""The root command. Subcommands are loaded by name when used, so that `fairnode serve` stays small."""

from __future__ import annotations

import importlib
import sys
from pathlib import Path

import click

from fairnode import __version__, errors
from fairnode.cli.output import Output

# name -> (module, what it is for)
COMMANDS: dict[str, tuple[str, str]] = {
    "init": ("init", "Make a node in an empty directory."),
    "serve": ("serve", "Run the node's web process."),
    "work": ("work", "Run the node's worker, which alone holds the container engine."),
    "demo": ("demo", "Run a whole network on this machine, on synthetic data."),
    "person": ("person", "Accounts and tokens of people at this node."),
    "dataset": ("dataset", "Describe, check and publish datasets."),
    "algorithm": ("algorithm", "Submit and list algorithms."),
    "network": ("network", "Agree with other organisations, and see how their nodes are."),
    "harvest": ("harvest", "Read FAIR Data Points outside the network, and keep the search index."),
    "study": ("study", "Write, send and follow studies."),
    "rehearse": ("rehearse", "See what multi-party computation sends, on made-up counts."),
    "inbox": ("inbox", "Decide on visits that wait for people."),
    "review": ("review", "Review results that the node cannot recount."),
    "ledger": ("ledger", "Prove that nothing was rewritten."),
    "backup": ("backup", "Write a consistent copy of the node to a directory."),
    "restore": ("restore", "Make a node again from a backup."),
    "migrate": ("migrate", "Bring the database to this version of fairnode."),
    "doctor": ("doctor", "Say what is well with this node, and what is not."),
}


class _Lazy(click.Group):
    """A group whose commands are modules of `fairnode.cli`."""

    def list_commands(self, ctx: click.Context) -> list[str]:
        """All commands, in the order in which one meets them."""
        del ctx
        return list(COMMANDS)

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        """The command of that name, imported now."""
        del ctx
        if cmd_name not in COMMANDS:
            return None
        command: click.Command = importlib.import_module(f"fairnode.cli.{COMMANDS[cmd_name][0]}").command
        return command

    def format_commands(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        """The list of commands, without importing any of them."""
        del ctx
        with formatter.section("Commands"):
            formatter.write_dl([(name, told) for name, (_, told) in COMMANDS.items()])


@click.group(cls=_Lazy, context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 100})
@click.version_option(__version__, prog_name="fairnode")
def fairnode() -> None:
    """The question travels, not the data.

    A node directory is made with `fairnode init`; all other commands find it with --dir or FAIRNODE_DIR.
    """


FILE_TROUBLE = (FileExistsError, FileNotFoundError, IsADirectoryError, NotADirectoryError, PermissionError)


def of_a_file(error: OSError) -> errors.FairnodeError:
    """What was wrong with a file that the person named."""
    name = f"'{Path(error.filename).name}'" if isinstance(error.filename, str) else "A file"
    if isinstance(error, FileExistsError):
        return errors.Conflict(
            f"{name} is there already, and is not written over.", to_do="Give another name, or move it away."
        )
    return errors.NotValid(
        f"{name} cannot be read or written: {error.strerror}.", to_do="Look at its place, owner and rights."
    )


def main() -> None:
    """Run the command line; errors of the house become a sentence and an exit code, never a traceback."""
    try:
        fairnode(prog_name="fairnode", standalone_mode=False)
    except errors.FairnodeError as error:
        Output(as_json="--json" in sys.argv).error(error)
        sys.exit(error.exit_code)
    except FILE_TROUBLE as error:
        told = of_a_file(error)
        Output(as_json="--json" in sys.argv).error(told)
        sys.exit(told.exit_code)
    except click.exceptions.Abort:
        sys.exit(130)
    except click.ClickException as error:
        error.show()
        sys.exit(error.exit_code)
