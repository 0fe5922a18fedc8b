"""Process documents as core values, kept ready: every decision about an incident asks for one."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import lru_cache
from typing import Any

from tocsin.core.process_definition import ProcessDefinition, parse_process
from tocsin.process.models import ProcessVersion

KEPT = 32


def document_digest(document: Mapping[str, Any]) -> str:
    """The name of a document's content: SHA-256 of its JSON with sorted keys."""
    text = json.dumps(document, sort_keys=True, separators=(",", ":"), ensure_ascii=False)
    return hashlib.sha256(text.encode()).hexdigest()


def definition_of(pk: int, sha256: str) -> ProcessDefinition:
    """The definition of the version `pk` whose content is `sha256`; read from the database at first use only.

    The digest is the key: a number may name another document after a restore, equal content is read alike.
    """
    if sha256:
        return _kept(_Content(sha256, pk))
    return parse_process(_document(pk))


@dataclass(frozen=True, slots=True)
class _Content:
    """A document by what it says; `pk` is where to find it."""

    sha256: str
    pk: int = field(compare=False)


@lru_cache(maxsize=KEPT)
def _kept(content: _Content) -> ProcessDefinition:
    return parse_process(_document(content.pk))


def _document(pk: int) -> dict[str, Any]:
    document: dict[str, Any] = ProcessVersion.objects.values_list("document", flat=True).get(pk=pk)
    return document
