"""What a choice will bring about, in words, before it is made."""

from __future__ import annotations

from dataclasses import dataclass, field

from tocsin.comms.status_effects import StatusEffects
from tocsin.core.process_definition import ProcessDefinition
from tocsin.core.process_parts import PriorityDefinition, SeverityDefinition, Verdict
from tocsin.core.roles import required_roles
from tocsin.core.severities import SuggestionReason
from tocsin.incidents import effect_words, known_facts
from tocsin.incidents.previewing import Previewer


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
    live: list[str] = field(default_factory=list)
    example: str = ""
    suggested: bool = False
    exception: bool = False


def of_priority(priority: PriorityDefinition) -> list[str]:
    """What this priority asks for, one sentence each, in the order of its criteria."""
    return list(effect_words.by_subject(priority).values())


def priority_choices(previewer: Previewer, *, when: effect_words.When) -> list[Choice]:
    """Every priority with what it changes, seen from the incident's present one and by the clock of now."""
    definition, incident = previewer.definition, previewer.incident
    now = definition.catalogue.by_rank(incident.priority) if incident.priority else None
    hearing = StatusEffects(previewer.actor, incident, now=previewer.now)
    found = []
    for one in definition.catalogue.priorities:
        begins, ends = effect_words.difference(now, one)
        told = begins + ([f"no longer: {', '.join(ends)}"] if ends else [])
        current = incident.priority == one.rank
        preview = previewer.priority(one.rank)
        heard = hearing.of(one.rank)
        found.append(
            Choice(
                value=str(one.rank),
                title=f"{one.code} {one.name}",
                meaning=one.meaning,
                effects=of_priority(one) if now is None or current else told,
                live=[]
                if current
                else [*effect_words.by_the_clock(preview, when=when), *([heard.words] if heard else [])],
                rank=one.rank,
                verdict=_verdict(definition, one.rank, incident.severity),
                why=effect_words.standing(preview, definition),
                current=current,
            )
        )
    return found


def severity_choices(previewer: Previewer, *, when: effect_words.When) -> list[Choice]:
    """Every severity with the people it calls, by name, what moves by the clock, and whether the facts speak for it."""
    definition, incident = previewer.definition, previewer.incident
    weighed = known_facts.weighing(incident, definition).suggestion
    found = []
    for one in definition.severities.severities:
        preview = previewer.severity(one.code)
        found.append(
            Choice(
                value=one.code,
                title=one.code.capitalize(),
                meaning=severity_meaning(one),
                effects=[*_kept(definition, one, incident.severity), *effect_words.people_called(preview, definition)],
                live=effect_words.by_the_clock(preview, when=when),
                rank=None,
                verdict=_verdict(definition, incident.priority, one.code),
                why=effect_words.standing(preview, definition),
                current=one.code == incident.severity,
                example=one.example,
                suggested=weighed.severity == one.code and weighed.reason is not SuggestionReason.NOTHING_KNOWN,
                exception=preview.judged.is_exception,
            )
        )
    return found


def _verdict(definition: ProcessDefinition, priority: int | None, severity: str) -> str:
    rule = definition.matrix.rule(priority, severity) if priority is not None else None
    return rule.verdict.value if rule and not definition.severities.switched_off else Verdict.ALLOWED.value


def severity_meaning(one: SeverityDefinition) -> str:
    teams = "team" if one.teams_required == "1" else "teams"
    return f"{one.users_affected.capitalize()} of users affected, {one.teams_required} {teams} needed."


def _kept(definition: ProcessDefinition, one: SeverityDefinition, current: str) -> list[str]:
    """The roles that stay called as they are now."""
    now = {role.role for role in required_roles(definition, current)}
    roles = [definition.roles.by_code(role.role) for role in required_roles(definition, one.code)]
    return [f"{role.display_name}: as now" for role in roles if role is not None and role.code in now]
