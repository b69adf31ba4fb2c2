"""A short name for what a method's code says, so that a remembered result never outlives a change of the code."""

from __future__ import annotations

import ast
import functools
import hashlib
import importlib.util
from collections.abc import Iterable, Iterator
from pathlib import Path

__all__ = ["digest_of_code"]

PACKAGES = ("hsigeo.kernels", "hsigeo.model", "hsigeo.training")
"""Imports from these are code of the method too; the rest (readers, tables) only carries values."""

NOT_FOLLOWED = ("hsigeo.model.card", "hsigeo.model.file", "hsigeo.training.samples")
"""How models are stored and labels are read: neither changes what is learnt."""


def digest_of_code(modules: Iterable[str], *, roots: Iterable[str] = (), versions: str = "") -> str:
    """Twelve hexadecimal digits that change when code does; comments, docstrings and layout do not count.

    Parameters
    ----------
    modules
        Count by themselves.
    roots
        Count with what they import, directly or not, of hsigeo's model and training.
    versions
        Of the libraries used.
    """
    found = set(modules)
    waiting = list(roots)
    followed: set[str] = set()
    while waiting:
        name = waiting.pop()
        if name not in followed:
            followed.add(name)
            waiting.extend(_imports(name))
    digest = hashlib.sha256(versions.encode())
    for name in sorted(found | followed):
        digest.update(f"\n{name}\n{ast.dump(_code(name))}".encode())
    return digest.hexdigest()[:12]


def _imports(name: str) -> Iterator[str]:
    """The modules of `PACKAGES` that a module imports by ``from … import …``, as all of hsigeo does."""
    for node in ast.walk(_code(name)):
        if not isinstance(node, ast.ImportFrom) or node.module is None:
            continue
        if node.module in PACKAGES:
            named = [f"{node.module}.{alias.name}" for alias in node.names]
            yield from (module for module in named if importlib.util.find_spec(module) and module not in NOT_FOLLOWED)
        elif node.module.rpartition(".")[0] in PACKAGES and node.module not in NOT_FOLLOWED:
            yield node.module


@functools.cache
def _code(name: str) -> ast.Module:
    """A module's syntax tree, without docstrings."""
    found = importlib.util.find_spec(name)
    if found is None or found.origin is None:
        raise ModuleNotFoundError(f"there is no source of {name}")
    tree = ast.parse(Path(found.origin).read_text(encoding="utf-8"))
    for node in ast.walk(tree):
        body = getattr(node, "body", None)
        if isinstance(body, list):
            node.body = [part for part in body if not _is_text(part)]  # type: ignore[attr-defined]
    return tree


def _is_text(node: ast.AST) -> bool:
    return isinstance(node, ast.Expr) and isinstance(node.value, ast.Constant) and isinstance(node.value.value, str)
