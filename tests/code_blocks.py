"""Code blocks of a Markdown page, for the tests and for CI: ``python tests/code_blocks.py PAGE HEADING``."""

from __future__ import annotations

import os
import re
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path

__all__ = ["RUNNERS", "CodeBlock", "read_code_blocks", "run_code"]

RUNNERS = {"sh": ["bash", "-euo", "pipefail", "-c"], "python": ["python", "-c"]}
"""Programs that run blocks of a language."""

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


def run_code(language: str, code: str, folder: Path, *, programs: Path) -> subprocess.CompletedProcess[str]:
    """Run code in a folder, with the ``hsigeo`` and the ``python`` of another folder first on the path."""
    environment = {**os.environ, "PATH": f"{programs}{os.pathsep}{os.environ['PATH']}"}
    environment.pop("HSIGEO_MODEL", None)
    command = ["env", *RUNNERS[language], code]  # env looks for the program on the new path
    return subprocess.run(
        command, cwd=folder, env=environment, capture_output=True, text=True, timeout=280, check=False
    )


if __name__ == "__main__":
    page, wanted = Path(sys.argv[1]), sys.argv[2]
    found = [block.code for block in read_code_blocks(page) if block.heading == wanted]
    if len(found) != 1:
        sys.exit(f"{page}: {len(found)} code blocks under {wanted!r}; exactly one is needed")
    print(found[0], end="")
