"""A document for people as PDF. What people wrote goes in as data and is never read as markup."""

from __future__ import annotations

import json
from collections.abc import Sequence
from datetime import datetime
from importlib.resources import files
from typing import Any

from tocsin.core.errors import Refused
from tocsin.platform.documents import Block, Contents, Heading, Link, List, Table, Text

NO_PRINTER = "A PDF needs a package that is not installed."


def pdf(title: str, blocks: Sequence[Block], *, at: datetime, foot: str) -> bytes:
    """The blocks on A4 with numbered pages and `foot` at the bottom of each. The same blocks give the same bytes.

    Raises Refused where nothing can set type.
    """
    try:
        import typst
    except ImportError as missing:
        remedy = "Install it with pip install 'tocsin[pdf]', or print the page from a browser."
        raise Refused(NO_PRINTER, reason="no_printer", remedy=remedy) from missing
    data = {"title": title, "foot": foot, "blocks": [_block(block) for block in blocks]}
    template = files(__package__).joinpath("paper.typ").read_bytes()
    made = typst.compile(template, format="pdf", sys_inputs={"data": json.dumps(data)}, timestamp=int(at.timestamp()))
    return bytes(made)


def _block(block: Block) -> dict[str, Any]:
    match block:
        case Heading(level, text):
            return {"kind": "heading", "level": level, "text": _line(text)}
        case Contents():
            return {"kind": "contents"}
        case Link(words, url):
            return {"kind": "text", "text": f"{_line(words)}: {_line(url)}"}
        case List(items, numbered):
            return {"kind": "list", "numbered": numbered, "items": [_line(item) for item in items]}
        case Table(head, rows):
            return {
                "kind": "table",
                "head": [_line(cell) for cell in head],
                "rows": [[_line(c) for c in r] for r in rows],
            }
        case Text(text):
            return {"kind": "text", "text": _line(text)}


def _line(text: str) -> str:
    return " ".join(text.split())
