"""What tells this installation from another one that uses the same outside tools."""

from __future__ import annotations

import secrets

from tocsin.platform.models import Setting

_NAME = "installation"
_BYTES = 4


def short_name() -> str:
    """Eight letters and digits, made once and kept with the data: numbers of incidents begin anew with new data."""
    row, _ = Setting.objects.get_or_create(name=_NAME, defaults={"value": {"id": secrets.token_hex(_BYTES)}})
    return str(row.value["id"])


def known_name() -> str:
    """The short name, without making one: what is only looked at changes nothing."""
    row = Setting.objects.filter(name=_NAME).first()
    return str(row.value["id"]) if row else "0" * 2 * _BYTES
