"""fairnode algorithm: begin, check, build, try, submit, list and review algorithms."""

from __future__ import annotations

import platform
import shutil
from dataclasses import asdict
from pathlib import Path
from typing import Any

import click

from fairnode import errors
from fairnode.algorithms.adopt import Asked, draft
from fairnode.algorithms.archive import read_archive
from fairnode.algorithms.fetching import submit_fetched
from fairnode.algorithms.fitting import fit
from fairnode.algorithms.identity import ARCHITECTURES
from fairnode.algorithms.known import listed, manifest, packages, submit
from fairnode.algorithms.manifest import read_manifest
from fairnode.algorithms.template import left_as_drafted
from fairnode.cli import trying, vouching
from fairnode.cli.building import build_folder
from fairnode.cli.options import Me, who, with_node, with_token
from fairnode.cli.output import Output, with_output
from fairnode.node import Node
from fairnode.records.algorithm import Manifest

READABLE = click.Path(exists=True, dir_okay=False, path_type=Path)
FOLDER = click.Path(exists=True, file_okay=False, path_type=Path)


@click.group()
def command() -> None:
    """Algorithms: images known by the digest of their content."""


command.add_command(trying.new)
command.add_command(trying.try_algorithm)
for each in (
    vouching.review,
    vouching.reviews,
    vouching.take_review,
    vouching.trust,
    vouching.distrust,
    vouching.trusted,
):
    command.add_command(each)


@command.command("list", epilog="Example: fairnode algorithm list")
@click.option("--dataset", default="", help="Only those that can visit this dataset (its IRI).")
@with_node
@with_output
def list_algorithms(node: Node, output: Output, dataset: str) -> None:
    """List the algorithms that were submitted here."""
    chosen = [row for row, lacks in fit(node, dataset).algorithms if not lacks] if dataset else listed(node)
    rows = [[a.name, a.version, a.title, a.state, a.image] for a in chosen]
    output.table("Algorithms", ["name", "version", "title", "state", "identity"], rows)


@command.command("show", epilog="Example: fairnode algorithm show counts")
@click.argument("name")
@with_node
@with_output
def show(node: Node, output: Output, name: str) -> None:
    """Print the manifest of an algorithm, by name or identity, and the packages found in its image."""
    for algorithm in listed(node):
        if name in (algorithm.name, algorithm.image, algorithm.id):
            found = [asdict(package) for package in packages(node, algorithm)]
            text = algorithm.manifest.decode()
            words = [f"{text}# identity: {algorithm.image}", f"# {manifest(algorithm).description}"]
            words += [f"# {len(found)} packages were found in the image:"] if found else []
            words += [f"#   {p['kind']} {p['name']} {p['version']}" for p in found]
            output.say("\n".join(words), {"identity": algorithm.image, "manifest": text, "packages": found})
            return
    raise errors.NotFound(f"No algorithm '{name}' is known here.", to_do="fairnode algorithm list")


@command.command("check", epilog="Example: fairnode algorithm check algorithms/counts")
@click.argument("folder", type=FOLDER)
@with_output
def check(folder: Path, output: Output) -> None:
    """Check an algorithm's folder: its manifest, and that a Dockerfile and a licence are named."""
    path = folder / "algorithm.toml"
    if not path.exists():
        raise errors.NotFound(f"{folder} holds no algorithm.toml.", to_do="Copy one from algorithms/counts.")
    told = read_manifest(path.read_bytes())
    wanted = () if told.node_program else ("Dockerfile",)
    missing = [name for name in wanted if not (folder / name).exists()]
    if missing:
        findings = tuple(errors.Finding(name, "is missing") for name in missing)
        raise errors.NotValid("The folder is not complete.", findings=findings)
    output.say(
        f"{told.name} {told.version} ({told.licence}): nothing is wrong with its manifest.{_drafted(told)}",
        {"name": told.name, "version": told.version, "licence": told.licence},
    )


@command.command("build", epilog="Example: fairnode algorithm build algorithms/counts --out built")
@click.argument("folder", type=FOLDER)
@click.option("--out", type=click.Path(path_type=Path), help="Also write image.tar and algorithm.toml there.")
@with_output
def build(folder: Path, output: Output, out: Path | None) -> None:
    """Build an algorithm's image on this machine's engine; the same source gives the same identity."""
    facts = build_folder(folder, out)
    output.say(f"Built: {facts['identity']}", facts)


@command.command("adopt", epilog="Example: fairnode algorithm adopt v6.tar --method partial_average --out v6")
@click.argument("archive", type=READABLE)
@click.option("--method", required=True, help="The function that is called.")
@click.option("--argument", "arguments", multiple=True, help="A parameter it gets by name; may be repeated.")
@click.option("--variable", "variables", multiple=True, help="A variable it reads; may be repeated.")
@click.option("--number", "numbers", multiple=True, required=True, help="A number in its answer, by its key.")
@click.option("--out", type=click.Path(path_type=Path), required=True, help="The folder to make.")
@with_output
def adopt(archive: Path, output: Output, out: Path, **told: Any) -> None:
    """Draft the manifest of an image of vantage6, unchanged and as `docker save` wrote it.

    The folder can be tried at once and, when its texts are filled in, be submitted.
    """
    architecture = ARCHITECTURES.get(platform.machine(), platform.machine())
    image = read_archive(archive, architecture)
    text = draft(image, Asked(**told))
    try:
        out.mkdir(parents=True)
    except FileExistsError as error:
        raise errors.Conflict(f"{out} is there already.", to_do="Choose another folder.") from error
    (out / "algorithm.toml").write_bytes(text)
    shutil.copyfile(archive, out / "image.tar")
    packages_found = len(image.packages)
    output.say(
        f"{out} holds the image ({packages_found} packages, {image.identity}) and a draft of its manifest.\n"
        f"Try it: fairnode algorithm try {out} --dataset DATASET --parameters JSON",
        {"folder": str(out), "identity": image.identity, "packages": packages_found},
    )


@command.command("submit", epilog="Example: fairnode algorithm submit algorithm.toml image.tar --user anna")
@click.argument("manifest_file", type=READABLE)
@click.argument("archive", type=READABLE, required=False)
@click.option(
    "--from-registry",
    "reference",
    metavar="HOST/NAME@DIGEST",
    help="Fetch the image there instead of a file.",
)
@with_node
@with_token
@with_output
def submit_algorithm(
    node: Node, output: Output, manifest_file: Path, archive: Path | None, reference: str | None, me: Me
) -> None:
    """Hand in a manifest and an image; the worker gives the image to the engine.

    The image is an archive (`docker save`, OCI), or is fetched from a registry that node.toml names.
    """
    if (archive is None) == (reference is None):
        raise errors.NotValid(
            "An image is either an archive or in a registry.",
            to_do="fairnode algorithm submit algorithm.toml image.tar, or --from-registry HOST/NAME@sha256:...",
        )
    person, told = who(node, me), manifest_file.read_bytes()
    if archive is not None:
        kept = submit(node, person, told, archive)
    else:
        kept = submit_fetched(node, person, told, str(reference))
    words = f"Submitted: {kept.name} {kept.version}, {kept.image}{_drafted(manifest(kept))}"
    output.say(words, {"id": kept.id, "identity": kept.image})


def _drafted(told: Manifest) -> str:
    """What is still to be filled in of a manifest, as a line of its own."""
    entries = left_as_drafted(told)
    return f"\nStill as drafted, and read by all who decide: {', '.join(entries)}." if entries else ""
