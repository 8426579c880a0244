"""The stage that combines: each node's own counts, dealt as shares, added by compute parties that see none.

`announce` is the home node's part, `contribute` that of a node with data, `compute` that of a compute party.
They meet only through messages: receiver-key, ready, combine, share, output, combined.
"""
