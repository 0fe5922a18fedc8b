"""Places where the parts of a process contradict each other, or describe what can never happen.

A document with such a place can be read and used; people who follow it would be told two things at once.
"""

from __future__ import annotations

from collections.abc import Iterator
from itertools import pairwise

from tocsin.core.decision_duties import untimed
from tocsin.core.document_reading import Level, Problem
from tocsin.core.process_answers import DecisionDuty, starting, strange_words, taking_in, texts
from tocsin.core.process_definition import ProcessDefinition
from tocsin.core.process_parts import (
    NAMED_PERSON,
    Area,
    PageWhen,
    PostmortemSettings,
    QuestionCode,
    RoleNeed,
    Urgency,
    Verdict,
)

SETS_SEVERITY = "set_severity"
_ANSWERS = "questions.process_questions"
_NUMBERS = {code: number for number, code in enumerate(QuestionCode, start=1)}
_ROLE_FOR_EACH = (QuestionCode.COMMUNICATION, QuestionCode.DOCUMENTATION, QuestionCode.POSTMORTEM)


def contradictions(process: ProcessDefinition) -> list[Problem]:
    """Every contradiction and every dead end of a process that obeys all rules of its parts."""
    return [
        *_answered_roles(process),
        *_coordination(process),
        *_starting(process),
        *_deciding(process),
        *_taking_in(process),
        *_matrix(process),
        *_unreachable(process),
        *_paces(process),
        *_nights(process),
        *_escalating_roles(process),
        *_rings(process),
        *_deadlines(process.postmortem),
    ]


def _place(code: QuestionCode) -> str:
    return f"{_ANSWERS}.{_NUMBERS[code]}"


def _called(process: ProcessDefinition, severity: str) -> frozenset[str]:
    cells = process.roles.by_severity.get(severity, {})
    return frozenset(role for role, need in cells.items() if need is not RoleNeed.NONE)


def _coordinated(process: ProcessDefinition) -> frozenset[str]:
    return frozenset(texts(process.answer(QuestionCode.COORDINATED_WHEN).get("severities")))


def _name(process: ProcessDefinition, role: str) -> str:
    found = process.roles.by_code(role)
    return found.display_name if found else role


def _answered_roles(process: ProcessDefinition) -> Iterator[Problem]:
    """An answer gives a duty to somebody who is not there (section 7, numbers 1 to 3)."""
    for code in _ROLE_FOR_EACH:
        for severity, role in process.answer(code).items():
            if role != NAMED_PERSON and role not in _called(process, severity):
                text = f"gives {code.value} at {severity} to {_name(process, str(role))}, whom {severity} does not call"
                yield Problem(f"{_place(code)}.machine.{severity}", "answered_role_is_called", text)
    for duty, cells in process.roles.duties_when_absent.items():
        for severity, role in cells.items():
            if severity in process.severities.codes and role not in _called(process, severity):
                text = f"{_name(process, role)} stands in for {duty} at {severity}, which does not call that role"
                yield Problem(f"roles.duties_when_role_absent.{duty}.{severity}", "stand_in_is_called", text)


def _coordination(process: ProcessDefinition) -> Iterator[Problem]:
    coordinated, where = _coordinated(process), _place(QuestionCode.COORDINATED_WHEN)
    coordinators = {role.code for role in process.roles.roles if Area.COORDINATION in role.areas}
    for severity in process.severities.severities:
        calls = bool(coordinators & _called(process, severity.code))
        if severity.code in coordinated and not calls:
            text = f"{severity.code} is coordinated, and no role of coordination is called there"
            yield Problem(where, "coordinated_has_a_coordinator", text)
        if severity.coordinator_required and severity.code not in coordinated:
            text = f"{severity.code} requires a coordinator, and answer 1 does not coordinate it"
            yield Problem(where, "coordinated_as_required", text)
        elif calls and severity.code not in coordinated:
            text = f"{severity.code} calls a role of coordination, and answer 1 does not coordinate it"
            yield Problem(where, "called_but_not_coordinated", text)


def _starting(process: ProcessDefinition) -> Iterator[Problem]:
    """Coordination is for some severities and started by setting others (section 7, number 4)."""
    said, where, coordinated = starting(process), _place(QuestionCode.WHO_STARTS), _coordinated(process)
    order = process.severities.codes
    if said.to != coordinated:
        apart = ", ".join(code for code in order if code in said.to ^ coordinated)
        text = f"answer 1 and answer 2 disagree about {apart}"
        yield Problem(f"{where}.machine.to", "starts_what_is_coordinated", text)
    for code in sorted(said.who):
        role = process.roles.by_code(code)
        if role is not None and SETS_SEVERITY not in role.rights:
            text = f"{role.display_name} starts coordination without the right to set the severity"
            yield Problem(f"{where}.machine.who", "starter_may_start", text)


def _deciding(process: ProcessDefinition) -> Iterator[Problem]:
    role = str(process.answer(QuestionCode.WHO_DECIDES).get("role"))
    stand_ins = process.roles.duties_when_absent.get("decisions", {})
    for severity in process.severities.codes:
        if role not in _called(process, severity) and severity not in stand_ins:
            text = f"at {severity} nobody decides: {_name(process, role)} is not called there and nobody stands in"
            yield Problem(f"{_place(QuestionCode.WHO_DECIDES)}.machine.role", "decider_is_there", text)


