"""What the tools of vantage6 do, by hand: variables in base32, a JSON file in and one out, a server to ask."""

import base64
import csv
import json
import os
import urllib.request
from pathlib import Path


def told(name: str) -> str:
    return base64.b32decode(os.environ[name].replace("!", "=")).decode()


def asked(path: str, body: dict | None = None) -> dict:
    url = f"{told('HOST')}:{told('PORT')}{told('API_PATH')}/{path}"
    with urllib.request.urlopen(url, body and json.dumps(body).encode(), 30) as answer:
        return json.load(answer)


def partial_average(column_name: str) -> dict:
    with Path(told("DEFAULT_DATABASE_URI")).open() as file:
        ages = [float(row[column_name]) for row in csv.DictReader(file) if row[column_name]]
    return {"sum": sum(ages), "count": len(ages)}


def central_average(column_name: str) -> dict:
    given = base64.b64encode(
        json.dumps({"method": "partial_average", "kwargs": {"column_name": column_name}}).encode()
    )
    organizations = [{"id": o["id"], "input": given.decode()} for o in asked("organization")["data"]]
    task = asked("task", {"organizations": organizations})
    results = asked(f"result?task_id={task['id']}&page=1")["data"]
    parts = [json.loads(base64.b64decode(result["result"])) for result in results]
    return {"average": sum(p["sum"] for p in parts) / sum(p["count"] for p in parts)}


assert Path("settings.txt").exists(), "WORKDIR is not where this was started"
Path.home().joinpath(".cache").mkdir(exist_ok=True)
work = json.loads(Path(told("INPUT_FILE")).read_text())
Path(told("OUTPUT_FILE")).write_text(json.dumps(globals()[work["method"]](**work["kwargs"])))
