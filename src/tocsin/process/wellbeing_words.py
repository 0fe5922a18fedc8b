"""What a process says about looking after people, in words: the same on the page and in the document for people."""

from __future__ import annotations

from tocsin.core.wellbeing_settings import Limits, TeamKind, WellbeingSettings
from tocsin.process.sentences import interval

UNDEFINED = "This process does not say how long people may be in a response. Nobody is prompted to hand over."


def limit_rows(settings: WellbeingSettings) -> list[tuple[str, str]]:
    """Each limit: what it is about, and where a prompt comes. Prompts, never blocks."""
    limits = settings.limits
    night = f"{limits.night_from:%H:%M} to {limits.night_to:%H:%M}, by each person's own clock"
    return [
        ("Longest time in the response of one incident", interval(limits.stint)),
        ("A hand-over is offered after", interval(limits.hand_over_after)),
        ("A break is offered after", interval(limits.break_after)),
        ("Rest between work", interval(limits.rest)),
        ("A day of work without that rest", interval(limits.work_day)),
        ("Night", night),
        ("Pages at night within a week", f"{limits.night_pages_per_week}"),
        ("Shifts on call in a row", f"{limits.shifts_in_a_row}"),
        ("Incidents within 12 h", f"{limits.incidents_per_shift}"),
        ("Share of the time on call", f"{float(limits.on_call_share):.0%}"),
        ("People who report to one coordinator", f"{limits.direct_reports}"),
        *_rhythm(limits),
    ]


def _rhythm(limits: Limits) -> list[tuple[str, str]]:
    every = [f"{interval(span)} at {code}" for code, span in limits.state_summary.items()]
    return [("Where things stand is said every", ", ".join(every))] if every else []


def team_sentence(kind: TeamKind, limits: Limits) -> str:
    """What sets a kind of team apart, as one sentence."""
    if kind.formed_for_mission:
        ends = ", and dissolved after it with thanks" if kind.dissolved_after_mission else ""
        return f"Works {kind.hours}, nobody longer than {interval(limits.stint)}; formed for one mission{ends}."
    return f"Works {kind.hours}; it lasts."
