"""The documents of a FAIR Data Point (FDP 1.2, DCAT-AP 3), made from the settings and the records.

Every node that a document links to and that is ours is described in it, so that it can be read alone.
"""
