"""Checks about a response as a whole: who is new to whom, the exchange, decisions, the common picture, blame."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import combinations
from statistics import median

from tocsin.core.wellbeing_findings import Finding, Look, Weight, hours, instant_key
from tocsin.core.wording import lint_blame


def first_time_together(look: Look) -> list[tuple[str, str]]:
    """The pairs of names of those present who were never in an earlier incident together."""
    people = sorted(look.record.present, key=lambda one: one.name)
    return [
        (one.name, other.name)
        for one, other in combinations(people, 2)
        if frozenset({one.username, other.username}) not in look.record.met
    ]


def strangers(look: Look) -> Iterator[Finding]:
    """WB-S2: people work together for the first time."""
    pairs = first_time_together(look)
    if pairs:
        names = sorted({name for pair in pairs for name in pair})
        said = "; ".join(f"{one} and {other}" for one, other in pairs)
        yield Finding("WB-S2", f"WB-S2:{','.join(names)}"[:200], f"First time together: {said}.", Weight.NOTE)


def thanks_missing(look: Look) -> Iterator[Finding]:
    """WB-S3: it is over and nobody has thanked the people."""
    record = look.record
    if record.ended_at is not None and record.thanked_at is None and record.participants:
        yield Finding("WB-S3", "WB-S3", "It is over. Thank everybody who took part and dissolve the team.")


def ground_rules_missing(look: Look) -> Iterator[Finding]:
    """WB-E1: people work together and the ground rules were not posted."""
    if look.record.coordinated_since is not None and look.record.ground_rules_at is None:
        yield Finding("WB-E1", "WB-E1", "The ground rules have not been posted.")


def too_many_reports(look: Look) -> Iterator[Finding]:
    """WB-E3: more people report to the coordinator than one can listen to."""
    present = look.record.present
    reporting = [one for one in present if not (one.coordinates or one.only_watches or one.led_by_another)]
    if len(reporting) > look.limits.direct_reports:
        text = (
            f"{len(reporting)} people report to the coordinator; {look.limits.direct_reports} are enough. Form teams."
        )
        yield Finding("WB-E3", f"WB-E3:{len(reporting)}", text)


def hand_overs_incomplete(look: Look) -> Iterator[Finding]:
    """WB-M6: a role changed hands and the next person does not know how things stand."""
    for one in look.record.hand_overs:
        if one.lacks:
            text = f"The hand-over of {one.role} lacks {', '.join(one.lacks)}."
            yield Finding("WB-M6", f"WB-M6:{one.key}", text)


def objections_not_asked(look: Look) -> Iterator[Finding]:
    """WB-Q1: something risky was decided and nobody was asked what speaks against it, where the process wants that."""
    if not look.objections_round:
        return
    for one in look.record.decisions:
        if one.risky and not one.objections_asked:
            text = "A risky decision had no round of objections. Ask for strong ones and wait."
            yield Finding("WB-Q1", f"WB-Q1:{one.seq}", text)


def rank_in_the_way(look: Look) -> Iterator[Finding]:
    """WB-Q2: somebody outside the response tried to direct it, or did."""
    refused, overridden = look.record.rank_refused, look.record.rank_overridden
    if refused or overridden:
        text = f"Directed from outside: {refused} refused, {overridden} taken over. Make senior guests observers."
        yield Finding("WB-Q2", f"WB-Q2:{refused}:{overridden}", text)


def load_uneven(look: Look) -> Iterator[Finding]:
    """WB-Q3: in the last weeks the roles fell on few. Nobody is named; where most did nothing, nothing is uneven."""
    spent = sorted(one.total_seconds() for one in look.record.loads.values())
    middle = median(spent) if spent else 0.0
    if len(spent) > 1 and middle and spent[-1] > look.limits.uneven_factor * middle:
        text = (
            f"In the last 8 weeks somebody of this team carried more than {look.limits.uneven_factor} times the usual."
        )
        yield Finding("WB-Q3", "WB-Q3", text, Weight.NOTE)


def summary_too_old(look: Look) -> Iterator[Finding]:
    """WB-T1: where things stand was last said too long ago for this severity."""
    record = look.record
    limit = look.limits.state_summary.get(record.severity)
    since = record.summary_at or record.coordinated_since
    if limit is not None and since is not None and record.ended_at is None and look.now - since > limit:
        text = f"Where things stand was last said {hours(look.now - since)} ago; every {hours(limit)} is meant."
        yield Finding("WB-T1", f"WB-T1:{instant_key(since)}", text)


def decisions_without_owner(look: Look) -> Iterator[Finding]:
    """WB-T2: a decision nobody is to carry out, or of which nobody knows how it stands."""
    for one in look.record.decisions:
        lacks = [*([] if one.addressees else ["somebody who carries it out"]), *([] if one.state else ["a state"])]
        if lacks:
            yield Finding("WB-T2", f"WB-T2:{one.seq}", f"Decision {one.seq} lacks {' and '.join(lacks)}.")


def facts_in_conflict(look: Look) -> Iterator[Finding]:
    """WB-T3: two statements contradict each other and it is not settled which holds."""
    for key in look.record.conflicts:
        yield Finding("WB-T3", f"WB-T3:{key}", f"Entries {key} contradict each other. Settle which one holds.")


def blame_in_the_words(look: Look) -> Iterator[Finding]:
    """WB-B1: something written looks for a guilty person. The words are quoted, the writer is not named."""
    for seq, text in look.record.texts:
        for found in lint_blame(text, look.forms)[:1]:
            yield Finding("WB-B1", f"WB-B1:{seq}", f"Entry {seq} says \u201c{found.words}\u201d. {found.message}")


def tensions_open(look: Look) -> Iterator[Finding]:
    """WB-B2: a tension between people is open; the postmortem meeting waits for it."""
    count = look.record.people_issues_open
    if count:
        text = f"Tensions noted and not settled: {count}. The postmortem meeting waits until they are."
        yield Finding("WB-B2", f"WB-B2:{count}", text, Weight.RED)


def directive_not_read(look: Look) -> Iterator[Finding]:
    """WB-B3: the postmortem meeting has begun without its prime directive."""
    if look.record.review_started_at is not None and look.record.directive_at is None:
        yield Finding("WB-B3", "WB-B3", "Begin the postmortem with the prime directive.")
