"""Each well-being check where it speaks and where it is quiet, the list of prompts, who sees what, and who is rested."""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime, timedelta
from itertools import pairwise
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.core.process_samples import CRITICAL, ERROR, PROCESS, WARNING, at, document_with
from tocsin.core.document_reading import Level
from tocsin.core.process_definition import parse_process, problems
from tocsin.core.wellbeing import (
    CHECKS,
    Answer,
    AnswerState,
    Candidate,
    CareList,
    care_list,
    findings,
    rested,
    visible,
)
from tocsin.core.wellbeing_findings import Look
from tocsin.core.wellbeing_record import (
    Decision,
    HandOver,
    Participant,
    ResponseRecord,
    Stretch,
    is_night,
    joined,
    rest_between,
    touches_night,
)
from tocsin.core.wellbeing_settings import Aspect
from tocsin.core.wellbeing_team_checks import first_time_together
from tocsin.process.defaults import default_document

assert PROCESS.wellbeing is not None
LIMITS = PROCESS.wellbeing.limits
NOON = at("12:00")
BERLIN, TOKYO = "Europe/Berlin", "Asia/Tokyo"


def ago(hours: float) -> datetime:
    return NOON - timedelta(hours=hours)


def person(name: str = "ada", since: float = 0.05, **facts: Any) -> Participant:
    """Somebody who joined that many hours before noon and has been introduced."""
    plain: dict[str, Any] = {"work": (Stretch(ago(since)),), "introduced_at": ago(since), "active_at": NOON}
    return Participant(name, name.title(), **({"time_zone": "UTC"} | plain | facts))


def response(*people: Participant, severity: str = ERROR, **facts: Any) -> ResponseRecord:
    """A response in which nothing is amiss: everybody knows each other and all is said."""
    known = frozenset(frozenset({one.username, two.username}) for one in people for two in people if one is not two)
    plain: dict[str, Any] = {"met": known, "ground_rules_at": NOON, "summary_at": NOON}
    return ResponseRecord(severity, ago(0.1), people, **(plain | facts))


def fired(record: ResponseRecord, now: datetime = NOON) -> set[str]:
    return {check.code for check, _ in findings(Look(record, LIMITS, PROCESS.messages.blame, now))}


def many(count: int) -> list[Participant]:
    return [person("boss", coordinates=True), *(person(f"p{n}") for n in range(count))]


def worked(until: float, since: float | None = None, *, zone: str = "UTC") -> Participant:
    """Worked elsewhere from `since` to `until` hours before noon and joined this response shortly before noon."""
    return person(other_work=(Stretch(ago(since or until + 1), ago(until)),), time_zone=zone)


def weeks_on_call(*begun: int) -> Participant:
    return person(shifts=tuple(Stretch(ago(24 * day), ago(24 * (day - 7))) for day in begun))


def decided(**facts: Any) -> ResponseRecord:
    return response(person(), decisions=(Decision(7, **({"addressees": ("ada",), "state": "open"} | facts)),))


