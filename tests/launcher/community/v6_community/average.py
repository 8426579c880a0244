"""The average of a column: the sum and number of each node, and the central function that divides them."""

from typing import Any

import pandas as pd
from vantage6.algorithm.client import AlgorithmClient
from vantage6.algorithm.tools import decorators
from vantage6.algorithm.tools.decorators import algorithm_client, data
from vantage6.algorithm.tools.util import info


@algorithm_client
def central_average(client: AlgorithmClient, column_name: str) -> Any:
    """Ask every organisation of the collaboration, and join their answers."""
    ids = [organization.get("id") for organization in client.organization.list()]
    info(f"asking organisations {ids}")
    task = client.task.create(
        input_={"method": "partial_average", "kwargs": {"column_name": column_name}},
        organizations=ids,
        name="subtask",
        description="sum and number",
    )
    results = client.wait_for_results(task_id=task.get("id"))
    return {"average": sum(r["sum"] for r in results) / sum(r["count"] for r in results)}


@data(1)
def partial_average(df: pd.DataFrame, column_name: str) -> Any:
    """The sum and the number of what is there."""
    return {"sum": float(df[column_name].sum()), "count": int(df[column_name].count())}


@algorithm_client
def elsewhere(client: AlgorithmClient, column_name: str) -> Any:
    """Ask an organisation that is not this one."""
    asked = {"method": "partial_average", "kwargs": {"column_name": column_name}}
    return client.wait_for_results(task_id=client.task.create(input_=asked, organizations=[1, 2])["id"])


if hasattr(decorators, "metadata"):  # not in the first versions

    @decorators.metadata
    @data(1)
    def about(df: pd.DataFrame, metadata: Any) -> Any:
        """What the run says of itself."""
        return {"task": metadata.task_id, "rows": len(df)}
