"""What entries of the desk have in common: words, numbers, and whom a name means."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from django.db.models import Max, QuerySet

from tocsin.audit.actions import stamp
from tocsin.core.errors import Invalid
from tocsin.incidents import snapshots
from tocsin.incidents.models import Incident, RoleHeld
from tocsin.people.models import Person, Team
from tocsin.platform.text import clean, one_line

LONGEST = 2000
_NAME = 150
MOST_ADDRESSEES = 20


@dataclass(frozen=True, slots=True)
class Meant:
    """Whom a name means. `role` is a code of the process; a person may come with it: whoever holds it now."""

    name: str
    person: Person | None = None
    role: str = ""
    team: Team | None = None


def words(text: str, field: str, *, missing: str) -> str:
    """What was said, cleaned. Raises Invalid where nothing was."""
    said = clean(text).strip()[:LONGEST]
    if not said:
        raise Invalid({field: missing})
    return said


def line(text: str) -> str:
    return one_line(clean(text).strip(), limit=_NAME)


def ahead(at: datetime | None, field: str, *, now: datetime) -> None:
    """Raises Invalid for a time that is gone already, or that has no zone."""
    if at is not None and at.tzinfo is None:
        raise Invalid({field: "Give it with a zone: 2026-07-01T09:30:00Z."})
    if at is not None and at <= now:
        raise Invalid({field: "That time has passed."})


def next_number(rows: QuerySet[Any]) -> int:
    """The next number among `rows`, which are of one kind in an incident that the caller holds."""
    last = rows.aggregate(last=Max("number"))["last"]
    return (last or 0) + 1


def meant(incident: Incident, names: Iterable[str]) -> list[Meant]:
    """Whom these names mean, each once, in their order: a user name, a role of the process, a team, or just a name."""
    said = list(dict.fromkeys(found for one in names if (found := line(one).lstrip("@"))))
    if len(said) > MOST_ADDRESSEES:
        raise Invalid({"addressees": f"At most {MOST_ADDRESSEES} can be named; name the teams instead."})
    persons = {one.username.lower(): one for one in Person.objects.filter(username__in=_cases(said), is_active=True)}
    teams = {one.name: one for one in Team.objects.filter(name__in=_cases(said))}
    roles = {one.code: one for one in snapshots.process_of(incident).roles.roles}
    by_name = {one.display_name.lower(): one for one in roles.values()}
    meanings: list[Meant] = []
    for name in said:
        key = name.lower()
        role = roles.get(key) or by_name.get(key)
        if key in persons:
            meanings.append(Meant(persons[key].label, person=persons[key]))
        elif role is not None:
            meanings.append(Meant(role.display_name, person=_holder(incident, role.code), role=role.code))
        elif key in teams:
            meanings.append(Meant(teams[key].label, team=teams[key]))
        else:
            meanings.append(Meant(name))
    return list({one.name: one for one in meanings}.values())


def _cases(names: Iterable[str]) -> set[str]:
    return {case for name in names for case in (name, name.lower())}


def _holder(incident: Incident, role: str) -> Person | None:
    """Whoever holds that role, when it is one person."""
    rows = RoleHeld.objects.filter(incident=incident, role=role, until_at=None).select_related("person")[:2]
    holders = [row.person for row in rows]
    return holders[0] if len(holders) == 1 else None


def due(at: datetime | None) -> dict[str, Any]:
    """What the log says of a time box, if there is one."""
    return {"due": stamp(at)} if at is not None else {}


def for_whom(name: str) -> str:
    return f"({name})" if name else ""
