"""Names that files, addresses and people can all write."""

from __future__ import annotations

import re

from tocsin.core.errors import Invalid
from tocsin.platform.text import slug

_NAME = re.compile(r"[A-Za-z0-9](?:[A-Za-z0-9_-]{0,61}[A-Za-z0-9])?")


def checked_name(name: str) -> str:
    """`name`, if it may name an SLO or a source. Raises Invalid with a proposal."""
    if not _NAME.fullmatch(name):
        proposal = slug(name) or "checkout-availability"
        raise Invalid({"name": f"Use letters, digits and hyphens, at most 63 characters: for example {proposal}."})
    return name
