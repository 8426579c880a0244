"""`python -m ontology.generate`: makes every generated file of the ontology anew."""

from ontology.generate import write_all
from ontology.generate.turtle import ROOT

write_all(ROOT)
