"""fairnode study: write, check, send, follow, cancel, and fetch what was released."""

from __future__ import annotations

import json
import time
from pathlib import Path
from typing import Any

import click

from fairnode import errors
from fairnode.cli.options import Me, who, with_node, with_token
from fairnode.cli.output import Output, with_output
from fairnode.letters import for_terminal
from fairnode.linkage import program as linkage
from fairnode.node import Node
from fairnode.records.rows import Algorithm, Study
from fairnode.records.states import ended
from fairnode.release.crate import crate
from fairnode.release.releases import ENDINGS, FORMS, releases_of, render
from fairnode.studies import asking
from fairnode.studies.asking import regression_over_nodes
from fairnode.studies.follow import document, follow, studies_of
from fairnode.studies.hidden import hidden_population
from fairnode.studies.send import amend, answer, cancel, check, draft, own_study, send

DOCUMENT = click.Path(exists=True, dir_okay=False, path_type=Path)


@click.group()
def command() -> None:
    """Studies of this home node."""


@command.command(
    epilog="Example: fairnode study new study.json --title 'Victims by region' --algorithm counts "
    "--question 'How many victims were registered, by region and year?' "
    "--dataset https://node.example/dataset/victims --dimension region --dimension year"
)
@click.argument("target", type=click.Path(path_type=Path))
@click.option("--title", required=True)
@click.option("--question", required=True, help="What you want to know, in words that counsel can weigh.")
@click.option(
    "--purpose", default="https://w3id.org/fairnode/policy#TraffickingStatistics", show_default=True
)
@click.option(
    "--legal-basis",
    "legal",
    multiple=True,
    default=["https://w3id.org/dpv/legal/eu/gdpr#A6-1-e"],
    show_default=True,
)
@click.option("--dpia", default="", help="The impact assessment that covers the study: its identifier.")
@click.option("--dpia-version", default="", help="Which version of it.")
@click.option("--algorithm", required=True, help="Name of a known algorithm, or its identity.")
@click.option(
    "--dataset", "datasets", multiple=True, required=True, help="IRI of a dataset; may be repeated."
)
@click.option("--dimension", "dimensions", multiple=True, help="A variable to count by; may be repeated.")
@click.option(
    "--filter", "filters", multiple=True, help="variable=code,code: only such rows; may be repeated."
)
@click.option("--parameters", default="{}", help="Other parameters of the algorithm, as JSON.")
@click.option("--combine", default="", help="Combine the nodes' counts by this program, such as sum.")
@click.option("--clip", default=1.0, show_default=True, help="noisy-sum: greatest length of a node's vector.")
@click.option("--noise", default=40, show_default=True, help="noisy-sum: the noise, in clips; 4 to 1000.")
@click.option("--key", default="names", show_default=True, help="linkage-keys: how a person's key is made.")
@click.option("--bound", default=0, help="linkage-keys: the longest list that may take part, in persons.")
@click.option(
    "--model",
    "models",
    multiple=True,
    help="linkage-keys: a model, lists counted from 1 in the order of --dataset: 'independent', '1-4, 4-5'.",
)
@click.option(
    "--family",
    type=click.Choice(["logistic", "poisson"]),
    default="logistic",
    show_default=True,
    help="combined-regression: logistic for yes or no, poisson for a number.",
)
@click.option("--outcome", default="", help="combined-regression: the variable of the outcome.")
@click.option(
    "--value", "values", multiple=True, help="combined-regression: what a code counts as, as 'sexual=1'."
)
@click.option(
    "--level",
    "levels",
    multiple=True,
    help="combined-regression: a covariate and its codes, the one to compare with first: 'sex=female,male'.",
)
@click.option("--days", default=30, show_default=True, help="After how many days it expires.")
@with_node
@with_token
@with_output
def new(node: Node, output: Output, target: Path, me: Me, **told: Any) -> None:
    """Write a study to a file, to be read, checked and sent."""
    person = who(node, me)
    made = draft(node, person, _wanted(node, told), told["days"])
    with target.open("x", encoding="utf-8") as file:
        file.write(json.dumps(made, indent=1, ensure_ascii=False) + "\n")
    findings = check(node, made)
    words = [f"The study is in {target}.", *(f"  {f.where}: {f.what}" for f in findings)]
    output.say("\n".join(words), {"file": str(target), "findings": [vars(f) for f in findings]})


