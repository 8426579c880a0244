"""The peers, each in an environment of its own under `.cache/peers`, installed from the package index once."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path
from typing import Any

HERE = Path(__file__).parent
ENVIRONMENTS = HERE.parents[1] / ".cache" / "peers"
PACKAGES = {
    "mpyc": ("mpyc==0.11", "numpy>=2", "gmpy2"),
    "openmined-psi": ("openmined-psi==2.0.6",),
    "spu": ("spu==0.9.5",),
}


def python_of(peer: str) -> Path | None:
    """The interpreter of the peer's environment, made and filled now if need be; None if it cannot be."""
    folder = ENVIRONMENTS / peer
    interpreter, done = folder / "bin" / "python", folder / "installed"
    if not done.exists():
        subprocess.run([sys.executable, "-m", "venv", str(folder)], check=True)
        command = [str(interpreter), "-m", "pip", "install", "--quiet", "--disable-pip-version-check"]
        if subprocess.run([*command, *PACKAGES[peer]], check=False).returncode:
            print(f"benchmark mpc: {peer} cannot be installed here; its rows stay empty", file=sys.stderr)
            return None
        done.touch()
    return interpreter


def measured(peer: str, script: str, *arguments: object, timeout: float = 580) -> dict[str, Any] | None:
    """What `script` of this folder prints as JSON in the peer's environment; None if the peer is not there."""
    interpreter = python_of(peer)
    if interpreter is None:
        return None
    command = [str(interpreter), "-I", str(HERE / script), *map(str, arguments)]
    done = subprocess.run(command, capture_output=True, text=True, timeout=timeout, check=False)
    if done.returncode:
        print(f"benchmark mpc: {peer} failed: {done.stderr[-300:]}", file=sys.stderr)
        return None
    return dict(json.loads(done.stdout.splitlines()[-1]))
