"""The administrator's and everybody else's door on the command line: `fairnode COMMAND`."""

from fairnode.cli.main import main

__all__ = ["main"]
