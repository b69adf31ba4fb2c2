"""Messages that docs/troubleshooting.md quotes are messages that hsigeo has."""

from __future__ import annotations

import ast
import re
from pathlib import Path

import pytest

REPOSITORY = Path(__file__).resolve().parents[1]
PAGE = (REPOSITORY / "docs" / "troubleshooting.md").read_text(encoding="utf-8")
MESSAGES = re.findall(r"^\| `([^`]+)`", PAGE, re.M)
FEWEST_LETTERS = 8


@pytest.fixture(scope="module")
def said() -> str:
    """All texts of the package, the values in them left out."""
    texts = []
    for path in sorted((REPOSITORY / "hsigeo").rglob("*.py")):
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            if isinstance(node, ast.JoinedStr):
                parts = [part.value if isinstance(part, ast.Constant) else "…" for part in node.values]
                texts.append("".join(map(str, parts)))
            elif isinstance(node, ast.Constant) and isinstance(node.value, str):
                texts.append(node.value)
    return "\n".join(texts)


@pytest.mark.parametrize("message", MESSAGES)
def test_a_quoted_message_is_one_that_is_printed(message: str, said: str) -> None:
    pieces = [piece.strip(" :;,.") for piece in re.split(r"…|\b[A-Z]\b|'|`|\(--", message)]
    parts = [piece for piece in pieces if len(piece) >= FEWEST_LETTERS]

    assert parts
    assert [part for part in parts if part not in said] == []
