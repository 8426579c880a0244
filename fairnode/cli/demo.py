"""fairnode demo: the main job, on this machine, on synthetic data."""

from __future__ import annotations

import json
import os
import shutil
import signal
import time
from pathlib import Path

import click
from rich.console import Console

from fairnode.cli.ledger import report_words
from fairnode.demo import processes, story
from fairnode.demo.agree import agree
from fairnode.demo.make import make_members, make_other_people, make_shared
from fairnode.demo.members import HOME, LOCAL, PEOPLE, Member, members
from fairnode.demo.policies import REFUSING
from fairnode.ledger import verify_ledger
from fairnode.node import open_node
from fairnode.release.releases import render

CONSOLE = Console(stderr=True, highlight=False)


@click.command(epilog="Example: fairnode demo --folder .demo --keep")
@click.option("--folder", default=".demo", show_default=True, type=click.Path(path_type=Path))
@click.option("--cache", default=".cache/demo", show_default=True, type=click.Path(path_type=Path))
@click.option("--keep", is_flag=True, envvar="KEEP", help="Leave the nodes up and print how to log in.")
@click.option("--stop", is_flag=True, help="Only end a demo that was left up.")
def command(folder: Path, cache: Path, *, keep: bool, stop: bool) -> None:
    """Six organisations, a node each, and a study from the question to the released table."""
    processes.stop(folder)
    if stop:
        return
    signal.signal(signal.SIGTERM, lambda *_: os.kill(os.getpid(), signal.SIGINT))
    began = time.monotonic()
    folder.mkdir(parents=True, exist_ok=True)
    shutil.rmtree(folder / "nodes", ignore_errors=True)
    taking_part = members(folder.resolve())
    try:
        _run(folder, cache, taking_part)
        CONSOLE.print(f"Done in {time.monotonic() - began:.0f} seconds.")
        if keep:
            make_other_people(taking_part)
            _write_network(folder, taking_part)
            _say_how_to_log_in(folder, taking_part)
    finally:
        if not keep:
            processes.stop(folder)


def _run(folder: Path, cache: Path, taking_part: list[Member]) -> None:
    """The whole story."""
    cache.mkdir(parents=True, exist_ok=True)
    with CONSOLE.status("Case files and the algorithm's image"):
        made = make_shared(cache.resolve())
    with CONSOLE.status("Six nodes: keys, people, datasets, and an agreement that each signs"):
        make_members(taking_part, made)
        agree(taking_part)
    _write_network(folder, taking_part)
    processes.start(taking_part, folder)
    with CONSOLE.status("Starting web and worker of each node"):
        processes.wait_until_up(taking_part)
    by_key = {member.key: member for member in taking_part}
    _local_story(folder, by_key[LOCAL])
    _combined_story(folder, by_key[HOME], taking_part)
    _hidden_story(folder, by_key[HOME], taking_part)
    line = story.ask_refused_study(by_key[HOME], by_key[REFUSING])
    CONSOLE.print(f'[6] {by_key[REFUSING].name}, asked by citizenship, refuses by policy: "{line.sentence}"')
    for member in taking_part:
        report = verify_ledger(open_node(member.directory).desk)
        CONSOLE.print(f"    {member.name}: {report.lines} ledger lines. {report_words(report)[-1]}")


def _local_story(folder: Path, member: Member) -> None:
    """A study of one organisation."""
    CONSOLE.print(f"[1] {member.name}: a researcher asks for its registrations by region and year.")
    study = story.ask_local_study(member)
    story.approve_all(member, study)
    told = story.wait_for_result(member, study)
    (folder / "local.csv").write_bytes(render(told.releases[0], "csv"))
    CONSOLE.print(f"    Two people signed, the container visited, a safe table left: {folder / 'local.csv'}")


def _combined_story(folder: Path, home: Member, taking_part: list[Member]) -> None:
    """A study over all six, combined by three of them."""
    CONSOLE.print(f"[2] {home.name}: a researcher finds six datasets and asks all of them at once.")
    study = story.ask_combined_study(home, taking_part)
    for member in taking_part:
        signed = story.approve_all(member, study)
        CONSOLE.print(f"    {member.name}: {'two people signed' if signed else 'granted by policy'}.")
    CONSOLE.print("[3] Each node counts, deals sealed shares; three of them add what none of them can read.")
    told = story.wait_for_result(home, study)
    content = render(told.releases[-1], "csv")
    (folder / "result.csv").write_bytes(content)
    CONSOLE.print(f"[4] Released: {folder / 'result.csv'}, and on the page {home.url}/home.")
    click.echo(_first_lines(content.decode()))


def _hidden_story(folder: Path, home: Member, taking_part: list[Member]) -> None:
    """How many victims are on none of the six lists, from an overlap that nobody sees."""
    CONSOLE.print("[5] How many victims does nobody see? Each node makes match keys of its own list; three")
    CONSOLE.print("    compute parties count the overlap in shares and estimate from it. No cell is opened.")
    study = story.ask_hidden_study(home, taking_part)
    for member in taking_part:
        story.approve_all(member, study)
    told = story.wait_for_result(home, study)
    content = render(told.releases[-1], "csv")
    (folder / "hidden.csv").write_bytes(content)
    CONSOLE.print(f"    Released: {folder / 'hidden.csv'}")
    click.echo(content.decode())


def _first_lines(content: str, number: int = 8) -> str:
    """The beginning of a table, and how much more there is."""
    lines = content.splitlines()
    more = [f"... and {len(lines) - number} more lines"] if len(lines) > number else []
    return "\n".join([*lines[:number], *more])


def _write_network(folder: Path, taking_part: list[Member]) -> None:
    """Addresses and log-ins of this run, for people and for outside checks; readable by this user only."""
    told = [
        {
            "organisation": member.name,
            "url": member.url,
            "directory": str(member.directory),
            "roles": {
                role.value: {
                    "user": user,
                    "password": member.passwords[user],
                    "token": member.token_file(user).read_text(encoding="utf-8"),
                }
                for user, (_, role) in PEOPLE.items()
                if member.token_file(user).exists()
            },
        }
        for member in taking_part
    ]
    path = folder / "network.json"
    path.touch(mode=0o600)
    path.write_text(json.dumps(told, indent=1) + "\n", encoding="utf-8")


def _say_how_to_log_in(folder: Path, taking_part: list[Member]) -> None:
    """For who wants to look around."""
    for member in taking_part:
        CONSOLE.print(f"{member.name:24} {member.url}")
    users = ", ".join(f"{user} ({role.value})" for user, (_, role) in PEOPLE.items())
    CONSOLE.print(f"Log in as {users}; the passwords are in {folder / 'network.json'}.")
    CONSOLE.print("End it with: make demo-stop")
