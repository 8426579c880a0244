"""Every program says what goes in and what is opened to whom."""

import pytest

from fairnode.mpc.programs import programs
from fairnode.mpc.programs.statement import parts_of

COMMON = {"k": 11, "lists": "disjoint", "engine": "bits"}
PARAMETERS = {
    "sum": COMMON | {"cells": 5, "base": 5, "earlier": 0, "largest": 100, "dominance": 80},
    "mean-variance": COMMON | {"cells": 2, "largest": 5, "persons": 9, "codes": 0, "dominance": 10},
    "quantile": COMMON | {"grid": [1, 2], "order": 50, "persons": 9},
    "regression": COMMON | {"family": "poisson", "design": [[1, 0], [1, 1]], "largest": 9},
    "overlap-estimate": {"lists": 3, "bound": 9, "models": [[]], "standard_errors": False, "observed": False},
    "noisy-sum": {"cells": 5, "clip": 1.0, "noise": 20, "engine": "mpyc"},
    "overlap-cells": {"lists": 3, "bound": 9, "least": 11, "base": 5},
    "overlap-open-synthetic": {"lists": 3, "bound": 9, "synthetic": True},
}


@pytest.mark.parametrize("name", sorted(programs()))
def test_a_program_states_its_shape_and_what_it_opens(name):
    chosen = programs()[name]
    parts = parts_of(chosen)
    assert {"Shape", "What is opened", "How"} <= {heading for heading, _ in parts}
    assert all(body and "**" not in body for _, body in parts)
    assert chosen.describe(PARAMETERS[name]).endswith(".")
