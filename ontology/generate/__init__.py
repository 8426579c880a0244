"""Makes the generated files of the ontology from its tables: Turtle, shapes, and the index."""

from pathlib import Path

from ontology.generate import index, shapes, site, skos, terms, variables


def write_all(root: Path) -> None:
    """Write every generated file below `root`, which holds `axioms.ttl`, `codes/` and `shapes/`."""
    for part in (skos, variables, terms, shapes, index, site):
        part.write_all(root)
