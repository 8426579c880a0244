"""Is this Turtle a record that this node may publish? Every finding names the field and says what is wrong.

First what SHACL cannot see (whose IRIs, markup in words, addresses of this machine, words of the ontology),
then the shapes of `ontology/shapes`, in a child process with a time limit.
"""

from __future__ import annotations

import ipaddress
import re
from collections.abc import Iterator
from urllib.parse import urlsplit

from rdflib import BNode, Graph, Literal, URIRef

from fairnode import child, errors, vocabulary
from fairnode.errors import Finding
from fairnode.metadata.names import DCAT, DCT, FN, HEALTH, HT, PUBLIC
from fairnode.metadata.rdf import RELATIVE, read_turtle
from fairnode.metadata.record import datasets_in
from fairnode.node import Node
from fairnode.policy.odrl import read_policy

SLUG = r"[a-z0-9][a-z0-9-]{0,63}"
_MARKUP = re.compile(r"<\s*[a-zA-Z!/?][^>]*>|&#?\w+;|javascript:", re.IGNORECASE)
_SCHEMES = frozenset({"http", "https", "mailto", "urn", "tel"})
_LONGEST_TEXT = 20_000
_MOST_FINDINGS = 50
SECONDS = 60.0


def check_record(node: Node, turtle: bytes) -> tuple[str, Graph]:
    """The IRI and the graph of the one dataset that `turtle` describes.

    Raises `NotValid` with a finding for each place that is wrong; nothing is written.
    """
    graph = read_turtle(turtle)
    found = datasets_in(graph)
    if len(found) != 1:
        raise errors.NotValid(f"A record describes one dcat:Dataset, this one has {len(found)}.")
    findings = [*_iri_findings(node, found[0]), *_name_findings(node, graph), *_word_findings(graph)]
    if not findings:
        findings = [
            *_publisher_findings(node, graph, URIRef(str(found[0]))),
            *_binding_findings(graph, URIRef(str(found[0]))),
            *_figure_findings(graph),
            *_policy_findings(graph, URIRef(str(found[0]))),
        ]
    if not findings:
        visitable = (URIRef(str(found[0])), FN.binding, None) in graph
        findings = _shape_findings(node, turtle, str(found[0]), "dataset" if visitable else "description")
    if findings:
        raise errors.NotValid(
            "The record cannot be taken as it is.",
            findings=tuple(findings[:_MOST_FINDINGS]),
            to_do="Correct these places and hand it in again; nothing was written.",
        )
    return str(found[0]), graph


def _iri_findings(node: Node, subject: object) -> Iterator[Finding]:
    """The dataset must be known by an IRI of this node."""
    wanted = f"{node.iri}/dataset/"
    if isinstance(subject, BNode):
        yield Finding("dcat:Dataset", f"has no IRI; give it one that starts with {wanted}")
    elif not re.fullmatch(re.escape(wanted) + SLUG, str(subject)):
        told = "a relative IRI" if str(subject).startswith(RELATIVE) else f"<{subject}>"
        yield Finding("dcat:Dataset", f"is {told}, but must be {wanted} and a short name of a-z, 0-9 and -")


def _name_findings(node: Node, graph: Graph) -> Iterator[Finding]:
    """IRIs that mean something elsewhere too, and no statements about what belongs to others."""
    dataset = next(iter(datasets_in(graph)), None)
    seen: set[URIRef] = set()
    for triple in graph:
        for term in triple:
            if isinstance(term, URIRef) and term not in seen:
                seen.add(term)
                if reason := _bad_iri(node, str(term)):
                    yield Finding(_field(graph, triple[1]), reason)
    mine = (f"{node.iri}/organisation", f"{node.iri}/distribution/", f"{dataset}#")
    for subject in {s for s in graph.subjects() if isinstance(s, URIRef) and s != dataset}:
        if str(subject).startswith(node.iri) and not str(subject).startswith(mine):
            yield Finding(f"<{subject}>", "is described here, but belongs to another record of this node")


def _bad_iri(node: Node, iri: str) -> str:
    """Why an IRI cannot stand in a record; empty when it can."""
    if iri.startswith(RELATIVE):
        return f"holds the relative IRI <{iri.removeprefix(RELATIVE)}>; write it in full"
    if iri == node.iri or iri.startswith((f"{node.iri}/", f"{node.iri}#")):
        return ""
    try:
        parts = urlsplit(iri)
        host = parts.hostname or ""
    except ValueError:
        return "holds an IRI that cannot be read"
    if parts.scheme not in _SCHEMES:
        return f"holds an IRI of the kind '{parts.scheme[:20]}:', which means nothing to others"
    if parts.username or parts.password:
        return "holds an IRI with a username or password in it"
    own_host = urlsplit(
        node.iri
    ).hostname  # what reaches this node reaches its neighbours on the same machine
    if parts.scheme in ("http", "https") and _private(host) and host != own_host:
        return "holds an address that only this machine or its own network can reach"
    return ""


