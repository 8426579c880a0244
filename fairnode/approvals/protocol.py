"""The protocol document: in plain words all that an approval binds, for counsel to read, print and file (P18).

It is made from the content that is signed and from nothing else but the study's title and question. Its version
is bound in turn: that of the words below.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from types import MappingProxyType
from typing import Any

from fairnode.metadata.plain import term_label
from fairnode.mpc.limits import limits
from fairnode.vocabulary import HTPOL

VERSION = "1"
NONE = "none is stated"
NO_NAMES: Mapping[str, str] = MappingProxyType({})
Called = Callable[[str], str]
ROLES = {
    "Controller": "computes with its own data",
    "Processor": "processor",
    "JointController": "joint controller",
    "": "NOT AGREED: the shares may not be sent",
}


@dataclass(frozen=True)
class Section:
    """A heading, and lines of a term with what is said of it (one or several sentences)."""

    title: str
    lines: tuple[tuple[str, tuple[str, ...]], ...]


@cache
def document_facts() -> dict[str, str]:
    """Version and hash (SHA-256) of the words of the document."""
    return {"version": VERSION, "sha256": hashlib.sha256(Path(__file__).read_bytes()).hexdigest()}


def protocol_document(
    study: Mapping[str, Any], content: Mapping[str, Any], names: Mapping[str, str] = NO_NAMES
) -> tuple[Section, ...]:
    """The document about what `content` binds, of the study with that title and question.

    `names` are those of organisations and datasets by their IRIs, as far as they are known.
    """

    def called(iri: str) -> str:
        return f"{names[iri]} <{iri}>" if names.get(iri) else iri

    made = [
        _asked(study, content, called),
        _law(content),
        _data(content, called),
        _algorithm(content, called),
        _leaving(content),
        *_exception(content, called),
        *_combined(content, called),
        _keeping(content),
        _versions(content),
    ]
    return tuple(made)


def as_text(sections: Sequence[Section], content_hash: str) -> str:
    """The document as Markdown."""
    lines = ["# Protocol document", "", f"For the content `{content_hash}`.", ""]
    for section in sections:
        lines += [f"## {section.title}", ""]
        for term, said in section.lines:
            lines += [f"- **{term}**: {said[0]}"] if len(said) == 1 else [f"- **{term}**:"]
            lines += [f"  - {sentence}" for sentence in said if len(said) > 1]
        lines.append("")
    return "\n".join(lines)


def _asked(study: Mapping[str, Any], content: Mapping[str, Any], called: Called) -> Section:
    """Who asks what, for what, and who sees the answer."""
    who = content["requester"]
    return Section(
        "Who asks, and what for",
        (
            ("Study", (str(study["title"]), f"named by its hash {content['study']}")),
            ("Question", (str(study["question"]),)),
            ("Requester", (f"{who['name']} ({who['id']}) of {called(who['organisation'])}",)),
            ("Recipients", tuple(map(called, content["recipients"]))),
            ("Purpose", (term_label(content["purpose"]),)),
        ),
    )


def _law(content: Mapping[str, Any]) -> Section:
    """Regime, legal basis on either side, impact assessments."""
    law = content["law"]
    assessed = law["dpiaOfStudy"]
    return Section(
        "The law",
        (
            ("Legal regime of the data", (term_label(law["regime"]),)),
            ("Legal basis claimed by the requester", _bases(law["basisOfRequester"])),
            ("Legal basis of this organisation", _bases(law["basisOfOrganisation"])),
            ("Impact assessment of this organisation", _assessments(law["dpiaOfOrganisation"])),
            ("Impact assessment of the study", _assessments([assessed] if assessed["id"] else [])),
        ),
    )


def _bases(told: Mapping[str, Sequence[str]]) -> tuple[str, ...]:
    """Legal bases, with the regime that each is of."""
    return tuple(
        f"{term_label(basis)} ({_regime(regime)})"
        for regime, bases in sorted(told.items())
        for basis in bases
    ) or (NONE,)


def _regime(regime: str) -> str:
    """The regime of a legal basis in words."""
    return term_label(regime) if regime else "of a regime that the ontology does not know"


def _assessments(told: Sequence[Mapping[str, str]]) -> tuple[str, ...]:
    """Impact assessments with their versions."""
    return tuple(
        f"{each['id']}, version {each['version']}" if each["version"] else f"{each['id']}, version not stated"
        for each in told
    ) or (NONE,)


def _data(content: Mapping[str, Any], called: Called) -> Section:
    """Which records the visit sees, and under which conditions."""
    view, dataset = content["view"], content["dataset"]
    rows = tuple(f"only where {term_label(name)} is {', '.join(codes)}" for name, codes in view["filter"])
    conditions = tuple(term_label(f"{HTPOL}{name}") for name in dataset["policy"]["terms"]["modifiers"])
    return Section(
        "The data",
        (
            ("Dataset", (called(dataset["iri"]),)),
            ("Variables", (", ".join(term_label(f"{_HT}{name}") for name in view["variables"]),)),
            ("Rows", rows or ("all",)),
            ("One row is", (f"one {view['unit']}",)),
            ("Conditions of the policy", conditions or (NONE,)),
        ),
    )


_HT = "https://w3id.org/fairnode/ontology#"


def _algorithm(content: Mapping[str, Any], called: Called) -> Section:
    """What runs, how often, and whose reviews it rests on."""
    algorithm, reviews = content["algorithm"], content["reviews"]
    said = tuple(_review(review, called) for review in reviews["reliedOn"])
    trusted = reviews["trustList"]
    others = trusted["nodes"] - 1
    listed = f"this node and {others} other{'' if others == 1 else 's'}, list {trusted['version'][:16]}"
    runs = "once" if content["maxRuns"] == 1 else f"{content['maxRuns']} times"
    return Section(
        "The algorithm",
        (
            ("Name", (f"{algorithm['name']} {algorithm['version']}",)),
            ("Digest of its image or program", (algorithm["identity"],)),
            ("Parameters", (json.dumps(content["parameters"], ensure_ascii=False),)),
            ("Runs", (f"{runs}, between {content['notBefore']} and {content['notAfter']}",)),
            (
                "Reviews relied on",
                said or ("none: nobody whose reviews count here has reviewed this version",),
            ),
            ("Nodes whose reviews count here", (listed,)),
        ),
    )


def _review(review: Mapping[str, Any], called: Called) -> str:
    """One review in a sentence."""
    made = "; made the image from its source and got the same" if review["reproduced"] else ""
    note = f"; {review['note']}" if review["note"] else ""
    return f"{review['opinion']} by {called(review['organisation'])} on {review['at'][:10]}{made}{note}"


def _leaving(content: Mapping[str, Any]) -> Section:
    """What is opened, to whom, after which rules."""
    tables = tuple(_table(table) for table in content["outputContract"]["tables"])
    rules = content["gateRules"]
    opened = content["openings"] or ["the tables of this visit, by themselves"]
    return Section(
        "What leaves",
        (
            ("Tables", tables or ("none by itself",)),
            (
                "Permitted openings",
                tuple(f"stage {name}" if content["openings"] else name for name in opened),
            ),
            ("Disclosure rules", (f"version {rules['version']}, {rules['sha256'][:16]}",)),
            *((("Noise", (_noise(content["privacy"]),)),) if content["privacy"] else ()),
        ),
    )


def _table(table: Mapping[str, Any]) -> str:
    """A table of the output contract in words."""
    axes = " and ".join(term_label(f"{_HT}{axis['variable']}") for axis in table["dimensions"])
    what = "numbers that no node counts again, about" if table["kind"] == "other" else f"{table['kind']} of"
    return f"{table['id']}: {what} {table['unit']}s" + (f" by {axes}" if axes else "")


def _noise(privacy: Mapping[str, Any]) -> str:
    """Differential privacy of a visit."""
    return f"differential privacy with epsilon {privacy['epsilon'] / 1000}"


def _combined(content: Mapping[str, Any], called: Called) -> list[Section]:
    """Who puts in, who computes in which role, by which program, and what that does not protect against."""
    told = content["combination"]
    if told is None:
        return []
    key = told["key"]
    lines = [
        ("Input parties", tuple(map(called, told["contributors"]))),
        ("Compute parties", tuple(_party(party, called) for party in told["parties"])),
        ("Program", (f"{told['program']}, digest {told['digest']}",)),
        ("What it does", (told["says"],)),
        ("Rounds", (told["rounds"],)),
        ("Match keys", (f"rule {key['rule']}, program {key['program']}",) if key else ("none are made",)),
        *([("Changed persons", (told["changedPersons"],))] if not key else []),
        ("What this does not protect against", limits(len(told["parties"]))),
    ]
    return [Section("Combining with other organisations", tuple(lines))]


def _exception(content: Mapping[str, Any], called: Called) -> list[Section]:
    """That a container's own numbers enter shares (P1's exception), which is said first of all."""
    told = content["containerShares"]
    if told is None:
        return []
    cost, length = told["epsilonThousandths"] / 1000, told["clip"]
    lines = [
        ("What that means", (_MEANS,)),
        ("Allowed by", ("the condition ContainerSharesAllowed of the dataset's policy",)),
        ("Image made from its source by", tuple(map(called, told["reproducedBy"])) or (NONE,)),
        ("Cut", (f"this organisation's numbers to the length {length}, checked inside the computation",)),
        ("Noise", (f"{told['noise']} times that length on every number, drawn inside the computation",)),
        ("Cost", (f"epsilon {cost} at delta {told['delta']} for all that this organisation puts in",)),
    ]
    return [Section("EXCEPTION: numbers that a container computed enter the shares", tuple(lines))]


_MEANS = (
    "No node can count these numbers again. An image that was made for it could write a record where a statistic "
    "should stand; cutting and noise are what protects then."
)


def _party(party: Mapping[str, Any], called: Called) -> str:
    """A compute party with its role for these data."""
    bases = ", ".join(map(term_label, party["legalBasis"]))
    basis = f" on the basis of {bases}" if bases else ""
    under = (
        f" under {term_label(party['regime'])}" if party["role"] in ("Processor", "JointController") else ""
    )
    also = "; also has data of its own" if party["hasData"] else "; has no data of its own"
    where = f"{party['number']}: {called(party['organisation'])} at {party['address']}"
    return f"{where}: {ROLES.get(party['role'], party['role'])}{under}{basis}{also}"


def _keeping(content: Mapping[str, Any]) -> Section:
    """How long things are kept."""
    told = content["keeping"]
    until = f"; at the latest on {told['sharesUntil'][:10]}" if told["sharesUntil"] else ""
    results = [f"{days} days" for days in told["resultDays"]] + [
        f"until {day}" for day in told["resultUntil"]
    ]
    return Section(
        "Keeping and deleting",
        (
            ("The view of the records", (told["view"],)),
            ("Shares at compute parties", (f"{told['shares']}{until}",)),
            ("Results, by the policy", tuple(results) or (NONE,)),
        ),
    )


def _versions(content: Mapping[str, Any]) -> Section:
    """The versions of all that is not spelled out."""
    agreement, document = content["agreement"], content["protocolDocument"]
    agreed = (
        f"{agreement['sha256']}, until {agreement['expires'][:10]}" if agreement else "this node is in none"
    )
    return Section(
        "Versions",
        (
            ("Policy of the dataset", (content["dataset"]["policy"]["version"],)),
            ("Agreement of the network", (agreed,)),
            ("Disclosure rules", (content["gateRules"]["sha256"],)),
            ("Bindings of the columns", (content["dataset"]["bindings"],)),
            ("Query of the view", (content["view"]["query"],)),
            ("Manifest of the algorithm", (content["algorithm"]["manifest"],)),
            ("This document", (f"{document['version']}, {document['sha256']}",)),
        ),
    )