CASES: list[tuple[str, ResponseRecord, ResponseRecord]] = [
    ("WB-S1", response(person(since=0.1, introduced_at=None)), response(person(since=0.05, introduced_at=None))),
    ("WB-S2", response(person("ada"), person("ben"), met=frozenset()), response(person("ada"), person("ben"))),
    ("WB-S3", response(person(), ended_at=NOON), response(person(), ended_at=NOON, thanked_at=NOON)),
    ("WB-E1", response(person(), ground_rules_at=None), response(person(), ground_rules_at=NOON)),
    ("WB-E2", response(person(since=2, active_at=ago(0.75))), response(person(since=2, active_at=ago(0.74)))),
    ("WB-E3", response(*many(8)), response(*many(7))),
    ("WB-M1", response(person(since=2)), response(person(since=1.99))),
    # The vector of requirements 3.7: paged 02:10-03:40, planned start 09:00.
    ("WB-M2", response(worked(8 + 20 / 60, 9 + 50 / 60)), response(worked(11.5, 13))),
    ("WB-M3", response(person(pages=(at("02:00"), at("03:00", day=1)))), response(person(pages=(at("02:00"),)))),
    ("WB-M4", response(weeks_on_call(1, 8, 15)), response(weeks_on_call(1, 8, 22))),
    (
        "WB-M5",
        response(person(incidents=(ago(1), ago(5), ago(11)))),
        response(person(incidents=(ago(1), ago(5), ago(12)))),
    ),
    (
        "WB-M6",
        response(person(), hand_overs=(HandOver("1", "Expert", ("risks",)),)),
        response(person(), hand_overs=(HandOver("1", "Expert"),)),
    ),
    ("WB-Q1", decided(risky=True), decided(risky=True, objections_asked=True)),
    ("WB-Q2", response(person(), rank_refused=1), response(person())),
    (
        "WB-Q3",
        response(person(), loads={"a": timedelta(hours=9), "b": timedelta(hours=2), "c": timedelta(hours=2)}),
        response(person(), loads={"a": timedelta(hours=4), "b": timedelta(hours=2), "c": timedelta(hours=2)}),
    ),
    ("WB-T1", response(person(), summary_at=ago(1.01)), response(person(), summary_at=ago(1))),
    ("WB-T2", decided(addressees=()), decided()),
    ("WB-T3", response(person(), conflicts=("4 and 9",)), response(person())),
    (
        "WB-B1",
        response(person(), texts=((5, "It was human error."),)),
        response(person(), texts=((5, "The fuse was too small."),)),
    ),
    ("WB-B2", response(person(), people_issues_open=1), response(person(), people_issues_open=0)),
    (
        "WB-B3",
        response(person(), review_started_at=NOON),
        response(person(), review_started_at=NOON, directive_at=NOON),
    ),
]


@pytest.mark.req("R-9.3.12-2")
@pytest.mark.parametrize(("code", "speaks", "quiet"), CASES, ids=[case[0] for case in CASES])
def test_a_check_speaks_where_something_is_amiss_and_is_quiet_where_not(
    code: str, speaks: ResponseRecord, quiet: ResponseRecord
) -> None:
    assert code in fired(speaks)
    assert code not in fired(quiet)


@pytest.mark.req("R-9.3.12-2")
def test_each_of_the_six_aspects_has_a_check_with_both_cases_and_a_prompt() -> None:
    assert {check.aspect for check in CHECKS} == set(Aspect)
    assert [check.code for check in CHECKS] == [case[0] for case in CASES]
    assert PROCESS.wellbeing is not None
    assert [one.aspect for one in PROCESS.wellbeing.aspects] == list(Aspect)
    assert all(one.prompts and one.aim for one in PROCESS.wellbeing.aspects)


def test_nothing_is_found_in_a_response_where_all_is_well() -> None:
    assert fired(response(person("ada"), person("ben"))) == set()


def test_rest_after_a_page_at_night_is_the_vector_of_the_requirements() -> None:
    found = rest_between(at("03:40"), at("09:00"), needed=LIMITS.rest)
    assert (found.length, found.too_short, found.earliest) == (timedelta(hours=5, minutes=20), True, at("14:40"))
    assert not rest_between(at("03:40"), at("14:40"), needed=LIMITS.rest).too_short
    night_page = person(work=(Stretch(at("09:00")),), other_work=(Stretch(at("02:10"), at("03:40")),))
    [text] = [
        one.text
        for check, one in findings(Look(response(night_page), LIMITS, (), at("09:00")))
        if check.code == "WB-M2"
    ]
    assert "5 h 20 min" in text
    assert "14:40" in text


def sentences(record: ResponseRecord, code: str) -> list[str]:
    return [one.text for check, one in findings(Look(record, LIMITS, (), NOON)) if check.code == code]


@pytest.mark.parametrize(
    ("since", "words"),
    [(1.9, []), (2, ["no break"]), (4, ["hand-over", "no break"]), (8, ["Hand over now", "no break"])],
)
def test_hours_bring_a_break_then_a_hand_over_then_the_limit(since: float, words: list[str]) -> None:
    found = sentences(response(person(since=since)), "WB-M1")
    assert len(found) == len(words)
    assert all(word in text for word, text in zip(words, found, strict=True))


def test_a_working_day_counts_over_incidents_until_a_whole_rest() -> None:
    long_day = person(other_work=(Stretch(ago(13), ago(9)), Stretch(ago(6), ago(2))))
    assert "rest since" in sentences(response(long_day), "WB-M1")[0]
    slept = person(other_work=(Stretch(ago(24), ago(13)), Stretch(ago(1.5), ago(1))))
    assert sentences(response(slept), "WB-M1") == []


