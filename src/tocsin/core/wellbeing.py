"""Looking after the people of a response: the list of prompts, what was answered, and who may see it."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from enum import StrEnum

from tocsin.core import wellbeing_person_checks as person
from tocsin.core import wellbeing_team_checks as team
from tocsin.core.process_answers import objections_round
from tocsin.core.process_definition import ProcessDefinition
from tocsin.core.roles import is_coordinated
from tocsin.core.wellbeing_findings import Check, Finding, Look, Weight, instant_key
from tocsin.core.wellbeing_record import ResponseRecord, is_night
from tocsin.core.wellbeing_settings import Aspect, Limits, StandingPrompt, WellbeingSettings

CHECKS = (
    Check("WB-S1", Aspect.SOCIAL, "Everybody has been introduced", person.card_missing),
    Check("WB-S2", Aspect.SOCIAL, "Who is new to whom", team.strangers),
    Check("WB-S3", Aspect.SOCIAL, "Everybody was thanked", team.thanks_missing),
    Check("WB-E1", Aspect.ETIQUETTE, "The ground rules are posted", team.ground_rules_missing),
    Check("WB-E2", Aspect.ETIQUETTE, "Nobody waits for nothing", person.nothing_to_do),
    Check("WB-E3", Aspect.ETIQUETTE, "The coordinator has few to listen to", team.too_many_reports),
    Check("WB-M1", Aspect.EMOTIONAL, "Hours in the response", person.hours_in_the_response),
    Check("WB-M2", Aspect.EMOTIONAL, "Rest since the last work", person.rest_too_short),
    Check("WB-M3", Aspect.EMOTIONAL, "Pages at night", person.night_pages),
    Check("WB-M4", Aspect.EMOTIONAL, "Shifts in a row", person.shifts_in_a_row),
    Check("WB-M5", Aspect.EMOTIONAL, "Incidents within a shift", person.incidents_in_a_shift),
    Check("WB-M6", Aspect.EMOTIONAL, "Hand-overs are complete", team.hand_overs_incomplete),
    Check("WB-Q1", Aspect.EQUALITY, "Objections were asked for", team.objections_not_asked),
    Check("WB-Q2", Aspect.EQUALITY, "Nobody directs from outside", team.rank_in_the_way),
    Check("WB-Q3", Aspect.EQUALITY, "Roles fall on many", team.load_uneven),
    Check("WB-T1", Aspect.SOURCE_OF_TRUTH, "Where things stand is fresh", team.summary_too_old),
    Check("WB-T2", Aspect.SOURCE_OF_TRUTH, "Decisions have owner and state", team.decisions_without_owner),
    Check("WB-T3", Aspect.SOURCE_OF_TRUTH, "No open contradiction", team.facts_in_conflict),
    Check("WB-B1", Aspect.BLAME_HANDLING, "No words of blame", team.blame_in_the_words),
    Check("WB-B2", Aspect.BLAME_HANDLING, "No open tension", team.tensions_open),
    Check("WB-B3", Aspect.BLAME_HANDLING, "The prime directive was said", team.directive_not_read),
)


class AnswerState(StrEnum):
    OPEN = "open"
    DONE = "done"
    DEFERRED = "deferred"


@dataclass(frozen=True)
class Answer:
    """What was said to a prompt; `until` is when a deferred one asks again."""

    state: AnswerState
    at: datetime
    until: datetime | None = None


@dataclass(frozen=True)
class Prompt:
    """One line of the list: something to do for people. `about` makes it private; `check` is "" for a standing one."""

    key: str
    aspect: Aspect
    text: str
    check: str = ""
    weight: Weight = Weight.PROMPT
    about: str = ""
    is_break: bool = False
    state: AnswerState = AnswerState.OPEN
    until: datetime | None = None


@dataclass(frozen=True)
class CareList:
    """The well-being list of a response, in the order of the aspects, reds first within each."""

    prompts: tuple[Prompt, ...]

    @property
    def open(self) -> tuple[Prompt, ...]:
        """What nobody has answered, or what was deferred until now."""
        return tuple(one for one in self.prompts if one.state is AnswerState.OPEN)

    def named(self, key: str) -> Prompt | None:
        """The prompt of that key."""
        return next((one for one in self.prompts if one.key == key), None)


def findings(look: Look) -> Iterator[tuple[Check, Finding]]:
    """What each check finds now, in the order of the checks."""
    for check in CHECKS:
        for found in check.look(look):
            yield check, found


def care_list(
    process: ProcessDefinition, record: ResponseRecord, answers: Mapping[str, Answer], *, now: datetime
) -> CareList:
    """The list as it stands: it opens by itself with the first severity that is coordinated.

    Before that, and in a process that says nothing about well-being, it is empty.
    """
    settings = process.wellbeing
    if settings is None or not opened(process, record):
        return CareList(())
    look = Look(record, settings.limits, process.messages.blame, now, objections_round(process))
    found = [
        Prompt(one.key, check.aspect, one.text, check.code, one.weight, one.about, one.is_break)
        for check, one in findings(look)
    ]
    found += _standing(settings, record, now=now)
    aspects, weights = list(Aspect), [Weight.RED, Weight.PROMPT, Weight.NOTE]
    found.sort(key=lambda one: (aspects.index(one.aspect), weights.index(one.weight)))
    return CareList(tuple(_answered(one, answers.get(one.key), now=now) for one in found))


def opened(process: ProcessDefinition, record: ResponseRecord) -> bool:
    """Whether the list is open: the severity is coordinated now, or was."""
    return record.coordinated_since is not None or is_coordinated(process, record.severity)


def _answered(prompt: Prompt, answer: Answer | None, *, now: datetime) -> Prompt:
    if answer is None or (answer.state is AnswerState.DEFERRED and answer.until is not None and answer.until <= now):
        return prompt
    return replace(prompt, state=answer.state, until=answer.until)


def _standing(settings: WellbeingSettings, record: ResponseRecord, *, now: datetime) -> Iterator[Prompt]:
    began = record.coordinated_since
    if began is None:
        return
    over = record.ended_at
    for aspect in settings.aspects:
        for one in aspect.prompts:
            if one.severities and record.severity not in one.severities:
                continue
            if one.at_end == (over is None):
                continue
            since = over if over is not None and one.at_end else began
            yield Prompt(f"{aspect.aspect.value}:{one.code}:{_occurrence(one, since, now)}", aspect.aspect, one.say)


def _occurrence(prompt: StandingPrompt, since: datetime, now: datetime) -> str:
    """What tells one time the prompt is asked from the next."""
    if prompt.every is None:
        return instant_key(since)
    return instant_key(since + prompt.every * max((now - since) // prompt.every, 0))


def visible(prompts: Iterable[Prompt], *, viewer: str, coordinates: bool) -> tuple[Prompt, ...]:
    """What somebody may see: everything to whoever coordinates the running incident, else what is about oneself.

    Nobody's standing in the installation opens more. What is about nobody is the coordinator's list, too.
    """
    return tuple(one for one in prompts if coordinates or (one.about != "" and one.about == viewer))


DEFER_FOR = timedelta(minutes=30)
"""How long a deferred prompt is quiet unless another time was said."""


@dataclass(frozen=True)
class Candidate:
    """Somebody of a rotation who could relieve."""

    username: str
    name: str
    time_zone: str
    in_an_incident: bool = False
    worked_until: datetime | None = None


def rested(people: Iterable[Candidate], limits: Limits, *, now: datetime) -> tuple[Candidate, ...]:
    """Who could relieve: in no incident, awake by the clock of the own zone, and rested after work at night."""
    return tuple(one for one in people if _is_rested(one, limits, now))


def _is_rested(one: Candidate, limits: Limits, now: datetime) -> bool:
    begins, ends = limits.night_from, limits.night_to
    if one.in_an_incident or is_night(now, one.time_zone, begins=begins, ends=ends):
        return False
    last = one.worked_until
    if last is None or now - last >= limits.rest:
        return True
    return not is_night(last, one.time_zone, begins=begins, ends=ends)
