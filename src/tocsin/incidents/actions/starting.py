"""Who starts coordination: the second answer of the process, applied when somebody sets a severity."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from tocsin.core.access import Actor, ActorKind
from tocsin.core.authority import AuthorityPolicy
from tocsin.core.errors import Refused
from tocsin.core.process_answers import may_start, starts_coordination
from tocsin.core.process_definition import ProcessDefinition
from tocsin.incidents.models import Incident, RoleHeld
from tocsin.oncall import queries as oncall


def starting(
    actor: Actor, incident: Incident, definition: ProcessDefinition, severity: str, *, now: datetime
) -> dict[str, Any]:
    """What the log says of a person who starts coordination by this severity; {} when nobody does.

    Whoever is not named by the process may do it all the same, and it is written down as going beside the process;
    where rank is protected strictly, Refused.
    """
    by_person = actor.kind in {ActorKind.PERSON, ActorKind.PAGE_LINK}
    if not by_person or not starts_coordination(definition, incident.severity, severity):
        return {}
    if may_start(definition, _roles(actor, incident, definition, now=now)):
        return {"starts_coordination": "as_written"}
    if definition.roles.authority is AuthorityPolicy.STRICT:
        names = [role.display_name for role in definition.roles.roles if may_start(definition, {role.code})]
        remedy = f"Tell whoever is on call as {' or '.join(names)}."
        raise Refused("Coordination is started by somebody else.", reason="not_the_starter", remedy=remedy)
    return {"starts_coordination": "beside_the_process"}


def _roles(actor: Actor, incident: Incident, definition: ProcessDefinition, *, now: datetime) -> set[str]:
    """The roles somebody holds in the incident or is on call for."""
    rows = RoleHeld.objects.filter(incident=incident, until_at=None, person__username=actor.ident)
    on_call = {
        role.code
        for role in definition.roles.roles
        if not role.optional and actor.ident in oncall.on_call_for_role(role.code, now=now, team=incident.team)
    }
    return set(rows.values_list("role", flat=True)) | on_call
