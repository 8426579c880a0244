"""fairnode ledger: prove what happened."""

from __future__ import annotations

import json
import sys
from dataclasses import asdict

import click

from fairnode.cli.options import with_node
from fairnode.cli.output import Output, with_output
from fairnode.ledger import Report, verify_ledger
from fairnode.ledger.words import sentence
from fairnode.node import Node
from fairnode.peers.heads import Witnessed, verify_peers
from fairnode.records.rows import Head, LedgerLine, PeerHead


@click.group()
def command() -> None:
    """The append-only log of everything that happened at this node."""


@command.command(epilog="Example: fairnode ledger verify --peers --dir /srv/node")
@click.option("--peers", is_flag=True, help="Also ask each member to prove that its ledger only grew.")
@with_node
@with_output
def verify(node: Node, output: Output, *, peers: bool) -> None:
    """Check every line, head, signature and row; exit code 1 when anything was changed."""
    report = verify_ledger(node.desk)
    asked = verify_peers(node) if peers else []
    words = [*peer_words(asked), *report_words(report)]
    facts = {
        "sound": report.sound,
        "lines": report.lines,
        "rows": report.rows,
        "root": report.root,
        "peerHeads": report.peer_heads,
        "problems": list(report.problems),
        "peers": [asdict(peer) for peer in asked],
    }
    output.say("\n".join(words), facts)
    sys.exit(0 if report.sound and not any(peer.trouble for peer in asked) else 1)


@command.command(epilog="Example: fairnode ledger heads --dir /srv/node")
@with_node
@with_output
def heads(node: Node, output: Output) -> None:
    """Show this node's newest signed head and those that other nodes showed us."""
    with node.store.read() as reader:
        own, peers = reader.last(Head), reader.find(PeerHead, order="node")
    rows = [[node.iri, own.id, own.root, own.at]] if own else []
    rows += [[peer.node, peer.size, peer.root, peer.at] for peer in peers]
    output.table("Heads", ["node", "lines", "root", "at"], rows)


@command.command(epilog="Example: fairnode ledger show --study 3f2a")
@click.option("--study", default="", help="Only lines about the study whose hash begins so.")
@click.option("--last", default=50, show_default=True, help="How many lines at most.")
@with_node
@with_output
def show(node: Node, output: Output, study: str, last: int) -> None:
    """Show the newest lines."""
    with node.store.read() as reader:
        lines = [line for line in reader.find(LedgerLine, order="-id") if line.study.startswith(study)][:last]
    bodies = [json.loads(line.body) for line in reversed(lines)]
    told = [{**body, "what": sentence(body["kind"])} for body in bodies]
    columns = ["number", "at", "kind", "what", "subject", "actor"]
    output.table("Ledger", columns, [[line[column] for column in columns] for line in told])


def peer_words(asked: list[Witnessed]) -> list[str]:
    """What the members answered, a line for each."""
    return [
        f"{p.name}: {p.trouble}"
        if p.trouble
        else f"{p.name}: its {p.now} lines begin with the {p.kept} that it showed before."
        for p in asked
    ]


def report_words(report: Report) -> list[str]:
    """What a check found, in lines for people; the last one is the verdict."""
    return [
        f"{report.lines} lines, {report.rows} rows, {report.peer_heads} heads of other nodes checked.",
        *(f"  {problem}" for problem in report.problems),
        "Nothing was changed." if report.sound else f"{len(report.problems)} problems found.",
    ]
