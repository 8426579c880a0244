"""Runs the check as a child process: see `fairnode.jobs.process`."""

from fairnode.jobs.process import main
from fairnode.jobs.shacl import run

main(run)
