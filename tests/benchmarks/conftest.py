"""The benchmarks are not installed: they are found in the repository itself."""

from __future__ import annotations

import sys
from pathlib import Path

# At the end, so that hsigeo stays the installed one.
sys.path.append(str(Path(__file__).resolve().parents[2]))
