"""Exact overlap of three to six lists: who is on which lists is counted, and nobody learns who.

`shape` is what the study signs, `tables` the input party's side, `matches` and `cells` the compute
parties'. Method: hashing to bins with a cuckoo table against a simple table (Pinkas, Schneider, Zohner,
USENIX Security 2014) and bit-sliced equality on replicated shares; security in `docs/mpc.md`.
"""
