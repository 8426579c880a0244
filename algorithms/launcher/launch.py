"""Starts an algorithm that was written for another platform, and puts what it answers into tables.

The node lays this file beside the records and runs it with the image's own Python (3.7 or newer, nothing
else needed). It speaks three protocols:

- `vantage6-4`: environment variables in base32 ("=" written "!"), INPUT_FILE with method and arguments,
  OUTPUT_FILE, a CSV file as the only database. Tools before 4.2 read the variables as they are, and get them so.
- `vantage6-3`: the same in the words of version 3 (DATABASE_URI, input and answer marked "json.").
- `run-context`: RUN_CONTEXT_FILE names a JSON file that says all of it (schema 0.1, as vantage6 4.14 writes).

A "central" function, which asks a server to start others, finds a collaboration of this one node, played by
`one_node.py` within the container. What comes out is class B: the node can recount nothing of it.
"""

from __future__ import annotations

import base64
import importlib.util
import json
import math
import os
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path
from typing import Any

ROOT = Path(os.environ.get("FAIRNODE_ROOT", "/fairnode"))
WORK = Path(tempfile.gettempdir())
LABEL = "default"
NODE, PORT = "http://127.0.0.1", "8080"
MARK = "json."  # version 3 says so what its files are


def main() -> None:
    """One run: what is asked, the algorithm, its answer as tables."""
    run = json.loads((ROOT / "run.json").read_text(encoding="utf-8"))
    asked = run["launcher"]
    paths = {name: str(WORK / name) for name in ("input.json", "output.json", "token", "context.json")}
    write(paths["input.json"], mark(asked) + json.dumps(called(run)))
    write(paths["token"], token())
    write(paths["output.json"], "")
    write(paths["context.json"], json.dumps(context(run, paths)))
    (WORK / "shared").mkdir(exist_ok=True)
    environ = environment(asked, paths)
    environ["PYTHONPATH"] = stand_in(asked)
    done = subprocess.run(asked["command"], env=environ, cwd=asked.get("directory") or "/", check=False)
    if done.returncode:
        sys.exit("the algorithm ended with exit code " + str(done.returncode))
    answer = json.loads(Path(paths["output.json"]).read_text(encoding="utf-8")[len(mark(asked)) :])
    write(str(ROOT / "out" / "result"), json.dumps(result(run, answer), separators=(",", ":")))


def mark(asked: dict[str, Any]) -> str:
    """What stands before the JSON of input and answer."""
    return MARK if asked["protocol"] == "vantage6-3" else ""


def called(run: dict[str, Any]) -> dict[str, Any]:
    """The input file: the function that is called, with its arguments.

    In version 3 a function is either a node's, whose name begins with "RPC_", or a master.
    """
    method, more = run["launcher"]["method"], {}
    if mark(run["launcher"]):
        more = {"master": not method.startswith("RPC_"), "output_format": "json"}
        method = method[len("RPC_") :] if method.startswith("RPC_") else method
    return dict(more, method=method, args=[], kwargs=arguments(run))


def arguments(run: dict[str, Any]) -> dict[str, Any]:
    """The keyword arguments of the method: the study's parameters that the manifest names."""
    given = run["parameters"]
    return {name: given[name] for name in run["launcher"]["arguments"] if name in given}


def records() -> str:
    """The records as a file that every version of pandas reads."""
    return str(ROOT / "in" / "records.csv")


def environment(asked: dict[str, Any], paths: dict[str, str]) -> dict[str, str]:
    """The image's own environment, what the manifest adds, and what its platform would have set."""
    own = dict(os.environ, HOME=str(WORK))
    if asked["protocol"] == "run-context":
        return dict(own, **asked.get("environment", {}), RUN_CONTEXT_FILE=paths["context.json"])
    told = {
        "INPUT_FILE": paths["input.json"],
        "OUTPUT_FILE": paths["output.json"],
        "TOKEN_FILE": paths["token"],
        "TEMPORARY_FOLDER": str(WORK / "shared"),
        "HOST": NODE,
        "PORT": PORT,
        "API_PATH": "",
        "DATABASE_URI": records(),
        "DB_LABELS": LABEL,
        "DATABASE_LABELS": LABEL,
        "USER_REQUESTED_DATABASE_LABEL": LABEL,
        "USER_REQUESTED_DATABASE_LABELS": LABEL,
        LABEL.upper() + "_DATABASE_URI": records(),
        LABEL.upper() + "_DATABASE_TYPE": "csv",
    }
    told.update(asked.get("environment", {}))
    if is_encoded(asked):
        told = {name: encoded(value) for name, value in told.items()}
    return dict(own, **told, RUN_CONTEXT_FILE=paths["context.json"])


