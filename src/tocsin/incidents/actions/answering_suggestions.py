"""Accept or decline what the facts suggest; and ask by hand for whoever is on call for a role."""

from __future__ import annotations

from datetime import datetime

from django.db import transaction

from tocsin.core.access import Actor, Right
from tocsin.core.errors import Invalid, NotFound, Refused
from tocsin.incidents import known_facts, snapshots
from tocsin.incidents.actions import classifying, rank, staffing, suggesting
from tocsin.incidents.actions.incident_row import held, save
from tocsin.incidents.models import Incident
from tocsin.incidents.role_calls import RoleCall
from tocsin.oncall import queries as oncall
from tocsin.platform.text import clean

_ACCEPTED = "The facts suggest it"


@rank.protected
def answer_suggestion(
    actor: Actor, ref: str | int, subject: str, *, accept: bool, reason: str = "", now: datetime
) -> Incident:
    """Answer what is suggested: accepting makes the change, declining leaves things as they are. Both are recorded.

    Declining a severity keeps one that the known facts speak against: an exception, with a reason. Raises NotFound
    where nothing of that subject is suggested (any more), and what the change itself raises.
    """
    why = clean(reason).strip()
    with transaction.atomic():
        incident = held(ref)
        rank.require(actor, incident, Right.INCIDENT_CLASSIFY, now=now)
        row = known_facts.open_suggestions(incident).get(subject)
        if row is None:
            raise NotFound(f"Nothing waits for an answer about the {subject} of {incident.ref}.")
        if subject == suggesting.SEVERITY:
            severity = row.value if accept else incident.severity
            return classifying.change_severity(actor, incident.number, severity=severity, reason=why, now=now)
        if not accept:
            suggesting.decline(actor, incident, subject, reason=why, now=now)
            return incident
        if subject == suggesting.COMPLEX:
            return suggesting.mark_complex(actor, incident.number, is_complex=True, reason=why, now=now)
        return classifying.change_priority(
            actor, incident.number, priority=int(row.value), reason=why or _ACCEPTED, now=now
        )


@rank.protected
def ask_role(actor: Actor, ref: str | int, role: str, *, now: datetime) -> Incident:
    """Ask whoever is on call for a role to join, whatever the severity calls.

    Raises Invalid for an unknown role, Refused when the incident is over or nobody is on call for it.
    """
    with transaction.atomic():
        incident = held(ref)
        rank.require(actor, incident, Right.INCIDENT_ASSIGN, now=now)
        if not incident.is_open:
            raise Refused(f"{incident.ref} is over.", reason="ended", remedy="Reopen it, or declare a new one.")
        definition = snapshots.process_of(incident)
        known = definition.roles.by_code(role)
        if known is None:
            there = ", ".join(one.code for one in definition.roles.roles)
            raise Invalid({"role": f"There is no role {role!r}; the process has {there}."})
        target = f"role:{role}"
        persons = oncall.people_for([target], now=now, team=incident.team)[target]
        if not persons:
            raise Refused(
                f"Nobody is on call as {known.display_name.lower()}.",
                reason="nobody_to_ask",
                remedy="Give the role to somebody by name.",
            )
        save(incident, now=now)
        staffing.ask(incident, definition, RoleCall(known, persons), actor=actor, now=now)
    return incident
