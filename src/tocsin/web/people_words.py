"""The people of a response in words: hours, the time on somebody's clock, the aspects of looking after them."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from tocsin.core.wall_time import wall_of, zone
from tocsin.core.wellbeing import Prompt
from tocsin.core.wellbeing_findings import Weight, hours
from tocsin.core.wellbeing_settings import Aspect
from tocsin.incidents.models import HandOver
from tocsin.insights.wellbeing import PeopleView, PersonLine

ASPECTS = {
    Aspect.SOCIAL: "Who is who",
    Aspect.ETIQUETTE: "The exchange",
    Aspect.EMOTIONAL: "Strength",
    Aspect.EQUALITY: "Everybody's voice",
    Aspect.SOURCE_OF_TRUTH: "One picture",
    Aspect.BLAME_HANDLING: "No blame",
}
_CHIPS = {Weight.RED: "bad", Weight.PROMPT: "warn", Weight.NOTE: ""}
_OVER = {"limit": ("bad", "past the limit"), "hand_over": ("warn", "offer a hand-over"), "": ("", "")}


@dataclass(frozen=True, slots=True)
class ShownPrompt:
    """A prompt with the words of its aspect and the colour of its weight; `number` names its field on the page."""

    number: int
    prompt: Prompt
    aspect: str
    chip: str


@dataclass(frozen=True, slots=True)
class ShownPerson:
    """A card with the clock of that person's zone; `hours` is "" where the reader may not see them."""

    line: PersonLine
    clock: str
    hours: str
    without_break: str
    chip: str
    over: str


def prompts(view: PeopleView) -> list[ShownPrompt]:
    """What nobody answered yet: reds, then what was found, then what is always asked; within, the order of the aspects.

    Among what was found, what is about strength comes first.
    """
    order = [Weight.RED, Weight.PROMPT, Weight.NOTE]
    waiting = sorted(
        view.unanswered,
        key=lambda one: (order.index(one.weight), not one.check, one.aspect is not Aspect.EMOTIONAL),
    )
    return [
        ShownPrompt(number, one, ASPECTS[one.aspect], _CHIPS[one.weight]) for number, one in enumerate(waiting, start=1)
    ]


def people(view: PeopleView, *, now: datetime) -> list[ShownPerson]:
    """Those present first, each in the order of joining."""
    lines = sorted(view.lines, key=lambda line: (not line.present, line.joined_at, line.name))
    return [person(line, now=now) for line in lines]


def person(line: PersonLine, *, now: datetime) -> ShownPerson:
    private = line.hours
    chip, over = _OVER[private.over] if private else ("", "")
    return ShownPerson(
        line,
        clock=f"{wall_of(now, zone(line.time_zone)):%H:%M}",
        hours=hours(private.spent) if private else "",
        without_break=hours(private.without_break) if private and private.without_break != private.spent else "",
        chip=chip,
        over=over,
    )


def offers_to(view: PeopleView, username: str) -> list[HandOver]:
    """What was offered to the reader and waits for an answer."""
    return [one for one in view.offers if one.taker.username == username]
