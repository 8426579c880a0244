"""Building an algorithm's image with the script that authors use."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

from fairnode import errors
from fairnode.share import shared


def build_folder(folder: Path, out: Path | None = None) -> dict[str, str]:
    """Build the image of an algorithm's folder: its `identity`, and `image_id` on this machine's engine.

    With `out`, image.tar and algorithm.toml are also written there. Raises `Unavailable` with the script's
    last words.
    """
    script = shared("docker") / "build-algorithm.sh"
    done = subprocess.run(
        ["sh", str(script), str(folder), *(["--out", str(out)] if out else [])],
        check=False,
        capture_output=True,
        text=True,
        env={**os.environ, "PYTHON": sys.executable},
    )
    if done.returncode:
        raise errors.Unavailable("The image could not be built.", to_do=done.stderr.strip()[-2000:])
    return dict(json.loads(done.stdout))
