"""What a node tells of its data beside the results of studies: gated profiles, and the synthetic twins.

A profile is a local release of one-way tables (P6): it passes the same rules, is remembered by the same
gate, and bars combined studies over the variables that it tells of. A twin is drawn from the record alone.
"""
