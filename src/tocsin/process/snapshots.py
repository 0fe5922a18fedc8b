"""Process documents as core values, kept ready: every decision about an incident asks for one."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
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

    The digest is part of the key, because a number alone may name another document after a restore.
    """
    if sha256:
        return _kept(pk, sha256)
    return parse_process(_document(pk))


@lru_cache(maxsize=KEPT)
def _kept(pk: int, sha256: str) -> ProcessDefinition:  # noqa: ARG001 - the digest is there for the key
    return parse_process(_document(pk))


def _document(pk: int) -> dict[str, Any]:
    document: dict[str, Any] = ProcessVersion.objects.values_list("document", flat=True).get(pk=pk)
    return document
