"""Child job: a release as an RO-Crate (https://w3id.org/ro/crate), a zip with everything to cite it.

Job: {"path": zip to write, "title", "description", "issued", "licence": IRI or null, "publisher": {"id", "name"},
      "study": {"id", "title"}, "visit": {"id", "ended"},
      "algorithm": {"id", "name", "version", "identity", and if known "method", "licence"},
      "datasets": [{"id", "title"}], "rules": hash, "files": [{"name", "text", "media", "about"}],
      if known "facts": [[term, text]] of how it was made, "signature" of the node,
      "parts": [{"dataset", "publisher", "facts", "signature"}] of a combination, one an organisation}
Result: {"sha256": of the zip}

It follows the Process Run Crate profile: the visit is a CreateAction of the algorithm on the datasets,
with the files as its result. Only what is given goes in; the crate is made from gated tables.
"""

from __future__ import annotations

import hashlib
import io
import zipfile
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

from rocrate.model.contextentity import ContextEntity
from rocrate.rocrate import ROCrate

from fairnode.jobs.process import main

PROFILE = "https://w3id.org/ro/wfrun/process/0.5"
VOCABULARY = "https://w3id.org/fairnode/node#"
_EPOCH = (1980, 1, 1, 0, 0, 0)


def run(job: dict[str, Any]) -> dict[str, Any]:
    """Write the crate; the same job makes the same bytes."""
    crate = ROCrate()
    crate.name = job["title"]
    crate.description = job["description"]
    crate.datePublished = job["issued"]
    if job["licence"]:
        crate.license = job["licence"]
    crate.publisher = _entity(crate, job["publisher"], "Organization", name="name")
    crate.root_dataset.append_to("conformsTo", _entity(crate, {"id": PROFILE}, "CreativeWork"))
    files = [_file(crate, told) for told in job["files"]]
    crate.root_dataset.append_to("mentions", _visit(crate, job, files))
    path = Path(job["path"])
    with TemporaryDirectory(dir=path.parent) as folder:
        crate.write(folder)
        path.write_bytes(_zipped(Path(folder)))
    return {"sha256": hashlib.sha256(path.read_bytes()).hexdigest()}


def _file(crate: ROCrate, told: dict[str, str]) -> Any:
    """A file of the crate with its media type, what it is about, and its hash."""
    raw = told["text"].encode("utf-8")
    properties = {
        "name": told["about"],
        "encodingFormat": told["media"],
        "contentSize": str(len(raw)),
        "sha256": hashlib.sha256(raw).hexdigest(),
    }
    return crate.add_file(io.StringIO(told["text"]), dest_path=told["name"], properties=properties)


def _visit(crate: ROCrate, job: dict[str, Any], files: list[Any]) -> ContextEntity:
    """What made the files: the algorithm, on the datasets, for the study, under the rules."""
    algorithm = _entity(
        crate, job["algorithm"], "SoftwareApplication", name="name", softwareVersion="version"
    )
    algorithm["identifier"] = job["algorithm"]["identity"]
    for known, name in (("method", "description"), ("licence", "license")):
        if job["algorithm"].get(known):
            algorithm[name] = job["algorithm"][known]
    study = _entity(crate, job["study"], "CreativeWork", name="title")
    visit = _entity(crate, job["visit"], "CreateAction", endTime="ended")
    visit["name"] = job["title"]
    visit["instrument"] = algorithm
    visit["agent"] = crate.publisher
    visit["object"] = [_dataset(crate, told) for told in job["datasets"]]
    visit["result"] = files
    visit["isBasedOn"] = study
    visit["description"] = f"Checked by the disclosure rules sha256:{job['rules']}."
    visit["additionalProperty"] = _facts(crate, job, "made")
    for place, told in enumerate(job.get("parts", ())):
        crate.root_dataset.append_to("mentions", _part(crate, job, told, place))
    if job.get("signature"):
        crate.root_dataset["identifier"] = f"ed25519:{job['signature']}"
    return visit


def _dataset(crate: ROCrate, told: dict[str, str]) -> ContextEntity:
    """What was visited: it is no part of the crate, and what is typed `Dataset` would have to be."""
    told = {**told, "kind": "http://www.w3.org/ns/dcat#Dataset"}
    return _entity(crate, told, "CreativeWork", name="title", additionalType="kind")


def _part(crate: ROCrate, job: dict[str, Any], told: dict[str, Any], place: int) -> ContextEntity:
    """What one organisation did for a combination, as its node signed it: it read its dataset, and dealt."""
    part = _entity(crate, {"id": f"#part-{place}"}, "CreateAction")
    part["name"] = f"The part of {told['publisher']} in: {job['title']}"
    owner = {"id": told["publisher"], "name": told["publisher"]}
    part["agent"] = crate.get(told["publisher"]) or _entity(crate, owner, "Organization", name="name")
    part["object"] = crate.get(told["dataset"])
    part["additionalProperty"] = _facts(crate, told, f"part-{place}")
    part["identifier"] = f"ed25519:{told['signature']}"
    return part


def _facts(crate: ROCrate, told: dict[str, Any], name: str) -> list[ContextEntity]:
    """What is known of how it was made: the version of what made it, a commitment to the input, an approval."""
    return [
        _entity(
            crate,
            {"id": f"#{name}-{place}", "name": term, "value": text, "term": f"{VOCABULARY}{term}"},
            "PropertyValue",
            name="name",
            value="value",
            propertyID="term",
        )
        for place, (term, text) in enumerate(told.get("facts", ()))
    ]


def _entity(crate: ROCrate, told: dict[str, str], kind: str, **properties: str) -> ContextEntity:
    """A thing with an IRI that the crate speaks of; `properties` maps schema.org names to keys of `told`."""
    found = {name: told[key] for name, key in properties.items()}
    return crate.add(ContextEntity(crate, told["id"], properties={"@type": kind, **found}))


def _zipped(folder: Path) -> bytes:
    """The folder as a zip without times or order of its own."""
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w", zipfile.ZIP_DEFLATED) as archive:
        for path in sorted(p for p in folder.rglob("*") if p.is_file()):
            name = path.relative_to(folder).as_posix()
            entry = zipfile.ZipInfo(name, date_time=_EPOCH)
            entry.compress_type = zipfile.ZIP_DEFLATED
            archive.writestr(entry, path.read_bytes())
    return out.getvalue()


if __name__ == "__main__":
    main(run)