def test_a_break_starts_the_clock_of_breaks_again_but_not_that_of_the_stint() -> None:
    found = sentences(response(person(since=5, break_at=ago(1))), "WB-M1")
    assert len(found) == 1
    assert "hand-over" in found[0]


def test_night_is_that_of_the_person() -> None:
    pages = (at("16:00"), at("16:00", day=1))
    now = at("18:00")
    assert "WB-M3" in fired(response(person(pages=pages, time_zone=TOKYO)), now)
    assert "WB-M3" not in fired(response(person(pages=pages, time_zone=BERLIN)), now)


def test_work_in_the_evening_is_no_night_and_needs_no_prompt() -> None:
    assert "WB-M2" not in fired(response(worked(2)))


def test_several_messages_of_one_page_wake_once() -> None:
    woken = person(pages=(at("02:00"), at("02:00") + timedelta(seconds=20)))
    assert "WB-M3" not in fired(response(woken))


@given(st.integers(0, 525_600), st.sampled_from([BERLIN, TOKYO, "UTC"]))
def test_a_moment_is_night_exactly_if_an_instant_of_work_there_touches_it(minutes: int, zone: str) -> None:
    moment = at("00:00") + timedelta(minutes=minutes)
    span = {"begins": LIMITS.night_from, "ends": LIMITS.night_to}
    assert touches_night(Stretch(moment, moment), zone, now=NOON, **span) == is_night(moment, zone, **span)
    whole_day = Stretch(moment, moment + timedelta(days=1))
    assert touches_night(whole_day, zone, now=NOON, **span)


@given(st.lists(st.tuples(st.integers(0, 60), st.integers(0, 9)), max_size=8))
def test_joined_stretches_cover_the_same_time_in_order_and_apart(pairs: list[tuple[int, int]]) -> None:
    given_ones = [Stretch(ago(100 - start), ago(100 - start - length)) for start, length in pairs]
    found = joined(given_ones)
    assert all(any(one.start <= part.start and part.end <= one.end for one in found) for part in given_ones)
    assert all(later.start > former.end for former, later in pairwise(found))


def test_pairs_without_a_common_earlier_incident_are_named() -> None:
    people = [person("ada"), person("ben"), person("cy")]
    record = response(*people, met=frozenset({frozenset({"ada", "ben"})}))
    assert first_time_together(Look(record, LIMITS, (), NOON)) == [("Ada", "Cy"), ("Ben", "Cy")]


def listed(record: ResponseRecord, now: datetime = NOON, **answers: Answer) -> CareList:
    return care_list(PROCESS, record, answers, now=now)


@pytest.mark.parametrize(("severity", "is_open"), [(CRITICAL, True), (ERROR, True), (WARNING, False)])
def test_the_list_opens_by_itself_with_a_coordinated_severity(severity: str, is_open: bool) -> None:
    began = NOON if is_open else None
    found = listed(replace(response(person(), severity=severity), coordinated_since=began))
    assert bool(found.prompts) == is_open
    if is_open:
        assert {one.aspect for one in found.prompts} == set(Aspect)


def test_a_prompt_that_was_answered_is_not_open_and_one_deferred_comes_back() -> None:
    record = response(person(since=3))
    [key] = [one.key for one in listed(record).open if one.is_break]
    done = Answer(AnswerState.DONE, NOON)
    later = Answer(AnswerState.DEFERRED, NOON, NOON + timedelta(minutes=30))
    for answer in (done, later):
        assert key not in {one.key for one in care_list(PROCESS, record, {key: answer}, now=NOON).open}
    after = NOON + timedelta(minutes=30)
    assert key in {one.key for one in care_list(PROCESS, record, {key: later}, now=after).open}
    assert key not in {one.key for one in care_list(PROCESS, record, {key: done}, now=after).open}


