"""Who hears of an incident: the groups chosen with the SLO's priority, and management where the priority asks for it."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from tocsin.core.errors import Invalid
from tocsin.core.obligation_facts import Audience
from tocsin.core.process_definition import ProcessDefinition
from tocsin.incidents.models import Incident
from tocsin.process import queries as process
from tocsin.process.models import StakeholderGroup


def groups_of(incident: Incident, definition: ProcessDefinition) -> list[StakeholderGroup]:
    """The groups an update goes to unless its writer chooses others."""
    chosen = {group.code: group for group in incident.groups.prefetch_related("members")}
    priority = definition.catalogue.by_rank(incident.priority) if incident.priority else None
    if priority is not None and priority.criteria.notify_management:
        chosen |= {group.code: group for group in process.management_groups()}
    return sorted(chosen.values(), key=lambda group: (group.ring, group.code))


def named(codes: Sequence[str]) -> list[StakeholderGroup]:
    """The groups of these codes. Raises Invalid for one that does not exist."""
    found = {group.code: group for group in StakeholderGroup.objects.prefetch_related("members").filter(code__in=codes)}
    unknown = [code for code in codes if code not in found]
    if unknown:
        raise Invalid({"groups": f"There is no stakeholder group {', '.join(unknown)}."})
    return list(found.values())


def audiences_of(groups: Iterable[StakeholderGroup]) -> set[Audience]:
    """Which of the process's audiences these groups are."""
    return {Audience.MANAGEMENT if group.is_management else Audience.GROUPS for group in groups}


def addresses_of(groups: Iterable[StakeholderGroup]) -> dict[str, str]:
    """Mail address -> name, each address once however many groups it is in."""
    return {member.email.lower(): member.name for group in groups for member in group.members.all()}
