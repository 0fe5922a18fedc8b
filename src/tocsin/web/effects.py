"""What a choice will bring about, in words, before it is made."""

from __future__ import annotations

from dataclasses import dataclass

from tocsin.core.matrix import pair_decision
from tocsin.core.priorities import PriorityDuty, duties
from tocsin.core.process_definition import ProcessDefinition
from tocsin.core.process_parts import PageWhen, PriorityDefinition, SeverityDefinition, Verdict
from tocsin.core.roles import required_roles
from tocsin.web.instants import span_text

WORDS = {
    PriorityDuty.HOTFIX: "a fix is rolled out at once",
    PriorityDuty.POSTMORTEM: "a review is required",
    PriorityDuty.NOTIFY_MANAGEMENT: "management is told",
    PriorityDuty.NOTIFY_STAKEHOLDER_GROUPS: "the chosen stakeholder groups are told",
    PriorityDuty.WORK_ITEM: "a work item is made",
}
PAGING = {
    PageWhen.ALWAYS: "people are paged at any hour",
    PageWhen.BUSINESS_HOURS: "people are paged in business hours only",
    PageWhen.NEVER: "nobody is paged",
}


@dataclass(frozen=True, slots=True)
class Choice:
    """One priority or severity to choose. `verdict` is what the matrix says of it beside what the incident has."""

    value: str
    title: str
    meaning: str
    effects: list[str]
    rank: int | None
    state: str = "set"
    verdict: str = Verdict.ALLOWED.value
    why: str = ""
    current: bool = False


def _by_subject(priority: PriorityDefinition) -> dict[str, str]:
    """What a priority asks for: a subject each, so that two priorities can be laid beside each other."""
    asked = duties(priority)
    found = {duty.value: words for duty, words in WORDS.items() if duty in asked}
    if priority.criteria.update_every is not None:
        found["update"] = f"an update at least every {span_text(priority.criteria.update_every)}"
    found["page"] = PAGING[priority.page.when]
    return found


def of_priority(priority: PriorityDefinition) -> list[str]:
    """What this priority asks for, one sentence each, in the order of its criteria."""
    return list(_by_subject(priority).values())


def difference(before: PriorityDefinition | None, after: PriorityDefinition) -> tuple[list[str], list[str]]:
    """What begins and what ends with a change of priority; what only changes its measure counts as beginning."""
    old, new = _by_subject(before) if before else {}, _by_subject(after)
    begins = [text for subject, text in new.items() if old.get(subject) != text]
    return begins, [text for subject, text in old.items() if subject not in new]


def priority_choices(definition: ProcessDefinition, *, current: int | None, severity: str) -> list[Choice]:
    """Every priority with what it changes, seen from the incident's present one."""
    now = definition.catalogue.by_rank(current) if current else None
    found = []
    for one in definition.catalogue.priorities:
        begins, ends = difference(now, one)
        told = begins + ([f"no longer: {', '.join(ends)}"] if ends else [])
        rule = definition.matrix.rule(one.rank, severity)
        found.append(
            Choice(
                value=str(one.rank),
                title=f"{one.code} {one.name}",
                meaning=one.meaning,
                effects=of_priority(one) if now is None or now.rank == one.rank else told,
                rank=one.rank,
                verdict=rule.verdict.value if rule else Verdict.ALLOWED.value,
                why=_why(definition, one.rank, severity),
                current=one.rank == current,
            )
        )
    return found


def severity_choices(
    definition: ProcessDefinition, *, current: str, priority: int | None, on_call: dict[str, list[str]]
) -> list[Choice]:
    """Every severity with the roles it calls. `on_call` maps a role's code to the names of who would be asked."""
    called_now = {role.role for role in required_roles(definition, current)}
    found = []
    for one in definition.severities.severities:
        rule = definition.matrix.rule(priority, one.code) if priority is not None else None
        found.append(
            Choice(
                value=one.code,
                title=one.code.capitalize(),
                meaning=severity_meaning(one),
                effects=_called(definition, one, called_now, on_call),
                rank=None,
                verdict=rule.verdict.value if rule else Verdict.ALLOWED.value,
                why=_why(definition, priority, one.code),
                current=one.code == current,
            )
        )
    return found


def severity_meaning(one: SeverityDefinition) -> str:
    teams = "team" if one.teams_required == "1" else "teams"
    return f"{one.users_affected.capitalize()} of users affected, {one.teams_required} {teams} needed."


def _called(
    definition: ProcessDefinition, one: SeverityDefinition, called_now: set[str], on_call: dict[str, list[str]]
) -> list[str]:
    found = []
    for role in required_roles(definition, one.code):
        known = definition.roles.by_code(role.role)
        name = known.display_name if known else role.role
        who = ", ".join(on_call.get(role.role, []))
        asked = f"{who} will be asked" if who else "nobody is on call for it, so nobody is asked"
        found.append(f"{name}: {'as now' if role.role in called_now else asked}")
    gone = called_now - {role.role for role in required_roles(definition, one.code)}
    for code in sorted(gone):
        known = definition.roles.by_code(code)
        found.append(f"{known.display_name if known else code} is released")
    return found


def _why(definition: ProcessDefinition, priority: int | None, severity: str) -> str:
    """Why a pair needs a reason or is not allowed; "" where it simply stands."""
    found = pair_decision(definition, priority, severity, explanation="")
    return "" if found.accepted else found.why
