"""What changed between two documents, as a list of places.

A list whose items all carry the same naming key (`code`, `name`, `n`) is compared by that name and not by position, so
that a row put in front does not make every row behind it look changed.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum
from typing import Any, cast

NAMING_KEYS = ("code", "name", "n")


class Change(StrEnum):
    ADDED = "added"
    REMOVED = "removed"
    CHANGED = "changed"


@dataclass(frozen=True)
class Difference:
    """One place that differs: its path ("priorities.priorities[P1].rank"), and the values (None where absent)."""

    path: str
    change: Change
    before: Any = None
    after: Any = None


def differences(before: Any, after: Any, *, naming_keys: Sequence[str] = NAMING_KEYS) -> tuple[Difference, ...]:
    """Every place at which two JSON-able documents differ, in the order of the paths. Equal documents give ()."""
    return tuple(sorted(_compare("", before, after, naming_keys), key=lambda difference: difference.path))


def _compare(path: str, before: Any, after: Any, keys: Sequence[str]) -> Iterator[Difference]:
    if isinstance(before, Mapping) and isinstance(after, Mapping):
        yield from _compare_mappings(path, cast("Mapping[str, Any]", before), cast("Mapping[str, Any]", after), keys)
    elif isinstance(before, list) and isinstance(after, list):
        yield from _compare_lists(path, cast("list[object]", before), cast("list[object]", after), keys)
    elif before != after or isinstance(before, bool) != isinstance(after, bool):
        # True equals 1 in Python, but not in a document.
        yield Difference(path, Change.CHANGED, before, after)


def _compare_mappings(
    path: str, before: Mapping[str, Any], after: Mapping[str, Any], keys: Sequence[str]
) -> Iterator[Difference]:
    for key in before.keys() | after.keys():
        place = f"{path}.{key}" if path else str(key)
        yield from _compare_entry(place, before, after, key, keys)


def _compare_entry(
    place: str, before: Mapping[Any, Any], after: Mapping[Any, Any], key: Any, keys: Sequence[str]
) -> Iterator[Difference]:
    if key not in after:
        yield Difference(place, Change.REMOVED, before=before[key])
    elif key not in before:
        yield Difference(place, Change.ADDED, after=after[key])
    else:
        yield from _compare(place, before[key], after[key], keys)


def _compare_lists(path: str, before: list[Any], after: list[Any], keys: Sequence[str]) -> Iterator[Difference]:
    name = _naming_key(before + after, keys)
    old, new = _named(before, name), _named(after, name)
    if len(old) != len(before) or len(new) != len(after):  # a name given twice names nothing
        old, new = _named(before, None), _named(after, None)
    for key in old.keys() | new.keys():
        yield from _compare_entry(f"{path}[{key}]", old, new, key, keys)
    if list(old) != list(new) and old.keys() == new.keys():
        yield Difference(path, Change.CHANGED, before=list(old), after=list(new))


def _is_named(item: Any, key: str) -> bool:
    return isinstance(item, Mapping) and isinstance(cast("Mapping[str, Any]", item).get(key), str | int)


def _naming_key(items: list[Any], keys: Sequence[str]) -> str | None:
    for key in keys:
        if items and all(_is_named(item, key) for item in items):
            return key
    return None


def _named(items: list[Any], key: str | None) -> dict[Any, Any]:
    return dict(enumerate(items)) if key is None else {item[key]: item for item in items}
