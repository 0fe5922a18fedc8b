"""Who hears of an incident: the groups chosen with the SLO's priority, and management where the priority asks for it."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from tocsin.comms.models import Update
from tocsin.core.errors import Invalid
from tocsin.core.obligation_facts import Audience
from tocsin.core.process_definition import ProcessDefinition
from tocsin.incidents import snapshots
from tocsin.incidents.actions import duties
from tocsin.incidents.models import Incident
from tocsin.process import queries as process
from tocsin.process.models import StakeholderGroup


def groups_of(incident: Incident, definition: ProcessDefinition) -> list[StakeholderGroup]:
    """The groups an update goes to unless its writer chooses others, from the inner ring outward.

    Management hears where the priority asks for it, and to the end once it was told of the beginning.
    """
    chosen = {group.code: group for group in incident.groups.prefetch_related("members")}
    if _management_hears(incident, definition):
        chosen |= {group.code: group for group in process.management_groups()}
    return sorted(chosen.values(), key=lambda group: (group.ring, group.code))


def _management_hears(incident: Incident, definition: ProcessDefinition) -> bool:
    priority = definition.catalogue.by_rank(incident.priority) if incident.priority is not None else None
    if priority is not None and priority.criteria.notify_management:
        return True
    return snapshots.heard(duties.latest_rows(incident), Audience.MANAGEMENT).is_listening


def named(codes: Sequence[str]) -> list[StakeholderGroup]:
    """The groups of these codes. Raises Invalid for one that does not exist."""
    rows = StakeholderGroup.objects.prefetch_related("members").filter(code__in=codes)
    found = {group.code: group for group in rows}
    unknown = [code for code in codes if code not in found]
    if unknown:
        raise Invalid({"groups": f"There is no stakeholder group {', '.join(unknown)}."})
    return sorted(found.values(), key=lambda group: (group.ring, group.code))


def served(incident: Incident, told: Iterable[StakeholderGroup], definition: ProcessDefinition) -> set[Audience]:
    """The audiences that have heard as a whole once `told` have: of several groups the last one counts."""
    groups = list(told)
    expected = groups_of(incident, definition)
    return {
        audience
        for audience in audiences_of(groups)
        if _members(expected, audience) <= _members(groups, audience) | _told_since(incident, audience)
    }


def _told_since(incident: Incident, audience: Audience) -> set[str]:
    """The groups of an audience that heard since the audience was last served as a whole."""
    last = snapshots.heard(duties.latest_rows(incident), audience).last_sent_at
    updates = Update.objects.filter(incident=incident).prefetch_related("groups")
    since = updates.filter(sent_at__gt=last) if last else updates
    return set().union(*(_members(update.groups.all(), audience) for update in since))


def _members(groups: Iterable[StakeholderGroup], audience: Audience) -> set[str]:
    return {group.code for group in groups if audience_of(group) is audience}


def audience_of(group: StakeholderGroup) -> Audience:
    """Which of the process's audiences a group is."""
    return Audience.MANAGEMENT if group.is_management else Audience.GROUPS


def audiences_of(groups: Iterable[StakeholderGroup]) -> set[Audience]:
    """Which of the process's audiences these groups are."""
    return {audience_of(group) for group in groups}


def addresses_of(groups: Iterable[StakeholderGroup]) -> dict[str, str]:
    """Mail address -> name, each address once however many groups it is in."""
    return {member.email.lower(): member.name for group in groups for member in group.members.all()}


def has_outsiders(groups: Iterable[StakeholderGroup], definition: ProcessDefinition) -> bool:
    """Whether one of the groups stands in a ring outside the organisation."""
    outer = {ring.number for ring in definition.rings if ring.external}
    return any(group.ring in outer for group in groups)