def _wanted(node: Node, told: dict[str, Any]) -> dict[str, Any]:
    """The parts of the document that the options say."""
    dimensions = list(told["dimensions"])
    noise = {"clip": told["clip"], "noise": told["noise"]} if told["combine"] == asking.NOISY else None
    try:
        parameters = json.loads(told["parameters"])
    except ValueError as error:
        raise errors.NotValid("--parameters is not JSON.") from error
    algorithm = _algorithm(node, told["algorithm"])
    core = {
        "title": told["title"],
        "question": told["question"],
        "purpose": told["purpose"],
        "legalBasis": list(told["legal"]),
        **({"dpia": told["dpia"]} if told["dpia"] else {}),
        **({"dpiaVersion": told["dpia_version"]} if told["dpia_version"] else {}),
        "algorithm": algorithm,
        "datasets": list(told["datasets"]),
    }
    if algorithm["name"] == asking.ALGORITHM:
        filters = [_filter(f) for f in told["filters"]]
        made = regression_over_nodes(told["family"], told["outcome"], told["values"], told["levels"])
        return core | made | {"filter": filters}
    if algorithm["name"] == linkage.NAME:
        filters = [_filter(f) for f in told["filters"]]
        return core | hidden_population(told["key"], told["bound"], told["models"]) | {"filter": filters}
    return core | {
        "dimensions": dimensions,
        "filter": [_filter(f) for f in told["filters"]],
        "parameters": {**({"dimensions": dimensions} if dimensions else {}), **parameters},
        **asking.combined(told["combine"], noise),
    }


def _algorithm(node: Node, wanted: str) -> dict[str, str]:
    """The newest known algorithm of that name, or the one with that identity."""
    with node.store.read() as reader:
        known = reader.find(Algorithm, {"state": "known"}, order="-created")
    for algorithm in known:
        if wanted in (algorithm.name, algorithm.image):
            return {"name": algorithm.name, "version": algorithm.version, "identity": algorithm.image}
    raise errors.NotFound(f"No algorithm '{wanted}' is known here.", to_do="fairnode algorithm list")


def _filter(told: str) -> dict[str, Any]:
    """variable=code,code as the document says it."""
    variable, found, codes = told.partition("=")
    if not found or not codes:
        raise errors.NotValid("--filter has the form variable=code,code")
    return {"variable": variable, "in": codes.split(",")}


def _read(path: Path) -> object:
    """The document in a file."""
    try:
        return json.loads(path.read_text(encoding="utf-8"))
    except (ValueError, UnicodeDecodeError) as error:
        raise errors.NotValid(f"{path.name} is not JSON: {error}") from error


@command.command("check", epilog="Example: fairnode study check study.json")
@click.argument("path", type=DOCUMENT)
@with_node
@with_output
def check_study(node: Node, output: Output, path: Path) -> None:
    """Say what is wrong with a study before it is sent."""
    findings = check(node, _read(path))
    if findings:
        raise errors.NotValid("The study cannot be sent like this.", findings=findings)
    output.say("Nothing is wrong with this study.", {"findings": []})


@command.command("send", epilog="Example: fairnode study send study.json --token-file my.token")
@click.argument("path", type=DOCUMENT)
@with_node
@with_token
@with_output
def send_study(node: Node, output: Output, path: Path, me: Me) -> None:
    """Send a study to every node that holds one of its datasets."""
    study = send(node, who(node, me), _read(path))
    output.say(
        f"Sent. Follow it: fairnode study follow {study.id[:12]}", {"study": study.id, "state": study.state}
    )


@command.command("list", epilog="Example: fairnode study list --token-file my.token")
@with_node
@with_token
@with_output
def list_studies(node: Node, output: Output, me: Me) -> None:
    """List your studies, newest first."""
    rows = [[s.id[:12], s.title, s.state, s.created] for s in studies_of(node, who(node, me))]
    output.table("Studies", ["study", "title", "state", "created"], rows)


