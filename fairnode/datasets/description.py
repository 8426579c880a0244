"""Everything that is read from a dataset's record at once: bindings, unit, years, policy and profile."""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache
from typing import Any

from rdflib import Graph, URIRef

from fairnode.datasets.bindings import read_dataset
from fairnode.metadata.profiled import read_profile
from fairnode.policy import Policy
from fairnode.policy.odrl import read_policy
from fairnode.policy.terms import PolicyTerms, read_terms
from fairnode.records.dataset import Dataset, to_json
from fairnode.records.profile import Profile


@dataclass(frozen=True)
class Description:
    """What a dataset's record says, as far as visits depend on it."""

    dataset: Dataset
    policy: Policy | None
    terms: PolicyTerms
    profile: Profile | None = None

    @property
    def regime(self) -> str:
        """The IRI of the legal regime that the data are under."""
        return self.dataset.regime

    @property
    def modifiers(self) -> frozenset[str]:
        """The conditions that the policy sets for every use, without their namespace."""
        return self.terms.modifiers

    @property
    def variables(self) -> frozenset[str]:
        """The variables that its columns carry."""
        return frozenset(binding.variable for binding in self.dataset.bindings)

    @property
    def consent_required(self) -> bool:
        """Whether only rows of persons who consented may be used."""
        return "ConsentRequired" in self.modifiers

    def binding_facts(self) -> dict[str, Any]:
        """The bindings as JSON, for the hash in an approval."""
        return {"unit": self.dataset.unit, "bindings": to_json(self.dataset)["bindings"]}


@lru_cache(maxsize=256)
def describe(record: bytes, iri: str) -> Description:
    """The description in a dataset's record (Turtle as received).

    Raises `NotValid` with findings for bindings or a policy that cannot be used.
    """
    turtle = record.decode()
    dataset = read_dataset(turtle, iri=iri)
    graph = Graph().parse(data=turtle, format="turtle", publicID=iri)
    me = URIRef(iri)
    return Description(dataset, read_policy(graph, me), read_terms(graph, me), read_profile(graph, iri))
