"""Code blocks of a Markdown page, for the tests and for CI: ``python tests/code_blocks.py PAGE HEADING``."""

from __future__ import annotations

import re
import sys
from dataclasses import dataclass
from pathlib import Path

__all__ = ["CodeBlock", "read_code_blocks"]

_FENCE = re.compile(
    r"(?:<!-- not run: (?P<reason>[^\n]+?) -->\n+)?"  # a comment before the block
    r"```(?P<language>\w*)\n(?P<code>.*?)^```$",
    re.M | re.S,
)


@dataclass(frozen=True, kw_only=True)
class CodeBlock:
    """One fenced block.

    Parameters
    ----------
    heading
        The heading it stands under.
    language
        What follows the opening fence.
    code
        The lines between the fences.
    not_run
        The reason given in a comment ``<!-- not run: … -->`` right before the block, or nothing.
    """

    heading: str
    language: str
    code: str
    not_run: str | None


def read_code_blocks(page: Path) -> list[CodeBlock]:
    """Every fenced block of a page, in order."""
    text = page.read_text(encoding="utf-8")
    return [
        CodeBlock(
            heading=re.findall(r"^#+ (.+)$", text[: match.start()], re.M)[-1],
            language=match["language"],
            code=match["code"],
            not_run=match["reason"],
        )
        for match in _FENCE.finditer(text)
    ]


if __name__ == "__main__":
    page, wanted = Path(sys.argv[1]), sys.argv[2]
    found = [block.code for block in read_code_blocks(page) if block.heading == wanted]
    if len(found) != 1:
        sys.exit(f"{page}: {len(found)} code blocks under {wanted!r}; exactly one is needed")
    print(found[0], end="")