@command.command("follow", epilog="Example: fairnode study follow 3f2a91c07e55 --wait 60")
@click.argument("study_id")
@click.option("--wait", default=0.0, help="Wait so many seconds at most until nothing is open any more.")
@with_node
@with_output
def follow_study(node: Node, output: Output, study_id: str, wait: float) -> None:
    """Show one line a visit: where it stands, and what its node says."""
    study, until = own_study(node, study_id), time.monotonic() + wait
    while not ended("study", study.state) and time.monotonic() < until:
        time.sleep(0.2)
        study = own_study(node, study.id)
    rows = [[f.dataset, f.stage, f.state, f.sentence] for f in follow(node, study.id)]
    output.table(f"{study.title}: {study.state}", ["dataset", "stage", "state", "sentence"], rows)


@command.command("cancel", epilog="Example: fairnode study cancel 3f2a91c07e55 --because 'Wrong years.'")
@click.argument("study_id")
@click.option("--because", required=True, help="A sentence for the nodes that it was sent to.")
@with_node
@with_token
@with_output
def cancel_study(node: Node, output: Output, study_id: str, because: str, me: Me) -> None:
    """Take a study back; every visit of it that has not ended stops."""
    study = cancel(node, who(node, me), study_id, because)
    output.say("Cancelled.", {"study": study.id, "state": study.state})


@command.command("answer", epilog="Example: fairnode study answer 3f2a91c07e55 --say 'Only 2012 to 2014.'")
@click.argument("study_id")
@click.option("--say", "sentence", required=True, help="Your answer, for the people who asked.")
@with_node
@with_token
@with_output
def answer_study(node: Node, output: Output, study_id: str, sentence: str, me: Me) -> None:
    """Answer what a node asked back about your study."""
    study = answer(node, who(node, me), study_id, sentence)
    output.say("Answered.", {"study": study.id})


@command.command("amend", epilog="Example: fairnode study amend 3f2a91c07e55 better.json")
@click.argument("study_id")
@click.argument("path", type=DOCUMENT)
@with_node
@with_token
@with_output
def amend_study(node: Node, output: Output, study_id: str, path: Path, me: Me) -> None:
    """Replace a study by another: it gets a new hash and needs new approvals."""
    study = amend(node, who(node, me), study_id, _read(path))
    output.say(f"Sent as {study.id[:12]}.", {"study": study.id, "follows": study.follows})


@command.command("show", epilog="Example: fairnode study show 3f2a91c07e55")
@click.argument("study_id")
@with_node
def show_study(node: Node, study_id: str) -> None:
    """Print the study document as it was sent."""
    click.echo(for_terminal(json.dumps(document(own_study(node, study_id)), indent=1, ensure_ascii=False)))


@command.command("result", epilog="Example: fairnode study result 3f2a91c07e55 --form csv")
@click.argument("study_id")
@click.option("--form", type=click.Choice([*FORMS, "crate"]), default="csv", show_default=True)
@click.option("--out", type=click.Path(path_type=Path), help="A folder for the files, one a release.")
@with_node
def result(node: Node, study_id: str, form: str, out: Path | None) -> None:
    """Print what was released of a study, or write it to files; a crate (a zip) always is a file."""
    study: Study = own_study(node, study_id)
    found = releases_of(node, study.id)
    if not found:
        raise errors.NotFound("Nothing of this study was released (yet).")
    if form == "crate" and out is None:
        raise errors.NotValid("A crate is a zip, and not printed.", to_do="Name a folder: --out FOLDER")
    for release in found:
        content = crate(node, release) if form == "crate" else render(release, form)
        if out is None:
            click.echo(content.decode(), nl=False)
            continue
        out.mkdir(parents=True, exist_ok=True)
        path = out / f"{release.id[:12]}.{ENDINGS.get(form, 'zip')}"
        path.write_bytes(content)
        click.echo(str(path))
