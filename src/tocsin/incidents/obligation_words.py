"""What people call an obligation."""

from __future__ import annotations

from tocsin.core.obligation_facts import ObligationKind
from tocsin.incidents.models import Obligation


def words(row: Obligation) -> str:
    """An obligation as people say it: "update progress to groups"."""
    said = row.kind.replace("_", " ")
    if row.kind == ObligationKind.FILL_ROLE:
        return f"fill role {row.owner_role.replace('_', ' ')}"
    return f"{said} to {row.audience}" if row.audience else said
