"""The size of a hidden population from a shared overlap table, without opening a cell (P14-P17).

`models` names what was registered beforehand, `decomposable` solves the closed form by comparisons,
`fitting` iterates where there is none, `plain` is the same in clear: the oracle, and what the tests use.
"""
