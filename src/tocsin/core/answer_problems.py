"""Whether the ten questions are answered in a way the software can act on."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import cast

from tocsin.core.document_reading import Problem
from tocsin.core.process_parts import NAMED_PERSON, Question, QuestionCode, RoleScheme, SeverityScheme

_WHERE = "questions.process_questions"
_BY_SEVERITY = (QuestionCode.COMMUNICATION, QuestionCode.DOCUMENTATION, QuestionCode.POSTMORTEM)


def answer_problems(
    questions: tuple[Question, ...], roles: RoleScheme, severities: SeverityScheme
) -> Iterator[Problem]:
    """Every question that is missing, asked twice, or answered with unknown names."""
    known_roles = {role.code for role in roles.roles}
    for number, code in enumerate(QuestionCode, start=1):
        asked = [question for question in questions if question.code is code]
        if len(asked) != 1 or asked[0].number != number:
            state = "is missing" if not asked else "has to appear once, under its own number"
            yield Problem(f"{_WHERE}.{number}", "ten_answers", f"question {number} ({code.value}) {state}")
            continue
        where = f"{_WHERE}.{number}.machine"
        if not asked[0].machine:
            yield Problem(where, "ten_answers", f"question {number} ({code.value}) has no answer to act on")
            continue
        yield from _names(where, asked[0], known_roles, set(severities.codes))


def _names(where: str, question: Question, roles: set[str], severities: set[str]) -> Iterator[Problem]:
    machine = question.machine
    if question.code is QuestionCode.COORDINATED_WHEN:
        yield from _known(where, "severity", machine.get("severities"), severities)
    elif question.code is QuestionCode.WHO_STARTS:
        yield from _known(where, "role", machine.get("who"), roles)
        yield from _known(where, "severity", machine.get("to"), severities)
    elif question.code is QuestionCode.WHO_DECIDES:
        yield from _known(where, "role", [machine.get("role")], roles)
    elif question.code in _BY_SEVERITY:
        extra: set[str] = {NAMED_PERSON} if question.code is QuestionCode.POSTMORTEM else set()
        for severity in sorted(severities - set(machine)):
            yield Problem(where, "answer_for_each", f"says nothing about {severity}")
        yield from _known(where, "severity", list(machine), severities)
        yield from _known(where, "role", list(machine.values()), roles | extra)


def _known(where: str, what: str, names: object, known: set[str]) -> Iterator[Problem]:
    if not isinstance(names, list | tuple):
        yield Problem(where, f"known_{what}", f"a list of names belongs here ({what})")
        return
    for name in _strangers(cast("list[object]", names), known):
        yield Problem(where, f"known_{what}", f"there is no {what} {name!r}")


def _strangers(names: Iterable[object], known: set[str]) -> list[object]:
    return [name for name in names if not (isinstance(name, str) and name in known)]