def test_a_prompt_that_recurs_asks_anew_each_time_and_one_at_the_end_only_then() -> None:
    record = replace(response(person(), severity=CRITICAL), coordinated_since=NOON)

    def asked(hours: float, **facts: Any) -> set[str]:
        now = NOON + timedelta(hours=hours)
        return {one.key for one in listed(replace(record, **facts), now).prompts if "privately" in one.text}

    assert asked(0.2) == asked(0.9)
    assert asked(0.9) != asked(1)
    assert len(asked(1)) == 1
    over = listed(replace(record, ended_at=NOON), NOON)
    assert "next morning off" in " ".join(one.text for one in over.prompts)
    assert "next morning off" not in " ".join(one.text for one in listed(record).prompts)


def test_a_person_sees_the_own_prompts_and_only_the_running_coordinator_those_of_others() -> None:
    prompts = listed(response(person("ada", 3), person("ben", 3))).prompts
    assert {one.about for one in visible(prompts, viewer="ada", coordinates=False)} == {"ada"}
    assert visible(prompts, viewer="stranger", coordinates=False) == ()
    assert visible(prompts, viewer="", coordinates=False) == ()
    assert visible(prompts, viewer="stranger", coordinates=True) == prompts


@pytest.mark.parametrize(
    ("facts", "is_rested"),
    [
        ({}, True),
        ({"in_an_incident": True}, False),
        ({"time_zone": "Pacific/Auckland"}, False),
        ({"worked_until": at("03:40")}, False),
        ({"worked_until": ago(2)}, True),
        ({"worked_until": at("00:30")}, True),
    ],
)
def test_relief_is_somebody_free_awake_and_rested(facts: dict[str, Any], is_rested: bool) -> None:
    one = Candidate("eve", "Eve", **({"time_zone": "UTC"} | facts))
    assert rested([one], LIMITS, now=NOON) == ((one,) if is_rested else ())


def test_the_shipped_process_writes_its_hours_down() -> None:
    assert default_document()["wellbeing"]["limits"]["stint_hours_red"] == 8
    assert timedelta(hours=8) == LIMITS.stint


def test_no_limit_is_assumed_where_the_process_leaves_one_out() -> None:
    document = default_document()
    del document["wellbeing"]["limits"]["stint_hours_red"]
    assert {found.where for found in problems(document)} == {"wellbeing.limits.stint_hours_red", "wellbeing.limits"}
    document = default_document()
    del document["wellbeing"]
    [advice] = problems(document)
    assert (advice.where, advice.level) == ("wellbeing", Level.WARNING)
    process = parse_process(document)
    assert process.wellbeing is None
    assert care_list(process, response(person(since=30)), {}, now=NOON).prompts == ()


@pytest.mark.parametrize(
    ("path", "value", "rule"),
    [
        ("wellbeing.limits.stint_hours_red", 0, "longer_than_nothing"),
        ("wellbeing.limits.stint_hours_red", 1, "limits_in_order"),
        ("wellbeing.limits.night.from", "late", "kind"),
        ("wellbeing.limits.state_summary_minutes", {"awful": 5}, "known_severity"),
        ("wellbeing.aspects.0.code", "etiquette", "six_aspects"),
        ("wellbeing.aspects.0.prompts", [], "a_prompt_each"),
        ("wellbeing.aspects.0.prompts.1.code", "introductions", "named_once"),
        ("wellbeing.aspects.2.prompts.0.severities", ["awful"], "known_severity"),
        ("wellbeing.aspects.2.prompts.0.every_minutes", 0, "longer_than_nothing"),
    ],
)
def test_a_fault_of_the_section_is_named(path: str, value: object, rule: str) -> None:
    assert rule in {found.rule for found in problems(document_with(path, value))}


def keys_of(found: CareList) -> list[str]:
    return [one.key for one in found.prompts]


def test_each_prompt_has_a_key_of_its_own_that_fits_its_column() -> None:
    crowd = [person(f"p{n}" * 20, 9, pages=(at("02:00"), at("03:00"))) for n in range(9)]
    keys = keys_of(listed(response(*crowd, met=frozenset(), texts=((5, "human error"),))))
    assert len(set(keys)) == len(keys)
    assert max(map(len, keys)) <= 200


def test_load_that_fell_on_one_because_hardly_anything_happened_is_not_uneven() -> None:
    idle = {name: timedelta(0) for name in "bcde"}
    assert "WB-Q3" not in fired(response(person(), loads={"a": timedelta(hours=1), **idle}))
    assert "WB-Q3" not in fired(response(person(), loads={"a": timedelta(hours=1)}))
