"""The namespaces of the records, as rdflib knows them, and the fixed IRIs that records point to."""

from __future__ import annotations

from rdflib import Namespace, URIRef

from fairnode.vocabulary import PREFIXES

ADMS = Namespace(PREFIXES["adms"])
CSVW = Namespace(PREFIXES["csvw"])
DCAT = Namespace(PREFIXES["dcat"])
DCATAP = Namespace(PREFIXES["dcatap"])
DCT = Namespace(PREFIXES["dct"])
DOC = Namespace("http://www.w3.org/2000/10/swap/pim/doc#")
DPV = Namespace(PREFIXES["dpv"])
EU = Namespace("http://publications.europa.eu/resource/authority/")
FDP = Namespace(PREFIXES["fdp-o"])
FN = Namespace(PREFIXES["fn"])
FOAF = Namespace(PREFIXES["foaf"])
HEALTH = Namespace("http://healthdataportal.eu/ns/health#")
HT = Namespace(PREFIXES["ht"])
HTPOL = Namespace(PREFIXES["htpol"])
LDP = Namespace(PREFIXES["ldp"])
ODRL = Namespace(PREFIXES["odrl"])
PD = Namespace(PREFIXES["pd"])
PROF = Namespace(PREFIXES["prof"])
PROV = Namespace(PREFIXES["prov"])
ROLE = Namespace("http://www.w3.org/ns/dx/prof/role/")
SKOS = Namespace(PREFIXES["skos"])
SPDX = Namespace("http://spdx.org/rdf/terms#")
VCARD = Namespace(PREFIXES["vcard"])

BOUND = {
    **PREFIXES,
    "doc": str(DOC),
    "eu": str(EU),
    "health": str(HEALTH),
    "role": str(ROLE),
    "spdx": str(SPDX),
}

LICENCE = URIRef("https://creativecommons.org/licenses/by/4.0/")
SUBJECT = "human trafficking"
"""The keyword of what all nodes are about; a record that has no keyword of its own is found by it."""
ENGLISH = EU["language/ENG"]
FDP_SPECIFICATION = URIRef("https://specs.fairdatapoint.org/v1.2")
_LICENCES = {
    "CC0": "https://creativecommons.org/publicdomain/zero/1.0/",
    **{
        f"CC_{name}_{version.replace('.', '_')}": f"https://creativecommons.org/licenses/{part}/{version}/"
        for name, part in (("BY", "by"), ("BYSA", "by-sa"), ("BYNC", "by-nc"), ("BYND", "by-nd"))
        for version in ("3.0", "4.0")
    },
}
DATASET_PROFILE = URIRef("https://w3id.org/fairnode/profile/dataset")
WITHDRAWN = EU["dataset-status/WITHDRAWN"]
PUBLIC = EU["access-right/PUBLIC"]


def known_licence(iri: str) -> str:
    """The licence under the address that programs know (SPDX lists it); that of the EU's list is mapped to it."""
    return _LICENCES.get(iri.removeprefix(EU["licence/"]), iri)
