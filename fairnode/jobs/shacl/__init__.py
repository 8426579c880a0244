"""Checks a record against the ontology's shapes and code lists, and says in words what is wrong with it.

The job is `{"turtle": text, "shape": one of SHAPES, "base": IRI}` or, for a document with one of the contexts
that the ontology publishes (studies, agreements, releases), `{"jsonld": text, "shape": ...}`. The answer is
`{"conforms": bool, "findings": [{"where", "what", "where_nl", "nl", "focus", "value"}, ...]}`.

Many records go faster in one job, `{"records": [job, ...]}`, which answers `{"answers": [...]}`. There a
record that cannot be read does not conform, and says so in one finding, instead of ending the job.

SHACL (W3C Recommendation, 20 July 2017) is used without SPARQL; what it cannot say then, such as whether a
concept is in the list of that variable, is checked in `meaning`.
"""

from __future__ import annotations

from dataclasses import asdict
from typing import Any

from fairnode.errors import NotValid
from fairnode.jobs.shacl import form, meaning
from fairnode.jobs.shacl.form import SHAPES
from fairnode.jobs.shacl.reading import LARGEST, MOST_TRIPLES, read_json, read_turtle
from fairnode.jobs.shacl.telling import Told

__all__ = ["LARGEST", "MOST_FINDINGS", "MOST_TRIPLES", "SHAPES", "run"]

MOST_FINDINGS = 100


def run(job: dict[str, Any]) -> dict[str, Any]:
    """Check one record, or many. Raises `NotValid` for one that cannot be read, or a shape there is not."""
    if "records" in job:
        return {"answers": [_one_of_many(record) for record in job["records"]]}
    if job["shape"] not in SHAPES:
        raise NotValid(f"There are no shapes for '{job['shape']}', only for {', '.join(SHAPES)}.")
    graph = read_json(job["jsonld"]) if "jsonld" in job else read_turtle(job["turtle"], job.get("base", ""))
    findings = [*form.check(graph, job["shape"]), *meaning.check(graph)]
    told = list(dict.fromkeys(findings))[:MOST_FINDINGS]
    return {"conforms": not told, "findings": [asdict(finding) for finding in told]}


def _one_of_many(record: dict[str, Any]) -> dict[str, Any]:
    try:
        return run(record)
    except NotValid as refused:
        finding = Told("record", str(refused), "record", "Het record kan niet worden gelezen.")
        return {"conforms": False, "findings": [asdict(finding)]}
