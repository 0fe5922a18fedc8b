"""What people call a priority: the catalogue's words, or what their absence means."""

from __future__ import annotations

from tocsin.core.process_definition import ProcessDefinition

UNDECIDED = "undecided"
NO_PRIORITY = "none"


def priority_code(definition: ProcessDefinition, rank: int | None, state: str) -> str:
    """The code of a priority, or a word where there is none."""
    if rank is not None:
        found = definition.catalogue.by_rank(rank)
        return found.code if found else str(rank)
    return UNDECIDED if state == "unset" else NO_PRIORITY


def priority_words(definition: ProcessDefinition, rank: int | None, state: str) -> str:
    """Code and name of a priority, or a word where there is none."""
    found = definition.catalogue.by_rank(rank) if rank is not None else None
    return f"{found.code} {found.name}" if found else priority_code(definition, rank, state)
