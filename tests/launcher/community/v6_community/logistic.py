"""A logistic regression in rounds: the central function sends coefficients, nodes answer with sums."""

from typing import Any

import numpy as np
import pandas as pd
from vantage6.algorithm.client import AlgorithmClient
from vantage6.algorithm.tools.decorators import algorithm_client, data
from vantage6.algorithm.tools.util import error, info

ROUNDS = 6


@algorithm_client
def logistic(client: AlgorithmClient, feature: str, outcome: str, positive: str) -> Any:
    """Newton's method over all organisations."""
    organizations = [organization["id"] for organization in client.organization.list()]
    beta = [0.0, 0.0]
    for number in range(ROUNDS):
        told = {"feature": feature, "outcome": outcome, "positive": positive, "beta": beta}
        task = client.task.create(
            input_={"method": "logistic_partial", "kwargs": told}, organizations=organizations
        )
        answers = client.wait_for_results(task_id=task["id"])
        if not answers:
            error("no node answered")
            raise RuntimeError("no node answered")
        information = sum(np.array(answer["information"]) for answer in answers)
        gradient = sum(np.array(answer["gradient"]) for answer in answers)
        beta = list(np.array(beta) + np.linalg.solve(information, gradient))
        info(f"round {number}: {beta}")
    return {"beta": {"intercept": beta[0], "slope": beta[1]}}


@data(1)
def logistic_partial(df: pd.DataFrame, feature: str, outcome: str, positive: str, beta: list) -> Any:
    """This node's part of gradient and information."""
    df = df[[feature, outcome]].dropna()
    x = np.column_stack([np.ones(len(df)), df[feature].to_numpy(float) / 10])
    y = (df[outcome] == positive).to_numpy(float)
    p = 1 / (1 + np.exp(-x @ np.array(beta)))
    return {
        "gradient": (x.T @ (y - p)).tolist(),
        "information": (x.T @ (x * (p * (1 - p))[:, None])).tolist(),
    }
