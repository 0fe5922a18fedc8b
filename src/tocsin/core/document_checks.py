"""Checks that every kind of document shares: unknown fields, bounds, and one refusal that names all mistakes."""

from __future__ import annotations

from tocsin.core.document_reading import Cursor
from tocsin.core.errors import Invalid


def refuse_problems(cursor: Cursor) -> None:
    """Raise `Invalid` if reading found anything wrong; the first sentence about a place is the one that is kept."""
    fields: dict[str, str] = {}
    for problem in cursor.found:
        fields.setdefault(problem.where, problem.message)
    if fields:
        raise Invalid(fields)


def known_only(cursor: Cursor, known: tuple[str, ...]) -> None:
    """Note every field of the mapping here that is not one of `known`: a misspelt field must not be lost silently."""
    for key, entry in cursor.entries():
        if key not in known:
            entry.note("unknown", f"This field is unknown here; known are {', '.join(known)}.")


def optional_items(cursor: Cursor, key: str, *, most: int) -> list[Cursor]:
    """The items of a list that may be left out and holds at most `most`."""
    items = cursor.at(key).items() if cursor.has(key) else []
    if len(items) > most:
        cursor.at(key).note("size", f"At most {most} are taken.")
        return []
    return items


def optional_whole(cursor: Cursor, key: str, *, default: int, allowed: range) -> int:
    """A whole number within bounds that may be left out."""
    value = cursor.at(key).value if cursor.has(key) else default
    if isinstance(value, int) and not isinstance(value, bool) and value in allowed:
        return value
    cursor.at(key).note("range", f"A whole number from {allowed[0]} to {allowed[-1]} belongs here.")
    return default