def _taking_in(process: ProcessDefinition) -> Iterator[Problem]:
    for code in _NUMBERS:
        for key, word, known in strange_words(process.answer(code), code):
            text = f"{word!r} is nothing the software acts on; it knows {', '.join(known)}"
            yield Problem(f"{_place(code)}.machine.{key}", "known_word", text)
    said, where = taking_in(process), f"{_place(QuestionCode.FREEDOM)}.machine.duties"
    if said.acknowledge and DecisionDuty.RECEIVE not in said.duties:
        text = "answer 5 asks for an acknowledgement, and answer 7 does not owe taking in"
        yield Problem(where, "acknowledged_means_received", text)
    if DecisionDuty.REPORT in said.duties and DecisionDuty.EXECUTE not in said.duties:
        yield Problem(where, "acted_means_executed", "a report is owed on what nobody owes to carry out")
    if endless := untimed(process):
        text = f"nobody is reminded of {', '.join(one.value for one in endless)}: answer 7 sets no time for it"
        place = f"{_place(QuestionCode.FREEDOM)}.machine.within_minutes"
        yield Problem(place, "duties_have_times", text, Level.WARNING)


def _matrix(process: ProcessDefinition) -> Iterator[Problem]:
    leads = process.answer(QuestionCode.POSTMORTEM)
    gravest = process.severities.codes[0]
    for priority in process.catalogue.priorities:
        for severity in process.severities.codes:
            rule = process.matrix.rule(priority.rank, severity)
            if rule is None or rule.verdict is not Verdict.ALLOWED:
                continue
            where = f"matrix.permutations.{priority.code}.{severity}"
            if priority.criteria.postmortem and leads.get(severity) == NAMED_PERSON:
                text = f"{priority.code} and {severity} owes a postmortem, and nobody is named to run it"
                yield Problem(where, "postmortem_has_a_leader", text)
            if severity == gravest and not priority.criteria.notify_management:
                text = f"{priority.code} and {severity} calls the full response, and management is not told"
                yield Problem(where, "grave_is_heard_of", text)


def _unreachable(process: ProcessDefinition) -> Iterator[Problem]:
    """Pairs that no incident can come to by changing its priority or its severity, one at a time."""
    usable = {
        (rule.priority, rule.severity) for rule in process.matrix.rules if rule.verdict is not Verdict.NOT_ALLOWED
    }
    reached: set[tuple[int, str]] = set()
    # Without a priority every severity fits; setting one from there needs an allowed pair only.
    edge = [pair for pair in usable if pair[1] == process.severities.start]
    while edge:
        pair = edge.pop()
        if pair not in reached:
            reached.add(pair)
            edge += [other for other in usable - reached if (other[0] == pair[0]) is not (other[1] == pair[1])]
    codes = {one.rank: one.code for one in process.catalogue.priorities}
    for rank, severity in sorted(usable - reached, key=lambda pair: (pair[0], pair[1])):
        text = f"{codes[rank]} and {severity} may stand together, but no single change leads there"
        yield Problem(f"matrix.permutations.{codes[rank]}.{severity}", "pair_is_reachable", text)


def _paces(process: ProcessDefinition) -> Iterator[Problem]:
    notification = process.catalogue.notification
    for priority in process.catalogue.priorities:
        every = priority.criteria.update_every
        if every is None:
            continue
        if notification.opening_within >= every:
            text = f"the opening may come as late as the update after it at {priority.code}"
            yield Problem("priorities.notification.opening_within_minutes", "opening_before_the_next", text)
        if notification.overdue_grace >= every:
            text = f"at {priority.code} an update counts as late only when the next one is due, too"
            yield Problem("priorities.notification.overdue_grace_minutes", "grace_within_the_interval", text)


def _nights(process: ProcessDefinition) -> Iterator[Problem]:
    catalogue = process.catalogue
    for priority in catalogue.priorities:
        if priority.page.when is PageWhen.ALWAYS and priority.page.urgency is Urgency.LOW:
            text = f"{priority.code} wakes people at night for something of low urgency"
            yield Problem(f"priorities.priorities.{priority.code}.page", "night_for_the_urgent", text, Level.WARNING)
    unset = catalogue.by_rank(catalogue.unset_rank)
    if unset is not None and unset.page.when is not PageWhen.ALWAYS:
        text = f"what nobody has decided pages as {unset.code}, which lets people sleep"
        yield Problem("priorities.unset.pages_as", "undecided_wakes", text, Level.WARNING)


def _escalating_roles(process: ProcessDefinition) -> Iterator[Problem]:
    for graver, milder in pairwise(process.severities.codes):
        for role in sorted(_called(process, milder) - _called(process, graver)):
            text = f"{milder} calls {_name(process, role)}, the graver {graver} does not"
            yield Problem(f"roles.roles_by_severity.{milder}.{role}", "milder_calls_no_more", text)


def _rings(process: ProcessDefinition) -> Iterator[Problem]:
    peopled = {group.ring for group in process.groups}
    for priority in process.catalogue.priorities:
        for ring in sorted(set(priority.rings) - peopled):
            text = f"{priority.code} informs ring {ring}, in which there is no group"
            yield Problem(f"priorities.priorities.{priority.code}.rings", "ring_has_a_group", text, Level.WARNING)


def _deadlines(settings: PostmortemSettings) -> Iterator[Problem]:
    """The first row that fits counts: a row behind one that fits all it fits never counts."""
    for index, row in enumerate(settings.meeting):
        for earlier in settings.meeting[:index]:
            priorities = not earlier.priorities or (row.priorities and row.priorities <= earlier.priorities)
            severities = not earlier.severities or (row.severities and row.severities <= earlier.severities)
            if priorities and severities:
                text = f"row {index + 1} never counts, for an earlier row fits whatever it fits"
                yield Problem(f"postmortem.deadlines.meeting.{index}", "deadline_is_reachable", text)
                break
