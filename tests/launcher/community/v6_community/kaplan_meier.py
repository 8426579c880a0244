"""The life table of a node, as a frame in JSON; a drawing library would keep its cache below HOME."""

import json
from pathlib import Path

import pandas as pd
from vantage6.algorithm.tools.decorators import data


@data(1)
def km_event_table(
    df: pd.DataFrame, time_column_name: str, censor_column_name: str, unique_event_times: list
):
    """At each time how many are at risk, and how many end there."""
    cache = Path.home() / ".cache" / "matplotlib"
    cache.mkdir(parents=True, exist_ok=True)
    (cache / "fontlist.json").write_text(json.dumps([]))
    times = df[time_column_name].astype(float)
    ended = df[censor_column_name].astype(str).str.lower().isin(["1", "1.0", "true", "yes"])
    table = pd.DataFrame({"time": unique_event_times})
    table["at_risk"] = [int((times >= at).sum()) for at in unique_event_times]
    table["observed"] = [int((ended & (times == at)).sum()) for at in unique_event_times]
    return table.to_json()
