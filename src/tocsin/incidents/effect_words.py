"""What a change of priority or severity brings about, in words; the same on pages, over the API and in a terminal."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from datetime import datetime, timedelta

from tocsin.core.matrix import PairReason, pair_text
from tocsin.core.obligation_facts import Obligation, ObligationKind
from tocsin.core.priorities import PriorityDuty, duties
from tocsin.core.process_definition import ProcessDefinition
from tocsin.core.process_parts import PageWhen, PriorityDefinition
from tocsin.incidents.previewing import Preview
from tocsin.incidents.role_calls import RoleCall
from tocsin.people.models import Person

When = Callable[[datetime], str]
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
_OWED = {
    ObligationKind.UPDATE_OPENING: "first word to {audience}",
    ObligationKind.UPDATE_PROGRESS: "next update to {audience}",
    ObligationKind.UPDATE_CLOSING: "closing word to {audience}",
    ObligationKind.CHOOSE_GROUPS: "choosing who hears of it",
    ObligationKind.POSTMORTEM: "the review",
}
_AUDIENCES = {"management": "management", "groups": "the stakeholder groups"}


def by_subject(priority: PriorityDefinition) -> dict[str, str]:
    """What a priority asks for: a subject each, so that two priorities can be laid beside each other."""
    asked = duties(priority)
    found = {duty.value: words for duty, words in WORDS.items() if duty in asked}
    if priority.criteria.update_every is not None:
        found["update"] = f"an update at least every {_span(priority.criteria.update_every)}"
    found["page"] = PAGING[priority.page.when]
    return found


def difference(before: PriorityDefinition | None, after: PriorityDefinition | None) -> tuple[list[str], list[str]]:
    """What begins and what ends with a change of priority; what only changes its measure counts as beginning."""
    old = by_subject(before) if before else {}
    new = by_subject(after) if after else {"page": PAGING[PageWhen.NEVER]}
    begins = [text for subject, text in new.items() if old.get(subject) != text]
    return begins, [text for subject, text in old.items() if subject not in new]


def by_the_clock(preview: Preview, *, when: When) -> list[str]:
    """What follows at once or has a time of its own: who is paged, what falls due when, what is asked no more."""
    found = [f"{_names(preview.woken)} {_is(preview.woken)} paged now"] if preview.woken else []
    moves = {move.after.key for move in preview.obligations.moves}
    found += [
        f"{_owed(one)} by {when(one.due_at)}" for one in preview.obligations.begins if one.due_at and one.kind in _OWED
    ]
    found += [
        f"{_owed(move.after)} by {when(move.after.due_at)} instead of {when(move.before.due_at)}"
        for move in preview.obligations.moves
        if move.after.due_at and move.before.due_at and move.after.due_at != move.before.due_at
    ]
    found += [
        f"no longer asked: {_owed(one)}"
        for one in preview.obligations.ends
        if one.kind in _OWED and one.key not in moves
    ]
    if preview.lateness is not None:
        found.append(f"kept for the review as a late re-classification: {preview.lateness.text}")
    return found


def people_called(preview: Preview, definition: ProcessDefinition) -> Iterator[str]:
    """Who is asked to join and who no longer holds a role."""
    for call in preview.calls:
        yield call_words(call)
    for gone in preview.released:
        role = definition.roles.by_code(gone.role)
        yield f"{_names(gone.persons)} no longer {'hold' if len(gone.persons) > 1 else 'holds'} {role.display_name if role else gone.role}"


def call_words(call: RoleCall) -> str:
    """One call: the role, whose team, and the names of those who are asked."""
    name = call.role.display_name + (f" of {call.team.label}" if call.team else "")
    who = f"{_names(call.persons)} will be asked now"
    return f"{name}: {who if call.persons else 'nobody is on call for it, so nobody is asked'}"


def standing(preview: Preview, definition: ProcessDefinition) -> str:
    """Whether the change may be made, and what it takes; "" where nothing stands in its way."""
    pair = preview.judged.pair
    if pair.reason is PairReason.NOT_ALLOWED:
        nearest = ", ".join(pair_text(definition, one) for one in pair.nearest)
        way = "; possible as an exception with a reason" if definition.matrix.exceptions else ""
        return f"Not together: {pair.why}. Nearest allowed: {nearest}{way}."
    if preview.judged.is_exception:
        return "Against what is known: an exception, with a reason that is read again in the review."
    return f"Needs a reason: {pair.why}." if pair.reason is PairReason.REASON_MISSING else ""


def _owed(one: Obligation) -> str:
    return _OWED[one.kind].format(audience=_AUDIENCES.get(one.audience, one.audience))


def _names(persons: list[Person]) -> str:
    names = [person.label for person in persons]
    return names[0] if len(names) == 1 else f"{', '.join(names[:-1])} and {names[-1]}" if names else ""


def _is(persons: list[Person]) -> str:
    return "are" if len(persons) > 1 else "is"


def _span(span: timedelta) -> str:
    minutes = int(span.total_seconds() // 60)
    hours, rest = divmod(minutes, 60)
    return " ".join([f"{hours} h"] * (hours > 0) + [f"{rest} min"] * (rest > 0 or not hours))
