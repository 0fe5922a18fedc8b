"""The wake-up chain of an incident: its row is the timer, core says what happens, this writes it down.

Every function here is called by an action that holds the incident and is part of its transaction.
"""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime, timedelta
from typing import Any

from tocsin.core import escalation as core
from tocsin.core.errors import Invalid
from tocsin.core.escalation import Phase
from tocsin.core.escalation_document import parse_policy
from tocsin.core.joined_policy import joined_policy
from tocsin.core.process_definition import ProcessDefinition
from tocsin.core.roles import Duty, duty_holder
from tocsin.incidents import snapshots
from tocsin.incidents.actions import shared_causes
from tocsin.incidents.actions.chain_step import advance, in_maintenance, store
from tocsin.incidents.models import Escalation, Incident
from tocsin.oncall import queries as oncall
from tocsin.oncall.models import Rotation
from tocsin.people.models import Membership


def begin(incident: Incident, *, now: datetime) -> None:
    """Start the chain of a new incident with the policy of its service, and page the first step at once.

    Nothing starts where the priority pages nobody. A service without a policy has its team's people; without a team
    the chain is empty and the fallback hears: an incident is never silent.
    """
    definition = snapshots.process_of(incident)
    if not snapshots.may_page(incident, definition):
        return
    row = Escalation(incident=incident, policy=_policy_for(incident))
    state = core.begin(snapshots.policy_of(row), now=now, quiet=in_maintenance(incident))
    store(row, state, now=now)
    advance(incident, row, now=now)


def begin_again(incident: Incident, *, now: datetime) -> None:
    """Start from the first step with the people of now: reopened, or a priority that pages after one that did not."""
    former = row_of(incident)
    if former is None:
        begin(incident, now=now)
        return
    if not snapshots.may_page(incident, snapshots.process_of(incident)):
        return
    policy = snapshots.policy_of(former)
    state = core.begin(policy, now=now, quiet=in_maintenance(incident))
    store(former, replace(state, loop=_next_loop(former)), now=now)
    advance(incident, former, now=now)


def taken_up(incident: Incident, *, now: datetime) -> None:
    """Somebody had it and still has it, although it was ended for a moment: nobody is paged."""
    row = row_of(incident)
    if row is not None:
        begun = core.begin(snapshots.policy_of(row), now=now)
        begun = replace(begun, loop=_next_loop(row))
        store(row, core.acknowledge(begun, now=now, timeout=snapshots.acknowledged_quiet_of(incident)), now=now)


def row_of(incident: Incident) -> Escalation | None:
    return Escalation.objects.filter(incident=incident).first()


def usual_policy(incident: Incident, definition: ProcessDefinition) -> dict[str, Any]:
    """Who is woken for a service without a policy: its team's people on call, then the team's owners."""
    wait = definition.roles.escalation_steps[0].acknowledge_within if definition.roles.escalation_steps else timedelta()
    steps = [targets for targets in (_on_call_targets(incident, definition), _owner_targets(incident)) if targets]
    minutes = wait // timedelta(minutes=1)
    return {
        "name": f"usual-{incident.team.name}" if incident.team else "usual",
        "repeat": definition.roles.escalation_repeats,
        "steps": [{"wait_minutes": minutes, "targets": targets} for targets in steps],
    }


def _on_call_targets(incident: Incident, definition: ProcessDefinition) -> list[str]:
    role = duty_holder(definition, Duty.EXECUTION, incident.severity, held=()).role
    if incident.team is None:
        return []
    own = Rotation.objects.filter(team=incident.team)
    unnamed = [f"rotation:{name}" for name in own.filter(role="").order_by("name").values_list("name", flat=True)]
    return [f"role:{role}", *unnamed] if own.filter(role=role).exists() else unnamed


def _owner_targets(incident: Incident) -> list[str]:
    if incident.team is None:
        return []
    owners = Membership.objects.filter(team=incident.team, is_owner=True).order_by("id")
    names = [f"user:{name}" for name in owners.values_list("person__username", flat=True)]
    return names or [f"team:{incident.team.name}"]


def acknowledged(incident: Incident, *, now: datetime) -> None:
    """Somebody is on it: nobody else is paged."""
    row = _live_row(incident)
    if row is not None:
        timeout = snapshots.acknowledged_quiet_of(incident)
        store(row, core.acknowledge(snapshots.position_of(row), now=now, timeout=timeout), now=now)


def _live_row(incident: Incident) -> Escalation | None:
    """The chain unless it has ended, which it has as well while the priority of an open incident pages nobody."""
    row = row_of(incident)
    return None if row is None or snapshots.position_of(row).phase is Phase.ENDED else row


