"""Starts an algorithm that was written for another platform, and puts what it answers into tables.

The node lays this file beside the records and runs it with the image's own Python (3.8 or newer, nothing
else needed). It speaks two protocols:

- `vantage6-4`: environment variables in base32 ("=" written "!"), INPUT_FILE with method and arguments,
  OUTPUT_FILE, a CSV file as the only database, and a token that opens nothing. There is no server: functions
  that ask one (the "central" ones) end with an error.
- `run-context`: RUN_CONTEXT_FILE names a JSON file that says all of it (schema 0.1, as vantage6 4.14 writes).

What comes out is class B: the node can recount nothing of it.
"""

from __future__ import annotations

import base64
import json
import os
import subprocess
import sys
import tempfile
from pathlib import Path
from typing import Any

ROOT = Path(os.environ.get("FAIRNODE_ROOT", "/fairnode"))
WORK = Path(tempfile.gettempdir())
LABEL = "default"


def main() -> None:
    """One run: what is asked, the algorithm, its answer as tables."""
    run = json.loads((ROOT / "run.json").read_text(encoding="utf-8"))
    asked = run["launcher"]
    paths = {name: str(WORK / name) for name in ("input.json", "output.json", "token", "context.json")}
    write(paths["input.json"], json.dumps({"method": asked["method"], "args": [], "kwargs": arguments(run)}))
    write(paths["token"], token())
    write(paths["output.json"], "")
    write(paths["context.json"], json.dumps(context(run, paths)))
    done = subprocess.run(asked["command"], env=environment(asked["protocol"], paths), check=False)
    if done.returncode:
        sys.exit(f"the algorithm ended with exit code {done.returncode}")
    answer = json.loads(Path(paths["output.json"]).read_text(encoding="utf-8"))
    write(str(ROOT / "out" / "result"), json.dumps(result(run, answer), separators=(",", ":")))


def arguments(run: dict[str, Any]) -> dict[str, Any]:
    """The keyword arguments of the method: the study's parameters that the manifest names."""
    given = run["parameters"]
    return {name: given[name] for name in run["launcher"]["arguments"] if name in given}


def records() -> str:
    """The records as a file that every version of pandas reads."""
    return str(ROOT / "in" / "records.csv")


def environment(protocol: str, paths: dict[str, str]) -> dict[str, str]:
    """The image's own environment, and what its platform would have set."""
    own = dict(os.environ, HOME=str(WORK))
    if protocol == "run-context":
        return dict(own, RUN_CONTEXT_FILE=paths["context.json"])
    told = {
        "INPUT_FILE": paths["input.json"],
        "OUTPUT_FILE": paths["output.json"],
        "TOKEN_FILE": paths["token"],
        "TEMPORARY_FOLDER": str(WORK),
        "HOST": "http://localhost",
        "PORT": "8080",
        "API_PATH": "",
        "DB_LABELS": LABEL,
        "USER_REQUESTED_DATABASE_LABELS": LABEL,
        LABEL.upper() + "_DATABASE_URI": records(),
        LABEL.upper() + "_DATABASE_TYPE": "csv",
    }
    coded = {name: encoded(value) for name, value in told.items()}
    return dict(own, **dict(coded, RUN_CONTEXT_FILE=paths["context.json"]))


def encoded(value: str) -> str:
    """A value as a vantage6 node writes it."""
    return base64.b32encode(value.encode("utf-8")).decode("ascii").replace("=", "!")


def token() -> str:
    """A token of the right form that is signed by nobody: there is no server to show it to."""
    payload = {
        "sub": {"task_id": 1, "node_id": 1, "collaboration_id": 1, "organization_id": 1},
        "task_id": 1,
        "node_id": 1,
        "collaboration_id": 1,
        "organization_id": 1,
    }
    parts = ({"alg": "HS256", "typ": "JWT"}, payload)
    texts = [base64.urlsafe_b64encode(json.dumps(part).encode()).decode().rstrip("=") for part in parts]
    return ".".join([*texts, base64.urlsafe_b64encode(b"unsigned").decode().rstrip("=")])


def context(run: dict[str, Any], paths: dict[str, str]) -> dict[str, Any]:
    """The run as `run_context.json` 0.1 tells it."""
    return {
        "schema_version": "0.1",
        "entrypoint": {"name": run["launcher"]["method"]},
        "arguments": {"positional": [], "named": arguments(run)},
        "executor": {"id": "fairnode", "kind": "node"},
        "inputs": [{"id": LABEL, "uri": records(), "type": "csv", "arguments": {}}],
        "outputs": [{"id": "result", "uri": paths["output.json"]}],
        "x-vantage6": {
            "run_id": 1,
            "task_id": 1,
            "collaboration_id": 1,
            "token_file": paths["token"],
            "api_proxy": "",
            "temporary_directory": str(WORK),
        },
    }


def result(run: dict[str, Any], answer: Any) -> dict[str, Any]:
    """The tables of the contract, each number found in the answer by the codes of its cell."""
    tables = []
    for table in run["contract"]["tables"]:
        start = run["launcher"]["tables"].get(table["id"], [])
        keys: list[list[str]] = [[]]
        for axis in table["dimensions"]:
            keys = [[*key, code] for key in keys for code in axis["codes"]]
        cells = [{"k": key, "v": number(answer, [*start, *key])} for key in keys]
        tables.append({"id": table["id"], "cells": cells})
    return {"type": "fairnode.result/1", "tables": tables}


def number(answer: Any, steps: list[str]) -> float:
    """The number at a place in the answer; texts that hold JSON are opened, as pandas frames often are."""
    for step in steps:
        if isinstance(answer, str):
            answer = json.loads(answer)
        answer = answer[int(step)] if isinstance(answer, list) else answer[step]
    return float(answer)


def write(path: str, text: str) -> None:
    """Write a file as a whole."""
    Path(path).write_text(text, encoding="utf-8")


if __name__ == "__main__":
    main()
