"""Does this study fit this dataset and this algorithm? The same rule at home and at each visited node.

Also what follows from the three together: the view that a visit gets, and the contract for its output.
"""

from __future__ import annotations

from dataclasses import replace

from fairnode import errors, vocabulary
from fairnode.algorithms.contract import asked_dimensions, measure_of, output_contract
from fairnode.algorithms.manifest import check_parameters, read_manifest
from fairnode.datasets.description import Description, describe
from fairnode.datasets.views import check_view, schema
from fairnode.disclosure.models import limited
from fairnode.disclosure.rules import load_rules
from fairnode.linkage import program as linkage
from fairnode.records.algorithm import TABULATE, Manifest, TableKind
from fairnode.records.dataset import Column, View, ViewUnit
from fairnode.records.result import Kind, OutputContract, TableSpec
from fairnode.records.result_json import contract_from_json
from fairnode.records.rows import Algorithm, Dataset
from fairnode.store.database import Reader
from fairnode.studies.combination import (
    OPEN_SYNTHETIC,
    combine_stage,
    is_overlap,
    opens_cells,
    program_name,
    question,
)
from fairnode.studies.container import check_numbers, container_stage
from fairnode.studies.document import StudyPlan
from fairnode.studies.privacy import check_privacy, privacy_of

OPEN_REGIMES = frozenset({"GDPR", "NoPersonalData"})
"""Of data under these, cells of an overlap may be opened where the policy allows it; of no others (P10)."""


def algorithm_of(reader: Reader, plan: StudyPlan) -> Algorithm:
    """The algorithm that a study names, by image, name and version: an image can have several manifests.

    Raises `NotValid` where it is not known here.
    """
    known = reader.find(Algorithm, {"image": plan.identity, "state": "known"}, order="created")
    named = plan.document["algorithm"]
    for algorithm in known:
        if (algorithm.name, algorithm.version) == (named["name"], named["version"]):
            return algorithm
    if not known:
        raise errors.NotValid(
            "The study names an algorithm that this node does not know.",
            findings=(errors.Finding("algorithm/identity", "is not the identity of a known algorithm"),),
            to_do="List the known ones: fairnode algorithm list",
        )
    names = " or ".join(f"{algorithm.name} {algorithm.version}" for algorithm in known)
    raise errors.NotValid(
        "The study's algorithm has another name or version than its image.",
        findings=(errors.Finding("algorithm", f"the image is {names}"),),
    )


def check_fits(plan: StudyPlan, dataset: Dataset, algorithm: Algorithm) -> None:
    """Raise `NotValid` with a finding for each thing that the dataset or the algorithm cannot serve."""
    if not dataset.source:
        raise errors.NotValid("This dataset is published for its metadata alone; nothing can visit it.")
    description, manifest = describe(dataset.record, dataset.iri), read_manifest(algorithm.manifest)
    findings = [*_parameter_findings(plan, manifest), *_stage_findings(plan, manifest)]
    if findings:
        raise errors.NotValid("The study does not fit the algorithm.", findings=tuple(findings))
    view = compile_view(plan, description, manifest)
    contract = compile_contract(plan, description, manifest)
    _check_size(contract)
    asked = question(plan)
    if asked is not None:
        asked.check_codes(contract.tables[0])
    stage = container_stage(plan)
    if stage is not None:
        check_numbers(stage, sum(len(list(table.keys())) for table in contract.tables), load_rules())
    check_view(description.dataset, view, identifiers=reads_identifiers(manifest))
    if program_name(plan) == OPEN_SYNTHETIC and not description.dataset.synthetic:
        raise errors.NotValid("The whole overlap table is opened for synthetic data only, and these are not.")
    if opens_cells(plan):
        _check_may_open(description)
    multiple = frozenset(c.name for c in view_columns(plan, description, manifest) if c.multiple)
    for stage in plan.visits:
        terms = privacy_of(plan, stage.name)
        if terms is not None and plan.combines(stage.name):
            raise errors.NotValid("What is combined over nodes gets no noise at one of them.")
        if terms is not None:
            check_privacy(terms, contract, multiple, load_rules())


