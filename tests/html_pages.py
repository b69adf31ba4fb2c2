"""What is wrong with an HTML page: balance, ids, headings, tables, alternative texts, and whatever leads out."""

from __future__ import annotations

import base64
import hashlib
import io
import re
import warnings
from collections.abc import Collection
from dataclasses import dataclass, field
from html.parser import HTMLParser

import numpy as np
import rasterio
from numpy.typing import NDArray

__all__ = ["Node", "find_faults", "pictures_in", "read_page"]

VOID = {"area", "base", "br", "col", "hr", "img", "input", "link", "meta", "source", "track", "wbr"}
LOADING = ("src", "href", "srcset", "data", "poster", "action", "formaction", "background", "xlink:href")


@dataclass
class Node:
    """An element."""

    tag: str
    attributes: dict[str, str]
    parent: Node | None = None
    children: list[Node | str] = field(default_factory=list)

    def all(self, *tags: str) -> list[Node]:
        """Those below it, in order; all of them without a tag."""
        found = []
        for child in self.children:
            if isinstance(child, Node):
                found += [child] if not tags or child.tag in tags else []
                found += child.all(*tags)
        return found

    @property
    def text(self) -> str:
        """All text below it, white space made one."""
        parts = [child if isinstance(child, str) else child.text for child in self.children]
        return " ".join("".join(parts).split())


class _Builder(HTMLParser):
    def __init__(self) -> None:
        super().__init__(convert_charrefs=True)
        self.root = Node("", {})
        self.faults: list[str] = []
        self._open = self.root

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        names = [name for name, _ in attrs]
        if len(names) != len(set(names)):
            self.faults.append(f"<{tag}> repeats an attribute: {names}")
        node = Node(tag, {name: value or "" for name, value in attrs}, self._open)
        self._open.children.append(node)
        if tag not in VOID:
            self._open = node

    def handle_endtag(self, tag: str) -> None:
        if self._open.tag != tag:
            self.faults.append(f"</{tag}> ends <{self._open.tag}>, line {self.getpos()[0]}")
            return
        assert self._open.parent is not None
        self._open = self._open.parent

    def handle_data(self, data: str) -> None:
        self._open.children.append(data)

    def close(self) -> None:
        super().close()
        if self._open is not self.root:
            self.faults.append(f"<{self._open.tag}> never ends")


def read_page(text: str) -> tuple[Node, list[str]]:
    """The tree of a page, and what is wrong with its balance."""
    builder = _Builder()
    builder.feed(text)
    builder.close()
    return builder.root, builder.faults


def pictures_in(text: str) -> list[NDArray[np.uint8]]:
    """(4, y, x) pixels of every picture in a page, as GDAL reads them."""
    found = []
    for image in read_page(text)[0].all("img"):
        png = base64.b64decode(image.attributes["src"].partition(",")[2], validate=True)
        with warnings.catch_warnings(action="ignore"), rasterio.open(io.BytesIO(png)) as dataset:
            found.append(dataset.read())
    return found


def find_faults(text: str, *, links: Collection[str] = ()) -> list[str]:
    """Everything wrong with a page; nothing for a good one.

    Parameters
    ----------
    links
        Files that it may lead to; loading them is not meant.
    """
    root, faults = read_page(text)
    if not text.startswith("<!DOCTYPE html>\n"):
        faults.append("no doctype")
    if re.search("[\x00-\x08\x0b\x0c\x0e-\x1f\x7f-\x9f\ud800-\udfff\ufffe\uffff]", text):
        faults.append("holds a character that HTML cannot")
    nodes = root.all()
    for check in (_structure, _references, _headings, _tables, _pictures, _ways_out):
        faults += check(root, nodes)
    wanted = [node.attributes["href"] for node in root.all("a")]
    faults += [f"leads to {href!r}" for href in wanted if not href.startswith("#") and href not in links]
    return faults


