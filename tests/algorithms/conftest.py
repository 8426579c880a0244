"""Lets these tests use what tests/hostile forges."""

import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parents[2]))