def _check_may_open(description: Description) -> None:
    """Raise `NotValid` where cells of an overlap with this dataset are not opened (P9): off unless stated."""
    if description.regime.removeprefix(vocabulary.HTPOL) not in OPEN_REGIMES:
        raise errors.NotValid(
            "No cell of an overlap is opened of data under police law or a regime not stated."
        )
    if "OverlapCellsAllowed" not in description.modifiers:
        raise errors.NotValid("The dataset's policy does not allow cells of an overlap to be opened.")


def reads_identifiers(manifest: Manifest) -> bool:
    """Whether the view may hold what identifies a person: for programs of the node itself, never an image."""
    return manifest.node_program == linkage.NAME and not manifest.entrypoint


def _parameter_findings(plan: StudyPlan, manifest: Manifest) -> list[errors.Finding]:
    """The parameters against the algorithm's own schema, and against the study's dimensions."""
    try:
        check_parameters(manifest, plan.document["parameters"])
    except errors.NotValid as error:
        return [errors.Finding(f"parameters/{f.where}", f.what) for f in error.findings]
    told = plan.document["parameters"].get("dimensions", list(plan.dimensions))
    if told != list(plan.dimensions):
        return [errors.Finding("dimensions", "are not the same as those in the parameters")]
    return []


def _stage_findings(plan: StudyPlan, manifest: Manifest) -> list[errors.Finding]:
    """The stages that the algorithm fits, and the programs that its manifest names."""
    fits = {stage.value for stage in manifest.stages}
    findings = [
        errors.Finding(f"stages/{stage.name}", f"the algorithm does not fit a stage of kind {stage.kind}")
        for stage in plan.stages
        if stage.kind not in fits
    ]
    findings += [
        errors.Finding(f"stages/{stage.name}", f"the algorithm's manifest does not name '{stage.program}'")
        for stage in plan.stages
        if stage.program and stage.program not in manifest.programs
    ]
    if manifest.node_program == linkage.NAME and not is_overlap(plan):
        findings.append(errors.Finding("stages", "end nowhere: keys serve an overlap, and nothing else"))
    if manifest.node_program == TABULATE and combine_stage(plan) is None:
        findings.append(
            errors.Finding("stages", "end nowhere: what the node counts here serves a combination")
        )
    return [*findings, *_class_b_findings(plan, manifest), *_combine_findings(plan, manifest)]


def _combine_findings(plan: StudyPlan, manifest: Manifest) -> list[errors.Finding]:
    """What is opened over several nodes are disjoint cells of one table (P5): nothing can be taken off another."""
    if not any(stage.kind == "combine" for stage in plan.stages):
        return []
    findings = []
    if len(manifest.outputs) > 1 and container_stage(plan) is None:
        what = f"puts out {len(manifest.outputs)} tables; one table is combined at a time"
        findings.append(errors.Finding("algorithm", what))
    known = vocabulary.variables()
    findings += [
        errors.Finding(f"dimensions/{name}", "a record can have several of its codes; such cells overlap")
        for name in plan.dimensions
        if name in known and known[name].multiple
    ]
    return findings


def _class_b_findings(plan: StudyPlan, manifest: Manifest) -> list[errors.Finding]:
    """Tables that no node can recount stand alone, and never enter shares (P1)."""
    other = [table.kind is TableKind.OTHER for table in manifest.outputs]
    if not any(other) and container_stage(plan) is not None:
        what = "puts out tables that nodes recount; those are combined by 'sum', without noise"
        return [errors.Finding("stages", what)]
    if not any(other):
        return []
    findings = []
    if not all(other):
        what = "puts out tables that nodes recount together with others; make two algorithms of it"
        findings.append(errors.Finding("algorithm", what))
    if any(stage.kind != "visit" for stage in plan.stages) and container_stage(plan) is None:
        what = "puts out tables that nodes cannot recount; such are never combined by this program"
        findings.append(errors.Finding("stages", what))
    return findings


