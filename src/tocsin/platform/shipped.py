"""Data files that ship inside a package: read and parsed once for a process, given out fresh each time."""

from __future__ import annotations

from functools import cache
from importlib.resources import files
from typing import Any

import msgspec
import yaml

_LOADER: Any = getattr(yaml, "CSafeLoader", yaml.SafeLoader)


def document(package: str, name: str) -> Any:
    """What the YAML file `name` of `package` holds, as JSON-able values of the caller's own.

    A caller may change what it gets: the next one gets the file's content again.
    """
    return msgspec.json.decode(_content(package, name))


@cache
def _content(package: str, name: str) -> bytes:
    text = files(package).joinpath(name).read_text(encoding="utf-8")
    return msgspec.json.encode(yaml.load(text, Loader=_LOADER))  # noqa: S506 - the C form of the safe loader
