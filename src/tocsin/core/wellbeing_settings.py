"""What a process says about the people of a response: the six aspects with their prompts, and the limits."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import time, timedelta
from enum import StrEnum
from fractions import Fraction

from tocsin.core.document_reading import Cursor, Level, Problem
from tocsin.core.process_parts import SeverityScheme

_WALL = re.compile(r"([01][0-9]|2[0-3]):[0-5][0-9]")


class Aspect(StrEnum):
    """What looking after people is about. Each has checks in the product and prompts in the process."""

    SOCIAL = "social"
    ETIQUETTE = "etiquette"
    EMOTIONAL = "emotional"
    EQUALITY = "equality"
    SOURCE_OF_TRUTH = "source_of_truth"
    BLAME_HANDLING = "blame_handling"


@dataclass(frozen=True)
class StandingPrompt:
    """Something the coordinator is asked to do: once, every so often, or at the end; at all severities or at some."""

    code: str
    say: str
    every: timedelta | None = None
    at_end: bool = False
    severities: tuple[str, ...] = ()


@dataclass(frozen=True)
class AspectSettings:
    aspect: Aspect
    aim: str
    prompts: tuple[StandingPrompt, ...]


@dataclass(frozen=True)
class Limits:
    """From where on a prompt is raised. Nothing is blocked by any of them."""

    break_after: timedelta
    hand_over_after: timedelta
    stint: timedelta
    work_day: timedelta
    rest: timedelta
    night_from: time
    night_to: time
    night_pages_per_week: int
    shifts_in_a_row: int
    incidents_per_shift: int
    on_call_share: Fraction
    direct_reports: int
    card_within: timedelta
    quiet_for: timedelta
    uneven_factor: int
    state_summary: Mapping[str, timedelta]


@dataclass(frozen=True)
class TeamKind:
    """What sets a team that lasts apart from one that is formed for a mission."""

    code: str
    hours: str
    formed_for_mission: bool
    dissolved_after_mission: bool


@dataclass(frozen=True)
class WellbeingSettings:
    limits: Limits
    ground_rules: tuple[str, ...]
    aspects: tuple[AspectSettings, ...]
    team_kinds: tuple[TeamKind, ...]


def read_wellbeing(root: Cursor, severities: SeverityScheme) -> WellbeingSettings | None:
    """The section `wellbeing`. None, with advice, when a process leaves it out: then there are no limits at all."""
    if not root.has("wellbeing"):
        where, rule = "wellbeing", "working_hours_defined"
        message = "does not say how long people may be in a response; without it nobody is prompted to hand over"
        root.found.append(Problem(where, rule, message, Level.WARNING))
        return None
    at = root.at("wellbeing")
    known = set(severities.codes)
    aspects = tuple(_aspect(item, known) for item in at.at("aspects").items())
    given = [one.aspect for one in aspects]
    for aspect in Aspect:
        if given.count(aspect) != 1:
            at.at("aspects").note("six_aspects", f"{aspect.value} belongs here once, with its prompts")
    return WellbeingSettings(
        limits=_limits(at.at("limits"), known),
        ground_rules=at.at("ground_rules").texts(),
        aspects=aspects,
        team_kinds=tuple(_team_kind(code, place) for code, place in at.at("team_kinds").entries()),
    )


def _limits(at: Cursor, severities: set[str]) -> Limits:
    found = Limits(
        break_after=_hours(at.at("stint_hours_before_break_prompt")),
        hand_over_after=_hours(at.at("stint_hours_before_handover_prompt")),
        stint=_hours(at.at("stint_hours_red")),
        work_day=_hours(at.at("work_day_hours_red")),
        rest=_hours(at.at("rest_hours_between_work")),
        night_from=_wall_time(at.at("night").at("from")),
        night_to=_wall_time(at.at("night").at("to")),
        night_pages_per_week=at.at("night_pages_per_week_prompt").number(),
        shifts_in_a_row=at.at("consecutive_on_call_shifts_prompt").number(),
        incidents_per_shift=at.at("incidents_per_12h_shift").number(),
        on_call_share=at.at("on_call_share_of_time").share(),
        direct_reports=at.at("direct_reports_max").number(),
        card_within=at.at("card_within_minutes").minutes(),
        quiet_for=at.at("release_after_quiet_minutes").minutes(),
        uneven_factor=at.at("uneven_load_factor").number(),
        state_summary=_by_severity(at.at("state_summary_minutes"), severities),
    )
    if not found.break_after <= found.hand_over_after <= found.stint:
        at.note("limits_in_order", "a break is prompted before a hand-over, and a hand-over before the limit")
    return found


def _hours(at: Cursor) -> timedelta:
    hours = at.number()
    if hours == 0 and at.value == 0:
        at.note("longer_than_nothing", "a limit is at least one hour")
    return timedelta(hours=hours)


def _wall_time(at: Cursor) -> time:
    text = at.text()
    if _WALL.fullmatch(text):
        return time.fromisoformat(text)
    if text:
        at.note("kind", "a time of day belongs here, such as 23:00 in quotes")
    return time(0)


def _by_severity(at: Cursor, known: set[str]) -> dict[str, timedelta]:
    found = {code: place.minutes() for code, place in at.entries()}
    for code in found:
        if known and code not in known:
            at.at(code).note("known_severity", f"there is no severity {code!r}")
    return found


def _aspect(at: Cursor, severities: set[str]) -> AspectSettings:
    prompts = tuple(_prompt(item, severities) for item in at.at("prompts").items())
    if not prompts:
        at.at("prompts").note("a_prompt_each", "each aspect has at least one prompt")
    codes = [prompt.code for prompt in prompts]
    if len(set(codes)) != len(codes):
        at.at("prompts").note("named_once", "two prompts of one aspect have the same code")
    return AspectSettings(at.at("code").choice(Aspect), at.at("aim").text(), prompts)


def _prompt(at: Cursor, known: set[str]) -> StandingPrompt:
    severities = at.at("severities").texts() if at.has("severities") else ()
    for code in severities:
        if known and code not in known:
            at.at("severities").note("known_severity", f"there is no severity {code!r}")
    every = at.at("every_minutes").minutes() if at.has("every_minutes") else None
    if every == timedelta(0):
        at.at("every_minutes").note("longer_than_nothing", "a prompt comes back after at least one minute")
    return StandingPrompt(
        code=at.at("code").text(),
        say=at.at("say").text(),
        every=every or None,
        at_end=at.has("at_end") and at.at("at_end").flag(),
        severities=severities,
    )


def _team_kind(code: str, at: Cursor) -> TeamKind:
    formed, dissolved = at.at("formed_for_mission").flag(), at.at("dissolved_after_mission").flag()
    return TeamKind(code, at.at("hours").text(), formed, dissolved)
