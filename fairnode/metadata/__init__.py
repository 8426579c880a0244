"""The RDF records of this node: checked, stored as received, kept in all versions, and served.

Takes Turtle from a custodian and leaves `Dataset` and `DatasetVersion` rows; makes from them the documents
of a FAIR Data Point. It never reads the data that a record is about, and never shows a draft.
"""