def ended(incident: Incident, *, now: datetime) -> None:
    """Resolved, merged or cancelled: nothing more is due, in the same transaction."""
    row = row_of(incident)
    if row is not None:
        store(row, core.end(snapshots.position_of(row)), now=now)


def snoozed(incident: Incident, *, until: datetime, now: datetime) -> None:
    """Nobody is paged before `until`. Raises Invalid when that is not in the future."""
    if until <= now:
        raise Invalid({"until": "A snooze ends in the future."})
    row = _live_row(incident)
    if row is not None:
        store(row, core.snooze(snapshots.position_of(row), now=now, until=until), now=now)


def by_hand(incident: Incident, *, now: datetime) -> None:
    """The next step at once, also after an acknowledgement; a hand on the button pages whatever the priority says."""
    row = _live_row(incident)
    if row is not None:
        state = core.escalate_by_hand(snapshots.position_of(row), snapshots.policy_of(row), now=now)
    else:
        row = row_of(incident) or Escalation(incident=incident, policy=_policy_for(incident))
        begun = core.begin(snapshots.policy_of(row), now=now)
        state = replace(begun, loop=_next_loop(row), cause=core.Cause.BY_HAND)
    store(row, state, now=now)
    advance(incident, row, now=now)


def _next_loop(row: Escalation) -> int:
    """A loop of its own for whatever begins anew, so that its pages are new ones."""
    return snapshots.position_of(row).loop + 1 if row.position else 0


def policy_for(incident: Incident) -> core.Policy:
    """The policy that would wake people for an incident whose chain has not begun."""
    return parse_policy(_policy_for(incident))


def _policy_for(incident: Incident) -> dict[str, Any]:
    found = oncall.policy_named(incident.escalation_policy) or oncall.policy_for(incident.service)
    own = found or usual_policy(incident, snapshots.process_of(incident))
    others = shared_causes.policies_of_others(incident)
    return joined_policy([parse_policy(one) for one in (own, *others)]) if others else own


def reclassified(incident: Incident, *, now: datetime) -> None:
    """Another priority: no page comes later than it would have (I19), and one that is due now comes now.

    What is over wakes nobody, whatever it is called afterwards.
    """
    if not incident.is_open:
        return
    row = row_of(incident)
    definition = snapshots.process_of(incident)
    pages = snapshots.may_page(incident, definition)
    if row is None or snapshots.position_of(row).phase is Phase.ENDED:
        if pages and incident.acknowledged_at is None:
            begin_again(incident, now=now)
        elif pages:
            taken_up(incident, now=now)
        return
    if not pages:
        ended(incident, now=now)
        return
    state = core.raise_priority(
        snapshots.position_of(row),
        snapshots.policy_of(row),
        now=now,
        hold=snapshots.hold_of(incident, definition),
        ack_timeout=snapshots.acknowledged_quiet_of(incident),
    )
    store(row, state, now=now)
    advance(incident, row, now=now)


def told_again(incident: Incident, *, now: datetime) -> None:
    """The condition is still true after the rule's own wait: a chain that had ended unanswered begins anew."""
    row = row_of(incident)
    if row is not None and snapshots.position_of(row).phase is Phase.EXHAUSTED:
        by_hand(incident, now=now)


def grown(incident: Incident, *, now: datetime) -> None:
    """The trouble has eaten more of the budget: who was paged and did not answer is paged anew."""
    row = row_of(incident)
    if row is None:
        return
    before = snapshots.position_of(row)
    state = core.grown(before, snapshots.policy_of(row), now=now)
    if state != before:
        store(row, state, now=now)
        advance(incident, row, now=now)


def stands_at(incident: Incident, *, loop: int, step: int) -> bool:
    """Whether that step is the last one paged: an answer to an older page does not hurry the chain."""
    row = row_of(incident)
    if row is None:
        return False
    state = snapshots.position_of(row)
    return state.phase is Phase.WAITING and (state.loop, state.step) == (loop, step)


def unreachable(incident: Incident, *, loop: int, step: int, now: datetime) -> None:
    """Every page of a step failed for good: the next step is due at once."""
    row = row_of(incident)
    if row is not None:
        store(row, core.step_unreachable(snapshots.position_of(row), loop=loop, step=step, now=now), now=now)


def sooner(incident: Incident, *, than: datetime | None, now: datetime) -> None:
    """Let the next action be due no later than `than` (an incident takes over what another one had due)."""
    row = row_of(incident)
    if row is None or than is None:
        return
    state = snapshots.position_of(row)
    if state.phase is Phase.WAITING and state.next_at is not None and than < state.next_at:
        store(row, replace(state, next_at=max(than, now)), now=now)
