"""What all pages share: the document head, with its content security policy, and the footer."""

from __future__ import annotations

from collections.abc import Mapping
from importlib.resources import files

from hsigeo.report.markup import Child, Html, element
from hsigeo.report.wording import day
from hsigeo.software import SOFTWARE

__all__ = ["ENDINGS", "POLICY", "document", "footer", "resource"]

POLICY = "default-src 'none'; img-src data:; style-src 'unsafe-inline'; base-uri 'none'; form-action 'none'"
"""What a browser may do for a page: show the pictures and styles that are in it. No script, no request."""

ENDINGS = (".html", ".htm")


def document(
    title: str, *body: Child, policy: str = POLICY, more_style: str = "", kept: Mapping[str, str] | None = None
) -> str:
    """A whole document.

    Parameters
    ----------
    title
        For the browser's tab.
    body
        What is seen.
    policy
        What a browser may do for it.
    more_style
        Style sheet after that of all pages.
    kept
        What the page keeps for hsigeo, by name.
    """
    head = element(
        "head",
        element("meta", charset="utf-8"),
        element("meta", http_equiv="Content-Security-Policy", content=policy),
        element("meta", name="viewport", content="width=device-width, initial-scale=1"),
        element("meta", name="color-scheme", content="light dark"),
        element("meta", name="referrer", content="no-referrer"),
        element("meta", name="generator", content=SOFTWARE),
        [element("meta", name=name, content=content) for name, content in (kept or {}).items()],
        element("title", title),
        element("style", Html(resource("style.css") + more_style)),
    )
    return f"<!DOCTYPE html>\n{element('html', head, element('body', body), lang='en').text}\n"


def footer(written: float) -> Html:
    """When the page was written, and by what."""
    return element("footer", element("p", f"Written {day(written)} by {SOFTWARE}."))


def resource(name: str) -> str:
    """A file of this package."""
    return files("hsigeo.report").joinpath(name).read_text(encoding="utf-8")
