from __future__ import annotations

import html
from html.parser import HTMLParser

import pytest
from hypothesis import given
from hypothesis import strategies as st

from hsigeo.report.markup import NOTHING, Html, class_in_words, element, join, term


class _Text(HTMLParser):
    def __init__(self) -> None:
        super().__init__(convert_charrefs=True)
        self.seen: list[str] = []
        self.tags: list[tuple[str, dict[str, str | None]]] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append((tag, dict(attrs)))

    def handle_data(self, data: str) -> None:
        self.seen.append(data)


@given(st.text(), st.text())
def test_any_text_comes_back_as_text(inside: str, attribute: str) -> None:
    parser = _Text()
    parser.feed(element("p", inside, title=attribute).text)
    parser.close()
    assert [tag for tag, _ in parser.tags] == ["p"]
    assert list(parser.tags[0][1]) == ["title"]
    # html.parser joins line ends as a browser does; what is no character has become U+FFFD.
    visible = [c for c in inside if c.isprintable() and c != "\ufffd"]
    assert [c for c in "".join(parser.seen) if c.isprintable() and c != "\ufffd"] == visible


def test_only_finished_markup_is_left_as_it_is() -> None:
    assert element("p", "<b>", Html("<b></b>"), ["&", None, 3]).text == "<p>&lt;b&gt;<b></b>&amp;3</p>"


def test_attributes_are_quoted_and_may_be_left_out() -> None:
    assert element("i", class_='a"b', aria_label="<", hidden=True, title=None, lang=False).text == (
        '<i class="a&quot;b" aria-label="&lt;" hidden></i>'
    )


def test_void_elements_have_no_end() -> None:
    assert element("br").text == "<br>"


def test_lists_are_joined_by_what_is_between() -> None:
    assert join(["a", "<"], ", ").text == "a, &lt;"
    assert join([]) == NOTHING


@pytest.mark.parametrize("character", ["\x00", "\x1b", "\x85", "\ud800", "\uffff"])
def test_what_is_no_character_becomes_the_replacement(character: str) -> None:
    assert element("p", f"a{character}b").text == "<p>a\ufffdb</p>"
    element("p", character, title=character).text.encode("utf-8")


def test_attributes_cannot_turn_the_direction_of_what_follows() -> None:
    assert "\u202e" not in element("img", alt="a\u202eb").text


def test_a_name_is_one_line_of_bounded_length() -> None:
    assert term("a\n b").text == "<bdi>a b</bdi>"
    assert len(html.unescape(term("x" * 10_000).text)) < 140


@pytest.mark.parametrize(("name", "said"), [("4", "class 4"), ("soil 4", "soil 4"), ("٤", "class ٤"), ("", "")])
def test_a_class_that_has_a_number_for_a_name_is_no_figure_in_a_sentence(name, said):
    assert class_in_words(name).text == f"<bdi>{said}</bdi>"
