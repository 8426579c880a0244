"""fairnode algorithm review, reviews, take-review and trust: what people say of an image, here and elsewhere."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import click

from fairnode import errors
from fairnode.algorithms.known import listed
from fairnode.approvals import algorithm_reviews as reviewing
from fairnode.cli.building import build_folder
from fairnode.cli.options import Me, signer, who, with_node, with_token
from fairnode.cli.output import Output, with_output
from fairnode.node import Node
from fairnode.records.algorithm_review import AlgorithmReview
from fairnode.records.rows import Algorithm

READABLE = click.Path(exists=True, dir_okay=False, path_type=Path)


@click.command("review", epilog="Example: fairnode algorithm review routes --approve --token-file my.token")
@click.argument("name")
@click.option("--approve/--refuse", "approves", required=True, help="What you think of it.")
@click.option("--note", default="", help="What you looked at, or what must change.")
@click.option(
    "--source",
    type=click.Path(exists=True, file_okay=False, path_type=Path),
    help="The folder with its source: make the image from it here, and sign that it is the same.",
)
@with_node
@with_token
@with_output
def review(node: Node, output: Output, name: str, me: Me, approves: bool, **told: Any) -> None:
    """Sign a review of an algorithm: of this very image and manifest, and of no other version."""
    opinion, source = reviewing.APPROVED if approves else reviewing.REFUSED, told["source"]
    person, algorithm = signer(node, me), _algorithm(node, name)
    reproduced = build_folder(source)["identity"] if source else ""
    kept = reviewing.review(node, person, algorithm, opinion, told["note"], reproduced)
    also = ", and was made from its source here" if kept.reproduced else ""
    output.say(
        f"Reviewed: {kept.image} is '{kept.opinion}'{also}.",
        {"id": kept.id, "image": kept.image, "reproduced": kept.reproduced},
    )


@click.command("reviews", epilog="Example: fairnode algorithm reviews routes --out reviews")
@click.argument("name")
@click.option(
    "--out", type=click.Path(path_type=Path), help="Also write each valid review there, for others."
)
@with_node
@with_output
def reviews(node: Node, output: Output, name: str, out: Path | None) -> None:
    """List what was said of an algorithm, by people of this node and of nodes that are trusted here."""
    standing = reviewing.standing(node, _algorithm(node, name))
    rows = [
        [r.opinion, r.organisation, "yes" if r.reproduced else "", r.created, r.note] for r in standing.valid
    ]
    rows += [["void: another version", r.organisation, "", r.created, r.note] for r in standing.void]
    if out is not None:
        _write(out, standing.valid)
    output.table(f"Reviews of {name}", ["opinion", "organisation", "made from source", "at", "note"], rows)


@click.command("take-review", epilog="Example: fairnode algorithm take-review a.review --token-file my.token")
@click.argument("file", type=READABLE)
@with_node
@with_token
@with_output
def take_review(node: Node, output: Output, file: Path, me: Me) -> None:
    """Take in a review that was written at another node; it counts if that node is trusted here."""
    kept = reviewing.take_in(node, who(node, me), file.read_bytes())
    output.say(f"Taken in: {kept.image} is '{kept.opinion}' at {kept.organisation}.", {"id": kept.id})


@click.command(
    "trust", epilog="Example: fairnode algorithm trust 3f... --name 'Shelter' --token-file my.token"
)
@click.argument("key")
@click.option("--name", required=True, help="Whose node it is.")
@with_node
@with_token
@with_output
def trust(node: Node, output: Output, key: str, me: Me, name: str) -> None:
    """Let the reviews of another node count here, by its public key."""
    kept = reviewing.trust(node, who(node, me), key, name)
    output.say(f"Reviews of {kept.name} count here.", {"key": kept.id, "name": kept.name})


@click.command("distrust", epilog="Example: fairnode algorithm distrust 3f... --token-file my.token")
@click.argument("key")
@with_node
@with_token
@with_output
def distrust(node: Node, output: Output, key: str, me: Me) -> None:
    """Let the reviews of another node count here no longer; approvals that rest on them are void."""
    gone = reviewing.distrust(node, who(node, me), key)
    output.say(f"Reviews of {gone.name} do not count here any more.", {"key": gone.id, "name": gone.name})


@click.command("trusted", epilog="Example: fairnode algorithm trusted")
@with_node
@with_output
def trusted(node: Node, output: Output) -> None:
    """List the nodes whose reviews count here, beside this one."""
    rows = [[row.name, row.id, row.created] for row in reviewing.trusted(node)]
    output.table("Nodes whose reviews count here", ["name", "key", "since"], rows)


def _algorithm(node: Node, name: str) -> Algorithm:
    """The newest algorithm of that name or identity."""
    for algorithm in listed(node):
        if name in (algorithm.name, algorithm.image, algorithm.id):
            return algorithm
    raise errors.NotFound(f"No algorithm '{name}' is known here.", to_do="fairnode algorithm list")


def _write(folder: Path, found: tuple[AlgorithmReview, ...]) -> None:
    """One file a review."""
    folder.mkdir(parents=True, exist_ok=True)
    for number, row in enumerate(found, 1):
        (folder / f"{number}.review").write_bytes(row.envelope)
