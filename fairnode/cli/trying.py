"""fairnode algorithm new and try: from an idea to a run in the node's own sandbox, on synthetic rows."""

from __future__ import annotations

import json
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from typing import Any

import click

from fairnode import errors
from fairnode.algorithms.known import image_name, listed
from fairnode.algorithms.manifest import read_manifest
from fairnode.algorithms.template import LANGUAGES, new_algorithm
from fairnode.cli.building import build_folder
from fairnode.cli.locks import only_one
from fairnode.cli.options import with_node
from fairnode.cli.output import Output, with_output
from fairnode.cli.work import docker_settings
from fairnode.engine_docker import DockerEngine
from fairnode.engine_docker.denied import find_calls
from fairnode.node import Node
from fairnode.records.algorithm import Manifest
from fairnode.trial.network import combine_trials, in_words
from fairnode.trial.network import to_json as network_json
from fairnode.trial.place import known_dataset
from fairnode.trial.question import Question
from fairnode.trial.report import to_json, words
from fairnode.trial.trial import LOG_BYTES, How, Subject, try_out

NOTHING_LEAVES = 7  # the exit code when the gate would let nothing pass


@click.command("new", epilog="Example: fairnode algorithm new routes")
@click.argument("name")
@click.option("--out", type=click.Path(path_type=Path), help="The folder to make; else one called NAME.")
@click.option("--language", type=click.Choice(LANGUAGES), default="python", show_default=True)
@with_output
def new(output: Output, name: str, out: Path | None, language: str) -> None:
    """Begin an algorithm: a folder with a small one that runs at once."""
    folder = out or Path(name)
    new_algorithm(name, folder, language)
    words = f"{folder} counts by any variables. Try it: fairnode algorithm try {folder} --dataset DATASET"
    output.say(words, {"name": name, "folder": str(folder)})


@click.command("try", epilog="Example: fairnode algorithm try routes --dataset victims --dimension region")
@click.argument("algorithm")
@click.option(
    "--dataset",
    "wanted",
    required=True,
    multiple=True,
    help="Id of a dataset here, or IRI of one of the network; three or more are a mock network.",
)
@click.option("--dimension", "dimensions", multiple=True, help="A variable to count by; may be repeated.")
@click.option("--parameters", default="{}", help="Other parameters of the algorithm, as JSON.")
@click.option("--filter", "filters", multiple=True, help="variable=code,code; may be repeated.")
@click.option("--calls", is_flag=True, help="Run it again and again to name the system calls it was denied.")
@with_node
@with_output
def try_algorithm(node: Node, output: Output, algorithm: str, wanted: tuple[str, ...], **told: Any) -> None:
    """Run an algorithm (a folder, or the name of a known one) on the synthetic twin of a dataset, or of several.

    The twin is the one that the dataset's node publishes. The sandbox and the gate are those of a visit; what
    would be hidden or refused is explained. With several datasets the table that they would give together
    follows, by the rule of combined studies. The exit code is 7 when nothing would leave.
    """
    question = Question(
        dimensions=tuple(told["dimensions"]),
        parameters=_parameters(told["parameters"]),
        filter=dict(_filter(line) for line in told["filters"]),
    )
    places = [known_dataset(node, name) for name in wanted]
    how = How(LOG_BYTES, find_calls if told["calls"] else None)
    with _engine(node) as engine:
        subject = _subject(node, engine, algorithm)
        trials = [try_out(node, engine, subject, place, question, how) for place in places]
    together = combine_trials(trials)
    if len(trials) == 1:
        output.say(words(trials[0]), to_json(trials[0]))
    else:
        output.say(in_words(together), network_json(together))
    if not (trials[0].passes if len(trials) == 1 else together.passes):
        sys.exit(NOTHING_LEAVES)


@contextmanager
def _engine(node: Node) -> Iterator[DockerEngine]:
    """The engine under a name of its own, so that a worker does not take trials for visits left behind."""
    settings = replace(
        docker_settings(node),
        node=f"{node.config.name}-trial",
        spool=node.config.spool / "trial-sandbox",
        most_log_bytes=LOG_BYTES,
    )
    with only_one(node, "trial"):
        engine = DockerEngine(settings)
        try:
            for left in engine.list_visits():
                engine.remove(left.visit_id)
            yield engine
        finally:
            engine.close()


def _subject(node: Node, engine: DockerEngine, algorithm: str) -> Subject:
    """The algorithm in a folder (built, if it is not handed in with its image), or a known one."""
    folder = Path(algorithm)
    if folder.is_dir() and (folder / "algorithm.toml").exists():
        manifest = _with_image(read_manifest((folder / "algorithm.toml").read_bytes()))
        if (folder / "image.tar").exists():
            loaded = engine.load_image(folder / "image.tar")
            return Subject(manifest, loaded.identity, loaded.image_id)
        built = build_folder(folder)
        return Subject(manifest, built["identity"], built["image_id"])
    for known in listed(node):
        if known.state == "known" and algorithm in (known.name, known.image, known.id):
            manifest = _with_image(read_manifest(known.manifest))
            return Subject(manifest, known.image, image_name(known.image))
    raise errors.NotFound(
        f"'{algorithm}' is neither a folder with an algorithm.toml nor an algorithm known here.",
        to_do="fairnode algorithm list, or: fairnode algorithm new NAME",
    )


def _with_image(manifest: Manifest) -> Manifest:
    """The manifest. Raises `NotValid` for a program of the node: there is no image to try."""
    if manifest.node_program:
        raise errors.NotValid("A program of the node has no image that could be tried.")
    return manifest


def _parameters(told: str) -> dict[str, Any]:
    """The parameters as JSON says them."""
    try:
        parameters = json.loads(told)
    except ValueError as error:
        raise errors.NotValid("--parameters is not JSON.") from error
    if not isinstance(parameters, dict):
        raise errors.NotValid("--parameters must be a JSON object.")
    return parameters


def _filter(told: str) -> tuple[str, tuple[str, ...]]:
    """variable=code,code as a pair."""
    variable, found, codes = told.partition("=")
    if not found or not codes:
        raise errors.NotValid("--filter has the form variable=code,code")
    return variable, tuple(codes.split(","))
