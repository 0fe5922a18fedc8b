"""What a change of priority or severity would bring about, for an incident as it is now. Nothing is written.

Everything is asked of the same decisions as the change itself: the obligations of the facts as they would be, the
people on call for the roles as they would be called, the wake-up chain as it would go on.
"""

from __future__ import annotations

import copy
from collections.abc import Iterable
from dataclasses import dataclass, field, replace
from datetime import datetime

from tocsin.core import escalation as core
from tocsin.core.access import Actor, Right, require
from tocsin.core.classification import Judged, Lateness, judge
from tocsin.core.classification_effects import (
    ObligationEffects,
    obligation_effects,
    roles_released,
    without_released,
)
from tocsin.core.escalation import Cause, Phase
from tocsin.core.obligation_facts import ObligationFacts, PriorityChange, SeverityChange
from tocsin.core.priorities import PriorityState, required_priority
from tocsin.core.process_definition import ProcessDefinition
from tocsin.core.severities import require_severities, required_severity
from tocsin.incidents import known_facts, role_calls, snapshots
from tocsin.incidents.actions import chain, duties
from tocsin.incidents.actions.classifying import assume
from tocsin.incidents.models import Incident, RoleHeld
from tocsin.incidents.role_calls import RoleCall
from tocsin.oncall import queries as oncall
from tocsin.people.models import Person

_EXPLAINED = "explained"
"""Stands for whatever reason a person will give: a condition is met by having one."""


@dataclass(frozen=True, slots=True)
class Released:
    role: str
    persons: list[Person]


@dataclass(frozen=True, slots=True, kw_only=True)
class Preview:
    """A change that was not made. `judged` says whether it may be, and whether it needs a reason as an exception."""

    judged: Judged
    needs_reason: bool
    obligations: ObligationEffects = field(default_factory=ObligationEffects)
    calls: list[RoleCall] = field(default_factory=list)
    released: list[Released] = field(default_factory=list)
    woken: list[Person] = field(default_factory=list)
    lateness: Lateness | None = None


class Previewer:
    """The previews of one incident at one moment; what they have in common is read once."""

    def __init__(self, actor: Actor, incident: Incident, *, now: datetime) -> None:
        require(actor, Right.INCIDENT_READ)
        self.actor, self.incident, self.now = actor, incident, now
        self.definition: ProcessDefinition = snapshots.process_of(incident)
        self._calendar = snapshots.business_days(incident.team)
        self._facts = snapshots.obligation_facts(incident, duties.latest_rows(incident), self.definition)
        self._known = known_facts.known(incident)

    def priority(self, rank: int | None, state: str = "set") -> Preview:
        """Another priority, or none on purpose. Raises Invalid for one the process does not have."""
        if rank is not None:
            required_priority(self.definition.catalogue, rank)
        judged = judge(self.definition, priority=rank, severity=self.incident.severity, explanation=_EXPLAINED)
        supposed = copy.copy(self.incident)
        assume(supposed, rank, PriorityState(state), by_person=True, now=self.now)
        change = PriorityChange(self.now, PriorityState(state), rank)
        facts = replace(
            self._facts,
            priorities=(*self._facts.priorities, change),
            response_starts_at=snapshots.response_starts(supposed, self.definition),
        )
        return Preview(
            judged=judged,
            needs_reason=True,
            obligations=self._compared(facts),
            woken=self._woken(supposed),
            lateness=snapshots.lateness_of(self.incident, rank, now=self.now),
        )

    def severity(self, code: str) -> Preview:
        """Another severity. Raises Invalid for one the process does not have, Refused where it works without."""
        required_severity(self.definition.severities, code)
        require_severities(self.definition.severities)
        same = code == self.incident.severity
        rank = None if same else self.incident.priority
        judged = judge(self.definition, priority=rank, severity=code, known=self._known, explanation="")
        held = list(RoleHeld.objects.filter(incident=self.incident, until_at=None).select_related("person"))
        released = () if same else roles_released(self.definition, code, (row.role for row in held))
        change = SeverityChange(self.now, code)
        facts = replace(self._facts, severities=(*self._facts.severities, change))
        former = self.incident.severity
        calls = (
            []
            if same
            else role_calls.calls(self.incident, self.definition, code, former=former, now=self.now, without=released)
        )
        return Preview(
            judged=judged,
            needs_reason=judged.is_exception or not judged.pair.accepted,
            obligations=self._compared(without_released(facts, released)),
            calls=calls,
            released=[Released(role, _holders(held, role)) for role in released],
        )

    def _compared(self, facts: ObligationFacts) -> ObligationEffects:
        return obligation_effects(self._facts, facts, self.definition, now=self.now, calendar=self._calendar)

    def _woken(self, supposed: Incident) -> list[Person]:
        """Whom the wake-up chain would page at once."""
        if not snapshots.may_page(supposed, self.definition) or not supposed.is_open:
            return []
        row = chain.row_of(supposed)
        policy = snapshots.policy_of(row) if row else chain.policy_for(supposed)
        hold = snapshots.hold_of(supposed, self.definition)
        if row is None or snapshots.position_of(row).phase is Phase.ENDED:
            if supposed.acknowledged_at is not None:
                return []
            state = core.begin(policy, now=self.now)
        else:
            state = core.raise_priority(snapshots.position_of(row), policy, now=self.now, hold=hold, ack_timeout=None)
        held = state.cause is not Cause.BY_HAND and hold(self.now) > self.now
        if state.next_at is None or state.next_at > self.now or held:
            return []
        coming = 0 if state.step is None else state.step + 1
        targets = policy.steps[coming].targets if coming < len(policy.steps) else ()
        found = oncall.people_for(targets, now=self.now, team=supposed.team)
        return list({person.pk: person for group in found.values() for person in group}.values())


def _holders(held: Iterable[RoleHeld], role: str) -> list[Person]:
    return [row.person for row in held if row.role == role]
