"""Make ``first_map.ipynb`` from ``first_map.py``: ``python examples/make_notebook.py [--check]``.

The script is what is edited; the notebook is the same cells, without outputs, for those who open notebooks.
"""

from __future__ import annotations

import json
import re
import sys
from pathlib import Path
from typing import Any

SOURCE = Path(__file__).with_name("first_map.py")
TARGET = SOURCE.with_suffix(".ipynb")

_MARK = re.compile(r"^# %%(?P<markdown> \[markdown\])?\n", re.MULTILINE)


def make_notebook(script: str) -> dict[str, Any]:
    """A notebook (format 4.5) of the cells of a script in percent format."""
    marks = list(_MARK.finditer(script))
    ends = [mark.start() for mark in marks[1:]] + [len(script)]
    cells = []
    for number, (mark, end) in enumerate(zip(marks, ends, strict=True)):
        text = script[mark.end() : end].strip("\n")
        if mark["markdown"]:
            text = "\n".join(line.removeprefix("#").removeprefix(" ") for line in text.splitlines())
        cell: dict[str, Any] = {
            "cell_type": "markdown" if mark["markdown"] else "code",
            "id": f"cell-{number}",
            "metadata": {},
            "source": text.splitlines(keepends=True),
        }
        cells.append(cell if mark["markdown"] else cell | {"execution_count": None, "outputs": []})
    kernel = {"display_name": "Python 3", "language": "python", "name": "python3"}
    metadata = {"kernelspec": kernel, "language_info": {"name": "python"}}
    return {"cells": cells, "metadata": metadata, "nbformat": 4, "nbformat_minor": 5}


def main(arguments: list[str]) -> int:
    """Write the notebook, or with ``--check`` say whether it is up to date."""
    wanted = json.dumps(make_notebook(SOURCE.read_text(encoding="utf-8")), ensure_ascii=False, indent=1) + "\n"
    if "--check" in arguments:
        current = TARGET.read_text(encoding="utf-8") if TARGET.exists() else ""
        return 0 if current == wanted else 1
    TARGET.write_text(wanted, encoding="utf-8")
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
