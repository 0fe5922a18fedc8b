"""Whom a severity calls, by name: the same answer for the preview of a change and for the change itself."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from datetime import datetime

from tocsin.core.classification_effects import execution_role, roles_to_ask
from tocsin.core.process_definition import ProcessDefinition
from tocsin.core.process_parts import RoleDefinition
from tocsin.core.roles import is_coordinated
from tocsin.core.severities import is_graver
from tocsin.incidents.known_facts import teams_of
from tocsin.incidents.models import Incident, Page, RoleHeld
from tocsin.oncall import queries as oncall
from tocsin.oncall.models import Rotation
from tocsin.people import queries as people
from tocsin.people.models import Person, Team

_ANSWERED_YES = ("", "taken")
"""A page without an answer, or with a yes: whoever got it need not be asked again."""


@dataclass(frozen=True, slots=True)
class RoleCall:
    """The people on call for a role who are asked to join; nobody is a gap. `team` is set where a role is per team."""

    role: RoleDefinition
    persons: list[Person] = field(default_factory=list)
    team: Team | None = None


def calls(
    incident: Incident,
    definition: ProcessDefinition,
    severity: str,
    *,
    former: str = "",
    without: Iterable[str] = (),
    now: datetime,
) -> list[RoleCall]:
    """Everybody who is asked to join when `incident` goes from severity `former` (empty: it begins) to `severity`.

    `without` are roles that the change releases first.
    """
    rows = RoleHeld.objects.filter(incident=incident, until_at=None).values_list("role", flat=True)
    held = set(rows) - set(without)
    roles = roles_to_ask(definition, severity, former=former, held=held)
    targets = {role.code: f"role:{role.code}" for role in roles}
    found = oncall.people_for(list(targets.values()), now=now, team=incident.team)
    asked = [RoleCall(role, found[targets[role.code]]) for role in roles]
    return [*asked, *_experts(incident, definition, severity, former=former, now=now)]


def _experts(
    incident: Incident, definition: ProcessDefinition, severity: str, *, former: str, now: datetime
) -> list[RoleCall]:
    """The experts of all teams, when an incident gets graver and has to be coordinated; not who is there already."""
    if not former or not is_coordinated(definition, severity):
        return []
    if not is_graver(definition.severities, severity, former):
        return []
    role = execution_role(definition)
    there = _there(incident)
    return [call for team in teams_of(incident) for call in _of_team(incident, role, team, there, now=now)]


def _of_team(
    incident: Incident, role: RoleDefinition, team: Team, there: set[int], *, now: datetime
) -> Sequence[RoleCall]:
    if team.pk == incident.team_id and _own_team_is_called(incident, role):
        return []
    persons = experts_of(team, role.code, now=now)
    missing = [person for person in persons if person.pk not in there]
    # A team of whose people somebody is there already needs nobody else; a team with nobody on call is a gap.
    return [] if len(missing) < len(persons) else [RoleCall(role, missing, team)]


def experts_of(team: Team, role: str, *, now: datetime) -> list[Person]:
    """Who is on call for the work in a team: by its rotation of that role, else by any; the whole team where none is."""
    if Rotation.objects.filter(team=team, role=role).exists():
        target = f"role:{role}"
        return oncall.people_for([target], now=now, team=team)[target]
    return oncall.on_call_of_team(team, now=now) or people.members(team.name)


def _own_team_is_called(incident: Incident, role: RoleDefinition) -> bool:
    """The wake-up chain asks the incident's own team; somebody has it, or it goes on until somebody has."""
    if RoleHeld.objects.filter(incident=incident, role=role.code, until_at=None).exists():
        return True
    pages = Page.objects.filter(incident=incident, generation=incident.generation, kind="page")
    return pages.filter(answer__in=_ANSWERED_YES).exists()


def _there(incident: Incident) -> set[int]:
    held = RoleHeld.objects.filter(incident=incident, until_at=None).values_list("person_id", flat=True)
    pages = Page.objects.filter(incident=incident, generation=incident.generation, answer__in=_ANSWERED_YES)
    return {*held, *pages.exclude(person=None).values_list("person_id", flat=True)}
