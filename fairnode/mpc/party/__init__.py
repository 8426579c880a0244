"""The compute party: one process, one run. The only package that loads MPyC."""
