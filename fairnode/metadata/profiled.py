"""The profile in a dataset's record: a block of Turtle of its own, that only the node writes.

Everything in it stands in IRIs of the dataset (`<iri>#profile...`) written in full, so that it can be put
below any record and taken off again without a change to a byte that a person wrote.
"""

from __future__ import annotations

from collections.abc import Iterator

from rdflib import RDF, Graph, URIRef
from rdflib.term import Node as Term

from fairnode import errors, vocabulary
from fairnode.metadata.names import DCT, FN, HT, SKOS
from fairnode.metadata.rdf import read_turtle
from fairnode.records.profile import Profile, VariableProfile

BEGIN = (
    b"# --- profile: written by `fairnode dataset profile`, after the gate; not to be changed by hand ---\n"
)
END = b"# --- end of the profile ---\n"
_ORDERED = ("year", "month", "ageGroup", "ageGroupNL", "ageGroupCTDC", "ageBroad")
_VOCABULARY = frozenset(
    FN[name]
    for name in (
        *(
            "Profile",
            "VariableProfile",
            "CodeProfile",
            "profile",
            "variableProfile",
            "profileOf",
            "codeProfile",
        ),
        *("shownCount", "missingCount", "missingShare", "rangeFrom", "rangeTo", "records", "counted"),
        *("gateRules", "epsilon"),
    )
)


def split_profile(turtle: bytes) -> tuple[bytes, bytes]:
    """A record without its profile, and the profile's block (empty where there is none)."""
    before, found, after = turtle.partition(BEGIN)
    if not found:
        return turtle, b""
    block, _, rest = after.partition(END)
    return before.rstrip(b"\n") + b"\n" + rest, BEGIN + block + END


def with_profile(turtle: bytes, block: bytes) -> bytes:
    """A record with this block in the place of the one that it has."""
    return split_profile(turtle)[0].rstrip(b"\n") + b"\n\n" + block


def profile_turtle(iri: str, profile: Profile) -> bytes:
    """The block that tells of `profile` in the record of the dataset `iri`."""
    lines = [*_head(iri, profile)]
    for told in profile.variables:
        lines += _variable(iri, profile, told)
    return BEGIN + "".join(f"{line} .\n" for line in lines).encode() + END


def _head(iri: str, profile: Profile) -> Iterator[str]:
    """The statements about the profile as a whole."""
    me = f"<{iri}#profile>"
    yield f"<{iri}> <{FN.profile}> {me}"
    yield f"{me} a <{FN.Profile}>"
    yield f'{me} <{DCT.issued}> "{profile.day}"^^<http://www.w3.org/2001/XMLSchema#date>'
    yield f'{me} <{FN.counted}> "{profile.counted}"'
    yield f"{me} <{FN.records}> {_whole(profile.records)}"
    yield f'{me} <{FN.gateRules}> "{profile.rules}"'
    if profile.epsilon:
        yield f'{me} <{FN.epsilon}> "{profile.epsilon}"^^<http://www.w3.org/2001/XMLSchema#decimal>'


def _variable(iri: str, profile: Profile, told: VariableProfile) -> Iterator[str]:
    """The statements about one variable."""
    me = f"<{iri}#profile-{told.variable}>"
    yield f"<{iri}#profile> <{FN.variableProfile}> {me}"
    yield f"{me} a <{FN.VariableProfile}>"
    yield f"{me} <{FN.profileOf}> <{HT[told.variable]}>"
    share = profile.missing_share(told)
    if told.missing is not None and share is not None:
        yield f"{me} <{FN.missingCount}> {_whole(told.missing)}"
        yield f'{me} <{FN.missingShare}> "{share:.2f}"^^<http://www.w3.org/2001/XMLSchema#decimal>'
    ends = shown_range(told)
    if ends:
        yield f'{me} <{FN.rangeFrom}> "{ends[0]}"'
        yield f'{me} <{FN.rangeTo}> "{ends[1]}"'
    for code, count in told.shown:
        cell = f"<{iri}#profile-{told.variable}-{code}>"
        yield f"{me} <{FN.codeProfile}> {cell}"
        yield f"{cell} a <{FN.CodeProfile}>"
        yield f'{cell} <{SKOS.notation}> "{code}"'
        yield f"{cell} <{FN.shownCount}> {_whole(count)}"


def _whole(number: int) -> str:
    return f'"{number}"^^<http://www.w3.org/2001/XMLSchema#nonNegativeInteger>'


def shown_range(told: VariableProfile) -> tuple[str, str] | None:
    """First and last shown code of a variable whose codes have an order (years, months, age bands)."""
    codes = [code for code, _ in told.shown]
    if told.variable not in _ORDERED or not codes:
        return None
    order = vocabulary.variable(told.variable).notations
    codes.sort(key=lambda code: order.index(code) if code in order else int(code))
    return codes[0], codes[-1]


def read_profile(graph: Graph, iri: str) -> Profile | None:
    """The profile in a record, whoever's it is; None where there is none that can be read."""
    me = graph.value(URIRef(iri), FN.profile)
    if me is None:
        return None
    try:
        variables = tuple(
            _read_variable(graph, node) for node in sorted(graph.objects(me, FN.variableProfile), key=str)
        )
        return Profile(
            counted=str(graph.value(me, FN.counted) or "registration"),
            records=int(str(graph.value(me, FN.records))),
            day=str(graph.value(me, DCT.issued) or ""),
            rules=str(graph.value(me, FN.gateRules) or ""),
            variables=variables,
            epsilon=str(graph.value(me, FN.epsilon) or ""),
        )
    except ValueError:
        return None


def _read_variable(graph: Graph, node: Term) -> VariableProfile:
    """What is told of one variable. Raises `ValueError` for a number that is none."""
    missing = graph.value(node, FN.missingCount)
    cells = [
        (str(graph.value(cell, SKOS.notation)), int(str(graph.value(cell, FN.shownCount))))
        for cell in graph.objects(node, FN.codeProfile)
    ]
    name = str(graph.value(node, FN.profileOf)).removeprefix(str(HT))
    return VariableProfile(name, tuple(sorted(cells)), None if missing is None else int(str(missing)))


def check_profile(graph: Graph, block: bytes, *, kept: bool) -> None:
    """Raise `NotValid` for a record that tells of its data what did not pass the gate.

    `kept` says that this node made the `block`; nothing of a profile may stand outside it.
    """
    told = {triple for triple in graph if _tells(triple)}
    allowed = {triple for triple in read_turtle(block) if _tells(triple)} if kept else set()
    if told != allowed:
        raise errors.NotValid(
            "The record holds a profile of the data that did not pass this node's gate.",
            to_do="Leave it out; `fairnode dataset profile` makes one and puts it in.",
        )


def _tells(triple: tuple[object, ...]) -> bool:
    """Whether a statement is part of a profile."""
    _, predicate, value = triple
    return predicate in _VOCABULARY or (predicate == RDF.type and value in _VOCABULARY)
