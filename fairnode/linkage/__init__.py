"""Match keys from names, birth date and sex (P1, P11): the node's own code, in clear, inside one list.

`letters` brings names into one alphabet, `keys` makes composite keys of them, `persons` finds the records of
one person inside a list and gives each person one key. Nothing here leaves the node: what is dealt are
fingerprints of these keys under a secret that only the owners of lists have (P12).
"""