def _check_size(contract: OutputContract) -> None:
    """Raise `NotValid` for tables larger than the gate takes."""
    rules = load_rules()
    findings = []
    for table in contract.tables:
        cells = len(list(table.keys()))
        if cells > rules.count("size.cells") or len(table.dimensions) > rules.count("size.dimensions"):
            most = f"{rules.count('size.cells')} cells in {rules.count('size.dimensions')} dimensions"
            findings.append(
                errors.Finding("dimensions", f"make a table of {cells} cells; the gate takes {most} at most")
            )
    numbers = sum(len(list(t.keys())) for t in contract.tables if t.kind is Kind.OTHER)
    if limited([0.0] * numbers, rules) is None:
        what = f"make {numbers} numbers that nobody recounts. {rules.explain('class-b')}"
        findings.append(errors.Finding("dimensions", what))
    if findings:
        raise errors.NotValid(
            "The table is too large.",
            findings=tuple(findings),
            to_do="Ask for fewer dimensions, or for coarser variables such as ageBroad.",
        )


def view_unit(plan: StudyPlan, manifest: Manifest) -> ViewUnit:
    """What one row of the view is: persons where the study asks for them, else registrations."""
    units = {table.unit for table in manifest.outputs}
    wanted = plan.document["parameters"].get("unit", "registration")
    return "person" if "person" in units or wanted == "person" else "registration"


def compile_view(plan: StudyPlan, description: Description, manifest: Manifest) -> View:
    """The view that a visit of this study gets: only the variables asked for, only the rows allowed."""
    needed = [name for need in manifest.inputs for name in need.required]
    optional = [
        name
        for need in manifest.inputs
        for name in need.optional
        if name in description.variables and (name in plan.variables or reads_identifiers(manifest))
    ]
    given = plan.document["parameters"]
    measures = [name for table in manifest.outputs if (name := measure_of(table, given))]
    asked = [table for table in manifest.outputs if table.dimensions_parameter]
    measures += [name for table in asked for name in asked_dimensions(table, given)]
    numerators = [table.numerator.variable for table in manifest.outputs if table.numerator]
    fixed = [d for table in manifest.outputs for d in table.dimensions if d not in dict(table.own_codes)]
    names = (*plan.variables, *fixed, *needed, *optional, *measures, *numerators)
    return View(
        variables=tuple(dict.fromkeys(names)),
        filter=tuple(sorted(plan.filter.items())),
        unit=view_unit(plan, manifest),
        consent_required=description.consent_required,
    )


def view_columns(plan: StudyPlan, description: Description, manifest: Manifest) -> tuple[Column, ...]:
    """The columns of that view, with their closed code lists. Raises `NotValid`."""
    view = compile_view(plan, description, manifest)
    check_view(description.dataset, view, identifiers=reads_identifiers(manifest))
    return schema(description.dataset, view)


def compile_contract(plan: StudyPlan, description: Description, manifest: Manifest) -> OutputContract:
    """The tables that a visit of this study puts out, complete over closed code lists. Raises `NotValid`."""
    columns = view_columns(plan, description, manifest)
    codes = {column.name: column.codes for column in columns}
    unit = view_unit(plan, manifest)
    bare = contract_from_json(output_contract(manifest, plan.document["parameters"], codes, unit))
    several = {column.name for column in columns if column.multiple}
    return OutputContract(tuple(_marked(table, several) for table in bare.tables))


def _marked(table: TableSpec, several: set[str]) -> TableSpec:
    """The table with what the gate must know of its variables. A study names none that the ontology lacks."""
    known = vocabulary.variables()
    dimensions = tuple(
        replace(
            axis,
            sensitive=axis.variable in known and known[axis.variable].sensitive,
            multiple=axis.variable in several,
        )
        for axis in table.dimensions
    )
    return replace(table, dimensions=dimensions)
