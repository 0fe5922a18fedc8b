"""The check of a process against itself and against the people there are."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from tocsin.catalog import queries as catalog
from tocsin.core.access import Actor, Right, require
from tocsin.core.errors import Invalid
from tocsin.core.process_check import Finding, check
from tocsin.core.process_staffing import RoleRotation, Staff
from tocsin.oncall import queries as oncall
from tocsin.oncall.models import Rotation
from tocsin.people.models import Person
from tocsin.process import queries as process


def check_version(actor: Actor, number: int | None = None) -> tuple[Finding, ...]:
    """The findings about version `number`, the one in force when None. Raises NotFound."""
    require(actor, Right.PROCESS_READ)
    shown = process.version(actor, process.current_version().number if number is None else number)
    return check(shown.document, staff(actor))


def check_sections(actor: Actor, sections: Mapping[str, Any]) -> tuple[Finding, ...]:
    """The findings about `sections` laid over the process in force. Raises Invalid for an unknown section."""
    require(actor, Right.PROCESS_READ)
    current = process.version(actor, process.current_version().number).document
    if unknown := sorted(sections.keys() - current.keys()):
        raise Invalid({unknown[0]: f"There is no such section; there are {', '.join(current)}."})
    return check({**current, **sections}, staff(actor))


def staff(actor: Actor) -> Staff:
    """Who could be on call for which role, and the teams that own something which can break."""
    rows = list(oncall.rotations(actor))
    active = set(Person.objects.filter(is_active=True).values_list("username", flat=True))
    owning = {one.team.name for one in catalog.services(actor) if one.team is not None}
    return Staff([_rotation(row, active) for row in rows if row.role], sorted(owning))


def _rotation(row: Rotation, active: set[str]) -> RoleRotation:
    named = {name for layer in row.layers for users in layer.get("users", ()) for name in users}
    return RoleRotation(row.name, row.role, row.team.name if row.team else "", frozenset(named & active))
