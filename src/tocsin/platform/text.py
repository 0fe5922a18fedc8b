"""Text that came from outside, made harmless for a sink: terminal, CSV, mail header. HTML is the templates' business."""

from __future__ import annotations

import re
import unicodedata

_CONTROL = re.compile(r"[\x00-\x08\x0b-\x1f\x7f-\x9f]")
_BIDI = re.compile("[\u202a-\u202e\u2066-\u2069\u200e\u200f]")


def one_line(text: str, *, limit: int = 300) -> str:
    """`text` without control, direction and line characters, cut at `limit` with an ellipsis."""
    flat = _BIDI.sub("", _CONTROL.sub(" ", text.replace("\n", " ").replace("\r", " ").replace("\t", " ")))
    flat = " ".join(flat.split())
    return flat if len(flat) <= limit else flat[: limit - 1].rstrip() + "…"


def for_terminal(text: str) -> str:
    """`text` that cannot move the cursor or change colours; line breaks stay."""
    return _BIDI.sub("", _CONTROL.sub("�", text))


def csv_cell(text: str) -> str:
    """`text` that a spreadsheet shows and does not calculate."""
    return "'" + text if text[:1] in {"=", "+", "-", "@", "\t", "\r"} else text


def clean(text: str) -> str:
    """`text` as we store it: composed form, no NUL (PostgreSQL cannot hold one), no lone surrogates."""
    return unicodedata.normalize("NFC", text.replace("\x00", "�").encode("utf-8", "replace").decode("utf-8"))


def slug(text: str, *, limit: int = 63) -> str:
    """An RFC 1123 name made of `text`; empty when nothing usable is left."""
    ascii_text = unicodedata.normalize("NFKD", text).encode("ascii", "ignore").decode()
    return re.sub(r"[^a-z0-9]+", "-", ascii_text.lower()).strip("-")[:limit].strip("-")
