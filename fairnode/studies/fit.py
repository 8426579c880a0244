"""Does this study fit this dataset and this algorithm? The same rule at the home node and at each visited one."""

from __future__ import annotations

import json

import jsonschema

from fairnode import errors
from fairnode.algorithms.manifest import Manifest, read_manifest
from fairnode.datasets.description import Description, describe
from fairnode.records.result import Dimension, OutputContract
from fairnode.records.rows import Algorithm, Dataset
from fairnode.studies.document import StudyPlan

MAX_CELLS = 400
MAX_DIMENSIONS = 3


def check_fits(plan: StudyPlan, dataset: Dataset, algorithm: Algorithm) -> None:
    """Raise `NotValid` with a finding for each thing that the dataset or the algorithm cannot serve."""
    description, manifest = describe(dataset.record, dataset.iri), read_manifest(algorithm.manifest)
    findings = [
        *_parameter_findings(plan, manifest),
        *_variable_findings(plan, description),
        *_input_findings(plan, description, manifest),
        *_stage_findings(plan, manifest),
    ]
    if findings:
        raise errors.NotValid("The study does not fit what it names.", findings=tuple(findings))
    compile_contract(plan, description, manifest)


def _parameter_findings(plan: StudyPlan, manifest: Manifest) -> list[errors.Finding]:
    """The parameters against the algorithm's own schema."""
    checker = jsonschema.Draft202012Validator(manifest.parameters)
    return [
        errors.Finding("/".join(["parameters", *map(str, wrong.absolute_path)]), wrong.message[:300])
        for wrong in checker.iter_errors(plan.document["parameters"])
    ]
