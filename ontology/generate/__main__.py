"""`python -m ontology.generate`: makes every generated file of the ontology anew."""

from ontology.generate import index, shapes, skos, terms, variables

skos.write_all()
variables.write_all()
terms.write_all()
shapes.write_all()
index.write_all()