def _structure(root: Node, nodes: list[Node]) -> list[str]:
    faults = []
    for tag in ("html", "head", "title", "body", "main", "h1"):
        found = [node for node in root.all(tag) if node.parent is None or node.parent.tag != "path"]  # of a drawing
        if len(found) != 1:
            faults.append(f"{len(found)} <{tag}>")
    if not any(node.tag == "html" and node.attributes.get("lang") for node in nodes):
        faults.append("no language")
    if not all(node.text for node in root.all("title", "h1", "h2", "h3", "a", "figcaption", "caption")):
        faults.append("an empty title, heading, link or caption")
    return faults


def _references(root: Node, nodes: list[Node]) -> list[str]:
    ids = [node.attributes["id"] for node in nodes if "id" in node.attributes]
    faults = [f"id {name!r} is not unique" for name in set(ids) if ids.count(name) > 1]
    wanted = [node.attributes["href"][1:] for node in root.all("a") if node.attributes["href"].startswith("#")]
    for name in ("aria-labelledby", "aria-describedby", "for"):
        wanted += [part for node in nodes for part in node.attributes.get(name, "").split()]
    return faults + [f"nothing has the id {name!r}" for name in wanted if name not in ids]


def _headings(root: Node, nodes: list[Node]) -> list[str]:
    levels = [int(node.tag[1]) for node in nodes if re.fullmatch("h[1-6]", node.tag)]
    return [f"h{a} is followed by h{b}" for a, b in zip([0, *levels], levels, strict=False) if b > a + 1]


def _tables(root: Node, nodes: list[Node]) -> list[str]:
    faults = []
    for table in root.all("table"):
        if [child.tag for child in table.children if isinstance(child, Node)][:1] != ["caption"]:
            faults.append("a table without a caption")
        scopes = [head.attributes.get("scope") for head in table.all("th")]
        faults += ["a <th> without scope" for scope in scopes if scope not in ("row", "col")]
        faults += ["an empty <th>" for head in table.all("th") if not head.text]
        widths = {len([c for c in row.children if isinstance(c, Node)]) for row in table.all("tr")}
        if len(widths) != 1:
            faults.append(f"rows of {widths} cells in {table.text[:60]!r}")
    return faults


def _pictures(root: Node, nodes: list[Node]) -> list[str]:
    speechless = [node for node in root.all("img") if not node.attributes.get("alt")]
    faults = [f"a picture without an alternative text: {node.attributes}" for node in speechless]
    for drawing in root.all("svg"):
        if drawing.attributes.get("aria-hidden") != "true" and not drawing.attributes.get("aria-label"):
            faults.append("a drawing that says nothing")
    return faults


def _ways_out(root: Node, nodes: list[Node]) -> list[str]:
    faults = [f"<{node.tag}>" for node in root.all("iframe", "object", "embed", "link", "form", "base")]
    equivalents = [node for node in root.all("meta") if "http-equiv" in node.attributes]
    policies = [node.attributes["content"] for node in equivalents]
    for script in root.all("script"):
        digest = base64.b64encode(hashlib.sha256("".join(map(str, script.children)).encode()).digest()).decode()
        if script.attributes or not policies or f"script-src 'sha256-{digest}'" not in policies[0]:
            faults.append("<script> that the policy does not know")
    for node in nodes:
        for name, value in node.attributes.items():
            if name.startswith("on"):
                faults.append(f"{name} of <{node.tag}>")
            leads = node.tag == "a" and name == "href"
            if name in LOADING and not leads and not value.startswith(("#", "data:image/png;base64,")):
                faults.append(f"{name}={value[:60]!r} of <{node.tag}>")
            if name == "style" and "url" in value:
                faults.append(f"style={value[:60]!r}")
    sheets = "".join(node.text for node in root.all("style"))
    if "url(" in sheets or "@import" in sheets:
        faults.append("an address in the style sheet")
    if not policies or not policies[0].startswith("default-src 'none'; img-src data:; style-src 'unsafe-inline'"):
        faults.append(f"policy {policies}")
    return faults