def is_encoded(asked: dict[str, Any]) -> bool:
    """Whether the tools in the image expect base32: those of version 4.2 and later do."""
    if asked["protocol"] != "vantage6-4":
        return False
    try:
        found = importlib.util.find_spec("vantage6.algorithm.tools.util")
        return found is None or "b32decode" in Path(str(found.origin)).read_text(encoding="utf-8")
    except (ImportError, OSError):
        return True  # another Python's packages: as the later versions


def encoded(value: str) -> str:
    """A value as a vantage6 node writes it."""
    return base64.b32encode(value.encode("utf-8")).decode("ascii").replace("=", "!")


def stand_in(asked: dict[str, Any]) -> str:
    """Lay `one_node.py` where each Python that starts loads it first; the PYTHONPATH with its folder."""
    folder = WORK / "one-node"
    folder.mkdir(exist_ok=True)
    told = {"command": asked["command"], "directory": asked.get("directory") or "/", "port": int(PORT)}
    told.update(encoded=is_encoded(asked), mark=mark(asked))
    write(str(folder / "told.json"), json.dumps(told))
    shutil.copyfile(str(Path(__file__).parent / "one_node.py"), str(folder / "sitecustomize.py"))
    return os.pathsep.join([str(folder), *filter(None, [os.environ.get("PYTHONPATH")])])


def token() -> str:
    """A token of the right form that is signed by nobody; version 3 looks under `identity`."""
    who = {"task_id": 1, "node_id": 1, "collaboration_id": 1, "organization_id": 1}
    who = dict(who, client_type="container", image="this", databases=[{"label": LABEL}])
    payload = dict(who, sub=who, identity=who)
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
            "temporary_directory": str(WORK / "shared"),
        },
    }


def result(run: dict[str, Any], answer: Any) -> dict[str, Any]:
    """The tables of the contract, each number found in the answer by the codes of its cell."""
    asked, tables = run["launcher"], []
    for table in run["contract"]["tables"]:
        start = asked["tables"].get(table["id"], [])
        keys: list[list[str]] = [[]]
        for axis in table["dimensions"]:
            keys = [[*key, code] for key in keys for code in axis["codes"]]
        cells = [{"k": key, "v": number(answer, way(start, key), asked.get("absent"))} for key in keys]
        tables.append({"id": table["id"], "cells": cells})
    return {"type": "fairnode.result/1", "tables": tables}


def way(start: list[str], key: list[str]) -> list[str]:
    """The steps to a cell's number: its codes stand where `{0}`, `{1}` are, or all at the end."""
    steps = list(start)
    for place, code in enumerate(key):
        steps = [step.replace("{" + str(place) + "}", code) for step in steps]
    return steps if steps != start else [*start, *key]


def number(answer: Any, steps: list[str], absent: float | None) -> float:
    """The number at a place in the answer; `absent` where there is none, if the manifest says what that means.

    Texts that hold JSON are opened, as pandas frames often are.
    """
    place = answer
    for step in steps:
        if isinstance(place, str):
            place = json.loads(place)
        try:
            place = below(place, step)
        except (KeyError, IndexError, StopIteration):
            place = None
            break
    told = math.nan if place is None else float(place)
    if not math.isfinite(told):
        if absent is None:
            at = " / ".join(steps)
            sys.exit("the answer has no number at " + at + "; say in [launcher] what `absent` means")
        return absent
    return told


def below(place: Any, step: str) -> Any:
    """One step: a key, a place in a list, or `field=value` for the entry of a list that has it."""
    if not isinstance(place, list):
        return place[step]
    field, found, value = step.partition("=")
    return next(entry for entry in place if str(entry[field]) == value) if found else place[int(step)]


def write(path: str, text: str) -> None:
    """Write a file as a whole."""
    Path(path).write_text(text, encoding="utf-8")


if __name__ == "__main__":
    main()
