"""Operations on studies and what was released of them."""

from __future__ import annotations

from typing import Any

from flask import request

from fairnode import errors
from fairnode.api.call import Answer, Call, page
from fairnode.door.negotiate import choose
from fairnode.records.rows import Follow, Release, Study
from fairnode.release.crate import MEDIA, crate
from fairnode.release.releases import releases_of, render
from fairnode.studies.follow import document, follow, studies_of
from fairnode.studies.send import cancel, check, check_may_send, draft, own_study, send

FORMS = {
    "application/json": "json",
    "text/csv": "csv",
    "text/turtle": "turtle",
    "image/svg+xml": "svg",
    MEDIA: "crate",
}


def list_studies(call: Call) -> Answer:
    """The studies that the asker may see."""
    return page(call, studies_of(call.node, call.person), lambda study: study.id, _summary)


def send_study(call: Call) -> Answer:
    """Send a study."""
    study = send(call.node, call.person, call.body)
    return Answer(_study(study), 201, f"{call.node.iri}/api/v1/studies/{study.id}")


def draft_study(call: Call) -> Answer:
    """A whole document from the core fields."""
    check_may_send(call.person)
    made = draft(call.node, call.person, call.body)
    return Answer({"document": made, "findings": _findings(check(call.node, made))})


def check_study(call: Call) -> Answer:
    """What is wrong with a document."""
    return Answer({"document": call.body, "findings": _findings(check(call.node, call.body))})


def get_study(call: Call) -> Answer:
    """One study."""
    return Answer(_study(visible(call)))


def list_visits(call: Call) -> Answer:
    """The lines of a study."""
    return Answer({"items": [_visit(line) for line in follow(call.node, visible(call).id)]})


def list_releases(call: Call) -> Answer:
    """What was released of a study."""
    study = visible(call)
    return Answer({"items": [_release(call, release) for release in releases_of(call.node, study.id)]})


def get_release(call: Call) -> Answer:
    """One release, in the form that the asker likes best."""
    study = visible(call)
    for release in releases_of(call.node, study.id):
        if release.id == call.values["release"]:
            wanted = choose(request.headers.get("Accept"), tuple(FORMS))
            made = crate(call.node, release) if wanted == MEDIA else render(release, FORMS[wanted])
            return Answer(made, mimetype=wanted)
    raise errors.NotFound("Of this study there is no such release.")


def cancel_study(call: Call) -> Answer:
    """Take a study back."""
    study = visible(call)
    return Answer(_study(cancel(call.node, call.person, study.id, call.body["sentence"])))


def visible(call: Call) -> Study:
    """The study of the path, if the asker may see it. Raises `NotFound` either way."""
    study = own_study(call.node, call.values["id"])
    if study.id not in {seen.id for seen in studies_of(call.node, call.person)}:
        raise errors.NotFound("There is no such study here.")
    return study


def _summary(study: Study) -> dict[str, Any]:
    """A study in a list."""
    return {
        "id": study.id,
        "title": study.title,
        "state": study.state.value,
        "created": study.created,
        "expires": study.expires,
    }


def _study(study: Study) -> dict[str, Any]:
    """A study with its document."""
    return {**_summary(study), "urn": study.urn, "document": document(study)}


def _visit(line: Follow) -> dict[str, Any]:
    """One line of a study."""
    return {
        "dataset": line.dataset,
        "node": line.node,
        "stage": line.stage,
        "state": line.state,
        "sentence": line.sentence,
        "changed": line.changed,
    }


def _release(call: Call, release: Release) -> dict[str, Any]:
    """A release in a list."""
    return {
        "id": release.id,
        "dataset": release.dataset,
        "stage": release.stage,
        "sha256": release.sha256,
        "signature": release.signature,
        "created": release.created,
        "url": f"{call.node.iri}/api/v1/studies/{release.study}/releases/{release.id}",
    }


def _findings(found: tuple[errors.Finding, ...]) -> list[dict[str, str]]:
    """Findings as JSON."""
    return [{"where": finding.where, "what": finding.what} for finding in found]
