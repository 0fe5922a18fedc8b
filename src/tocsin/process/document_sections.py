"""The sections of the written process that the exports of priorities do not have: each as blocks for people."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

from tocsin.core.process_answers import announcing, objections_round, starting, taking_in
from tocsin.core.process_definition import ProcessDefinition
from tocsin.core.process_parts import NAMED_PERSON, DayCount, MeetingDeadline, QuestionCode, RoleDefinition, RoleNeed
from tocsin.platform.documents import Block, Heading, List, Table, Text
from tocsin.process import wellbeing_words
from tocsin.process.sentences import VERDICTS, interval

NEEDS: Mapping[RoleNeed, str] = {
    RoleNeed.DEDICATED: "a person of its own",
    RoleNeed.SHARED: "beside another role",
    RoleNeed.NONE: "",
}


def cadence(process: ProcessDefinition) -> list[Block]:
    """How often which priority tells people, and what counts as late."""
    settings = process.catalogue.notification
    rows = tuple(
        (one.code, interval(settings.opening_within), interval(every), interval(settings.overdue_grace))
        for one in process.catalogue.priorities
        if (every := one.criteria.update_every) is not None
    )
    silent = [one.code for one in process.catalogue.priorities if one.criteria.update_every is None]
    last = [Text(f"{', '.join(silent)}: no updates are owed.")] if silent else []
    return [
        Heading(2, "How often people hear"),
        Table(("Priority", "Opening within", "Then at least every", "Late after a grace of"), rows),
        *last,
    ]


def severities(process: ProcessDefinition) -> list[Block]:
    return [
        Heading(2, "Severities"),
        Table(
            ("Severity", "Users affected", "Teams required", "Roles called", "For example"),
            tuple(
                (one.code, one.users_affected, one.teams_required, called(process, one.code), one.example)
                for one in process.severities.severities
            ),
        ),
        Text(f"An incident begins with {process.severities.start}; people and rules of the process change it."),
    ]


def matrix(process: ProcessDefinition) -> list[Block]:
    codes = process.severities.codes
    names = {one.rank: one.code for one in process.catalogue.priorities}
    reasons = tuple(
        (f"{names[rule.priority]} and {rule.severity}", VERDICTS[rule.verdict], rule.why)
        for rule in process.matrix.rules
    )
    return [
        Heading(2, "Which priority goes with which severity"),
        Table(("Priority", *codes), tuple(_pairs(process, codes))),
        Table(("Pair", "Verdict", "Why"), reasons),
    ]


def _pairs(process: ProcessDefinition, codes: Iterable[str]) -> Iterable[tuple[str, ...]]:
    for one in process.catalogue.priorities:
        rules = (process.matrix.rule(one.rank, code) for code in codes)
        yield (one.code, *(VERDICTS[rule.verdict] if rule else "" for rule in rules))


def roles(process: ProcessDefinition) -> list[Block]:
    scheme = process.roles
    limits = tuple((role_name(process, code), interval(span)) for code, span in scheme.fill_within.items())
    absent = tuple(
        (duty.capitalize(), severity, role_name(process, role))
        for duty, cells in scheme.duties_when_absent.items()
        for severity, role in cells.items()
    )
    six = tuple((name.capitalize(), role_name(process, role)) for name, role in scheme.six_role_mapping.items())
    return [
        Heading(2, "Roles"),
        *(block for role in scheme.roles for block in _role(process, role)),
        Heading(3, "How soon a role is filled"),
        Table(("Role", "Within"), limits),
        Heading(3, "Who stands in when a role is not held"),
        Table(("Duty", "Severity", "Stands in"), absent),
        Heading(3, "The six roles others know"),
        Table(("Elsewhere", "Here"), six),
    ]


def _role(process: ProcessDefinition, role: RoleDefinition) -> list[Block]:
    needs = tuple(
        (code, NEEDS[need])
        for code in process.severities.codes
        if (need := process.roles.by_severity.get(code, {}).get(role.code, RoleNeed.NONE)) is not RoleNeed.NONE
    )
    told = [
        ("Elsewhere called", role.aka),
        ("Skills", role.skills),
        ("Does not", role.must_not),
        ("May", tuple(right.replace("_", " ") for right in role.rights)),
        ("Called at", tuple(f"{code} ({word})" for code, word in needs)),
    ]
    facts = [Text(f"{name}: {', '.join(words)}.") for name, words in told if words]
    duties = [List(role.responsibilities)] if role.responsibilities else []
    return [Heading(3, role.display_name), *duties, *facts]


def answers(process: ProcessDefinition) -> list[Block]:
    return [
        Heading(2, "The ten answers"),
        *(
            block
            for one in process.questions
            for block in (
                Heading(3, f"{one.number}. {one.question}"),
                Text(one.answer),
                Text(f"What the software does: {acted(process, one.code)}."),
            )
        ),
    ]


def acted(process: ProcessDefinition, code: QuestionCode) -> str:
    """What the software does because of an answer, in words."""
    machine = process.answer(code)
    if code is QuestionCode.COORDINATED_WHEN:
        return f"it coordinates incidents of {', '.join(map(str, machine.get('severities', ())))}"
    if code is QuestionCode.WHO_STARTS:
        said = starting(process)
        who = ", ".join(role_name(process, role) for role in sorted(said.who))
        order = [code for code in process.severities.codes if code in said.to]
        return f"{who} may set {', '.join(order)}; for others it is an exception with a reason"
    if code is QuestionCode.WHO_DECIDES:
        asks = "; it asks for strong objections first" if objections_round(process) else ""
        return f"decisions belong to {role_name(process, str(machine.get('role')))}{asks}"
    if code is QuestionCode.HOW_MADE_KNOWN:
        said4 = announcing(process)
        return f"medium {said4.medium.value.replace('_', ' ')}, opened {said4.create.value.replace('_', ' ')}"
    if code in (QuestionCode.WHO_TAKES_IN, QuestionCode.WHO_ACTS, QuestionCode.FREEDOM):
        return _taken_in(process, code)
    return ", ".join(f"{severity}: {role_name(process, str(role))}" for severity, role in machine.items())


def _taken_in(process: ProcessDefinition, code: QuestionCode) -> str:
    said = taking_in(process)
    if code is QuestionCode.WHO_TAKES_IN:
        asks = "and asks them to say so" if said.acknowledge else "and asks nothing back"
        return f"it addresses {said.receivers.value.replace('_', ' ')} {asks}"
    if code is QuestionCode.WHO_ACTS:
        return f"it expects {said.actors.value.replace('_', ' ')} to act"
    free = ", ".join(one.value.replace("_", " ") for one in said.free) or "nothing"
    owed = ", ".join(one.value for one in said.duties) or "nothing"
    return f"free is {free}; owed and checked is {owed}"


def lifecycle(process: ProcessDefinition) -> list[Block]:
    said = process.lifecycle
    rows = tuple((state, ", ".join(said.transitions.get(state, ())) or "it ends here") for state in said.states)
    return [
        Heading(2, "From breach to closed"),
        List(tuple(said.steps), numbered=True),
        Table(("State", "May become"), rows),
        Text(f"The same trouble within {interval(said.reopen_within)} of the end opens the incident again."),
    ]


def postmortem(process: ProcessDefinition) -> list[Block]:
    said = process.postmortem
    switched = tuple(one.text for one in said.triggers if one.on)
    also = [Text("A postmortem is owed as well when: " + "; ".join(switched) + ".")] if switched else []
    return [
        Heading(2, "Learning from it"),
        Text(f"Whether a postmortem is owed follows from the {said.required_by.value.replace('_', ' ')}."),
        *also,
        Table(("Incidents", "The meeting is held within"), tuple(_deadline(process, row) for row in said.meeting)),
        Text(f"Action items are complete within {days(said.action_items_complete)} of the meeting,"),
        Text(f"the write-up within {days(said.writeup_finished)}."),
    ]


def _deadline(process: ProcessDefinition, row: MeetingDeadline) -> tuple[str, str]:
    names = {one.rank: one.code for one in process.catalogue.priorities}
    which = [names.get(rank, str(rank)) for rank in sorted(row.priorities)]
    which += [code for code in process.severities.codes if code in row.severities]
    return (", ".join(which) or "all others", days(row.within))


def days(count: DayCount) -> str:
    """A number of days as people say it."""
    kind = "business day" if count.business else "day"
    return f"{count.days} {kind}{'' if count.days == 1 else 's'}"


def escalation(process: ProcessDefinition) -> list[Block]:
    scheme = process.roles
    steps = [f"{one.target}, within {interval(one.acknowledge_within)}" for one in scheme.escalation_steps]
    after = f"{scheme.after_exhaustion.target}, within {interval(scheme.after_exhaustion.acknowledge_within)}"
    times = "once" if scheme.escalation_repeats == 1 else f"{scheme.escalation_repeats} times"
    return [
        Heading(2, "Who is woken, and who after them"),
        List(tuple(steps), numbered=True),
        Text(f"This is repeated {times}; then {after}. A policy of a service may say otherwise."),
        Text("Anybody may declare an incident; nobody needs a right for it beyond being signed in."),
    ]


def stakeholders(process: ProcessDefinition) -> list[Block]:
    rings = {ring.number: ring.name for ring in process.rings}
    rows = tuple((one.name, rings.get(one.ring, str(one.ring)), one.purpose) for one in process.groups)
    return [Heading(2, "Stakeholder groups"), Table(("Group", "Ring", "Hears for"), rows)]


def wellbeing(process: ProcessDefinition) -> list[Block]:
    settings, head = process.wellbeing, Heading(2, "Looking after people")
    if settings is None:
        return [head, Text(wellbeing_words.UNDEFINED)]
    kinds = (
        (one.code.replace("_", " ").capitalize(), wellbeing_words.team_sentence(one, settings.limits))
        for one in settings.team_kinds
    )
    return [
        head,
        Text("From each limit on a prompt is raised. None of them blocks work."),
        Table(("Limit", "Value"), tuple(wellbeing_words.limit_rows(settings))),
        Table(("Team", "How it works"), tuple(kinds)),
        *(
            block
            for one in settings.aspects
            for block in (
                Heading(3, one.aspect.value.replace("_", " ").capitalize()),
                Text(f"So that {one.aim}."),
                List(tuple(prompt.say for prompt in one.prompts)),
            )
        ),
    ]


def called(process: ProcessDefinition, severity: str) -> str:
    """The roles that a severity calls, by name."""
    needs = process.roles.by_severity.get(severity, {})
    return ", ".join(role_name(process, code) for code, need in needs.items() if need is not RoleNeed.NONE)


def role_name(process: ProcessDefinition, code: Any) -> str:
    """A role as the organisation calls it."""
    if code == NAMED_PERSON:
        return "whoever is named for it"
    found = process.roles.by_code(str(code))
    return found.display_name if found else str(code)
