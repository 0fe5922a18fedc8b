"""The words an answer of the process may hold for the software to act on, and what each answer says.

Answers 1 to 7 are read here; 8 to 10 name roles by severity and are read by `core.roles`.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from enum import StrEnum
from typing import Any, TypeVar, cast

from tocsin.core.process_definition import ProcessDefinition
from tocsin.core.process_parts import QuestionCode

_Word = TypeVar("_Word", bound=StrEnum)


class Medium(StrEnum):
    """Answer 4: where decisions are made known. The timeline holds them in every case."""

    DEDICATED_CHANNEL = "dedicated_channel"
    TIMELINE = "timeline"


class Create(StrEnum):
    """Answer 4: whether the channel is opened by the software or by a person."""

    AUTOMATIC = "automatic"
    BY_HAND = "by_hand"


class Addressees(StrEnum):
    """Answers 5 and 6: whom a decision is meant for."""

    ON_CALL_OF_INVOLVED_TEAMS = "on_call_of_involved_teams"
    ROLE_HOLDERS = "role_holders"


class DecisionDuty(StrEnum):
    """Answer 7: what is owed on a decision."""

    RECEIVE = "receive"
    EXECUTE = "execute"
    REPORT = "report"


class Freedom(StrEnum):
    """Answer 7: where whoever does the work is free."""

    SOLUTION_CHOICE = "solution_choice"


@dataclass(frozen=True)
class Starting:
    """Answer 2: which roles start coordination, by setting which severities."""

    who: frozenset[str]
    to: frozenset[str]


@dataclass(frozen=True)
class Announcing:
    """Answer 4."""

    medium: Medium
    create: Create


@dataclass(frozen=True)
class TakingIn:
    """Answers 5, 6 and 7 together: who takes decisions in and acts on them, and which duties are checked."""

    receivers: Addressees
    actors: Addressees
    acknowledge: bool
    duties: tuple[DecisionDuty, ...]
    free: tuple[Freedom, ...]


def starting(process: ProcessDefinition) -> Starting:
    """Who may start coordination."""
    answer = process.answer(QuestionCode.WHO_STARTS)
    return Starting(frozenset(texts(answer.get("who"))), frozenset(texts(answer.get("to"))))


def starts_coordination(process: ProcessDefinition, former: str, severity: str) -> bool:
    """Whether going from one severity to another starts coordination."""
    to = starting(process).to
    return severity in to and former not in to


def may_start(process: ProcessDefinition, roles: Iterable[str]) -> bool:
    """Whether somebody with these roles, held or on call for, starts coordination by the second answer."""
    return not starting(process).who.isdisjoint(roles)


def announcing(process: ProcessDefinition) -> Announcing:
    """How decisions are made known."""
    answer = process.answer(QuestionCode.HOW_MADE_KNOWN)
    return Announcing(
        _word(Medium, answer.get("medium"), Medium.DEDICATED_CHANNEL),
        _word(Create, answer.get("create"), Create.AUTOMATIC),
    )


def opens_channel(process: ProcessDefinition, severity: str) -> bool:
    """Whether an incident of that severity gets a channel of its own without anybody asking (answers 1 and 4)."""
    said = announcing(process)
    coordinated = texts(process.answer(QuestionCode.COORDINATED_WHEN).get("severities"))
    return severity in coordinated and said == Announcing(Medium.DEDICATED_CHANNEL, Create.AUTOMATIC)


def channel_by_hand(process: ProcessDefinition, severity: str) -> bool:
    """Whether an incident of that severity gets a channel of its own once a person asks for it (answers 1 and 4)."""
    said = announcing(process)
    coordinated = texts(process.answer(QuestionCode.COORDINATED_WHEN).get("severities"))
    return severity in coordinated and said == Announcing(Medium.DEDICATED_CHANNEL, Create.BY_HAND)


def objections_round(process: ProcessDefinition) -> bool:
    """Whether strong objections are asked for before a decision (answer 3)."""
    return process.answer(QuestionCode.WHO_DECIDES).get("objections_round") is True


def taking_in(process: ProcessDefinition) -> TakingIn:
    """Who takes decisions in, who acts, and what they owe."""
    receive, act = process.answer(QuestionCode.WHO_TAKES_IN), process.answer(QuestionCode.WHO_ACTS)
    freedom = process.answer(QuestionCode.FREEDOM)
    usual = Addressees.ON_CALL_OF_INVOLVED_TEAMS
    return TakingIn(
        receivers=_word(Addressees, receive.get("addressees"), usual),
        actors=_word(Addressees, act.get("addressees"), usual),
        acknowledge=receive.get("acknowledge") is True,
        duties=tuple(one for one in DecisionDuty if one.value in texts(freedom.get("duties"))),
        free=tuple(one for one in Freedom if one.value in texts(freedom.get("free"))),
    )


def texts(value: Any) -> tuple[str, ...]:
    """The texts of a list; nothing for anything else."""
    if not isinstance(value, list):
        return ()
    return tuple(one for one in cast("list[object]", value) if isinstance(one, str))


def strange_words(answer: Mapping[str, Any], code: QuestionCode) -> list[tuple[str, str, tuple[str, ...]]]:
    """Words in an answer that the software does not act on: the key, the word, and the words it knows."""
    found: list[tuple[str, str, tuple[str, ...]]] = []
    for key, kind in _WORDS.get(code, {}).items():
        value = answer.get(key)
        words = texts(value) if isinstance(value, list) else (str(value),)
        known = tuple(member.value for member in kind)
        found += [(key, word, known) for word in words if word not in known]
    return found


def _word(kind: type[_Word], value: Any, otherwise: _Word) -> _Word:
    return kind(value) if value in [member.value for member in kind] else otherwise


_WORDS: Mapping[QuestionCode, Mapping[str, type[StrEnum]]] = {
    QuestionCode.HOW_MADE_KNOWN: {"medium": Medium, "create": Create},
    QuestionCode.WHO_TAKES_IN: {"addressees": Addressees},
    QuestionCode.WHO_ACTS: {"addressees": Addressees},
    QuestionCode.FREEDOM: {"free": Freedom, "duties": DecisionDuty},
}
