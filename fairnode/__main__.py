"""`python -m fairnode`: the command line."""

from fairnode.cli import main

main()
