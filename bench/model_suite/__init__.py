"""Parts of bench/models.py. Compiling and loading our library is shared with tests/models."""

import pathlib
import sys

ROOT = pathlib.Path(__file__).resolve().parent.parent.parent

sys.path.append(str(ROOT / "tests" / "models"))