def _private(host: str) -> bool:
    """Whether a host name is of no use, or too telling, for outsiders."""
    if host in ("", "localhost") or host.endswith((".localhost", ".local", ".internal", ".lan")):
        return True
    try:
        return not ipaddress.ip_address(host).is_global
    except ValueError:
        return False


def _word_findings(graph: Graph) -> Iterator[Finding]:
    """Words are plain words: no markup, no control characters, not endless."""
    for _, predicate, value in graph:
        if not isinstance(value, Literal):
            continue
        text, field = str(value), _field(graph, predicate)
        if len(text) > _LONGEST_TEXT:
            yield Finding(field, f"is longer than {_LONGEST_TEXT} characters")
        elif predicate not in (FN.local, FN.column, FN.missing, FN.separator) and _MARKUP.search(text):
            yield Finding(field, "holds markup (HTML); write plain text")
        elif any(ord(c) < 32 and c not in "\n\r\t" for c in text):
            yield Finding(field, "holds control characters")


def _publisher_findings(node: Node, graph: Graph, dataset: URIRef) -> Iterator[Finding]:
    """Nobody publishes here in another's name, and nothing that is not public can be downloaded."""
    allowed = {f"{node.iri}/organisation", node.config.organisation.homepage}
    for publisher in graph.objects(dataset, DCT.publisher):
        if str(publisher) not in allowed:
            yield Finding(
                "dct:publisher", f"is <{publisher}>, but this node publishes for <{node.iri}/organisation>"
            )
    if (dataset, DCT.accessRights, PUBLIC) not in graph and (None, DCAT.downloadURL, None) in graph:
        yield Finding("dcat:downloadURL", "is given for data that are not public; they are visited instead")


def _binding_findings(graph: Graph, dataset: URIRef) -> Iterator[Finding]:
    """Each bound variable is one of the ontology, once; each local code means a concept of its list."""
    bound: set[str] = set()
    for binding in graph.objects(dataset, FN.binding):
        column = str(graph.value(binding, FN.column) or "?")
        name = str(graph.value(binding, FN.variable) or "")
        known = vocabulary.variables().get(name.removeprefix(str(HT)))
        if known is None:
            yield Finding(f"column '{column}'", f"is bound to <{name}>, which the ontology does not have")
            continue
        if known.name in bound:
            yield Finding(f"column '{column}'", f"is a second column for the variable {known.name}")
        bound.add(known.name)
        yield from _code_findings(graph, binding, column, known)


def _code_findings(
    graph: Graph, binding: object, column: str, known: vocabulary.Variable
) -> Iterator[Finding]:
    """The local codes of one binding."""
    allowed = {code.iri for code in known.codes}
    seen: set[str] = set()
    for mapping in graph.objects(binding, FN.code):  # type: ignore[arg-type]
        local = str(graph.value(mapping, FN.local) if (mapping, FN.local, None) in graph else "?")
        meant = str(graph.value(mapping, FN.concept) or "")
        where = f"column '{column}', code '{local}'"
        if not meant:
            yield Finding(where, "has no concept; say what it means, or list it under fn:missing")
        elif meant not in allowed:
            yield Finding(where, f"means <{meant}>, which is not a code of {known.name}")
        if local in seen:
            yield Finding(where, "is given twice")
        seen.add(local)


def _figure_findings(graph: Graph) -> Iterator[Finding]:
    """Published sizes are rounded to 10 (privacy model, P8)."""
    for predicate in (HEALTH.numberOfRecords, HEALTH.numberOfUniqueIndividuals):
        for value in graph.objects(None, predicate):
            if not str(value).isdigit() or int(str(value)) % 10:
                yield Finding(_field(graph, predicate), "must be rounded to 10, as every published size is")


def _policy_findings(graph: Graph, dataset: URIRef) -> list[Finding]:
    """A policy that this node does not understand in full would permit more than was meant."""
    try:
        read_policy(graph, dataset)
    except errors.NotValid as error:
        return list(error.findings)
    return []


def _shape_findings(node: Node, turtle: bytes, iri: str, shape: str) -> list[Finding]:
    """What the SHACL shapes say; a dataset without bindings is described, but cannot be visited."""
    job = {"turtle": turtle.decode(), "shape": shape, "base": iri}
    told = child.run_child("shacl", job, spool=node.config.spool, seconds=SECONDS)
    return [] if told["conforms"] else [Finding(f["where"], f["what"]) for f in told["findings"]]


def _field(graph: Graph, predicate: object) -> str:
    """A predicate in the short form that people write."""
    try:
        return graph.namespace_manager.qname(str(predicate))
    except (ValueError, KeyError):
        return f"<{predicate}>"
