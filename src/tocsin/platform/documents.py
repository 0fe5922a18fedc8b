"""A document for people in a handful of blocks, written as Markdown or as HTML; whatever people wrote stays text."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass

from django.utils.html import escape

_PLAIN_URL = re.compile(r"https?://[^\s<>()\[\]\"'`\\]+")


@dataclass(frozen=True, slots=True)
class Heading:
    level: int
    text: str


@dataclass(frozen=True, slots=True)
class Contents:
    """Where the headings of the second level are; stands before them."""

    titles: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Text:
    text: str


@dataclass(frozen=True, slots=True)
class Link:
    """Words before an address; anything but http and https is written as text and leads nowhere."""

    words: str
    url: str


@dataclass(frozen=True, slots=True)
class List:
    items: tuple[str, ...]
    numbered: bool = False


@dataclass(frozen=True, slots=True)
class Table:
    head: tuple[str, ...]
    rows: tuple[tuple[str, ...], ...]


Block = Heading | Contents | Text | Link | List | Table


def markdown(blocks: Sequence[Block]) -> str:
    """The blocks as Markdown, with tables as most wikis read them."""
    return "\n\n".join(_as_markdown(block) for block in blocks) + "\n"


def _as_markdown(block: Block) -> str:
    match block:
        case Heading(level, text):
            return f"{'#' * level} {_plain(text)}"
        case Contents(titles):
            return "\n".join(f"- [{_plain(title)}](#{anchor(title)})" for title in titles)
        case Link(words, url):
            return f"{_plain(words)}: " + (f"<{url}>" if _PLAIN_URL.fullmatch(url) else _plain(url))
        case List(items, numbered):
            marks = (f"{place}." if numbered else "-" for place in range(1, len(items) + 1))
            return "\n".join(f"{mark} {_plain(item)}" for mark, item in zip(marks, items, strict=True))
        case Table(head, rows):
            lines = [head, tuple("---" for _ in head), *rows]
            return "\n".join(f"| {' | '.join(_plain(cell) for cell in line)} |" for line in lines)
        case Text(text):
            return _plain(text)


def _plain(text: str) -> str:
    """One line in which nothing that people wrote becomes Markdown's own signs or a wiki's HTML."""
    joined = " ".join(text.split())
    return re.sub(r"([\\`*_\[\]|#<>])", r"\\\1", joined)


def anchor(text: str) -> str:
    """The name a heading is linked by, as wikis make it from its words."""
    return re.sub(r"[^a-z0-9]+", "-", text.lower()).strip("-") or "part"


def html(title: str, blocks: Sequence[Block]) -> str:
    """The blocks as a page of their own."""
    head = f'<!doctype html>\n<html lang="en">\n<head><meta charset="utf-8"><title>{escape(title)}</title></head>'
    return f"{head}\n<body>\n{body(blocks)}\n</body>\n</html>\n"


def body(blocks: Sequence[Block]) -> str:
    """The blocks as HTML without a page around them, safe to put into one."""
    return "\n".join(_as_html(block) for block in blocks)


def _as_html(block: Block) -> str:
    match block:
        case Heading(level, text):
            named = f' id="{anchor(text)}"' if level > 1 else ""
            return f"<h{level}{named}>{escape(text)}</h{level}>"
        case Contents(titles):
            places = (f'<li><a href="#{anchor(title)}">{escape(title)}</a></li>' for title in titles)
            return f'<nav aria-label="Contents"><ol>{"".join(places)}</ol></nav>'
        case Link(words, url):
            shown = escape(url)
            leads = f'<a href="{shown}" rel="noreferrer">{shown}</a>' if _PLAIN_URL.fullmatch(url) else shown
            return f"<p>{escape(words)}: {leads}</p>"
        case List(items, numbered):
            tag = "ol" if numbered else "ul"
            return f"<{tag}>" + "".join(f"<li>{escape(item)}</li>" for item in items) + f"</{tag}>"
        case Table(head, rows):
            top = "".join(f'<th scope="col">{escape(cell)}</th>' for cell in head)
            lines = "".join("<tr>" + "".join(f"<td>{escape(cell)}</td>" for cell in row) + "</tr>" for row in rows)
            return f"<table><thead><tr>{top}</tr></thead><tbody>{lines}</tbody></table>"
        case Text(text):
            return f"<p>{escape(text)}</p>"
