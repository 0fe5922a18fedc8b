"""What a rule may look at, when a decision is an exception, when it comes late, and the arithmetic behind a suggestion."""

from __future__ import annotations

from datetime import timedelta
from decimal import Decimal
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.core.process_samples import (
    COMMUNICATOR,
    COORDINATOR,
    CRITICAL,
    ERROR,
    EXPERT,
    P1,
    P2,
    P3,
    PROCESS,
    WARNING,
    at,
    decided,
    document_with,
    facts,
    process_with,
)
from tocsin.core.classification import Against, Lateness, PastChange, judge, lateness, require_judged
from tocsin.core.classification_effects import obligation_effects, roles_released, roles_to_ask, without_released
from tocsin.core.errors import Invalid, Refused
from tocsin.core.matrix import machine_pair, pair_decision
from tocsin.core.process_definition import parse_process, problems
from tocsin.core.severities import is_graver, suggest
from tocsin.core.severity_weighing import KnownFacts, is_exception, percent, weigh
from tocsin.process.defaults import default_document

SCHEME = PROCESS.severities
shares = st.one_of(st.none(), st.decimals(0, 1, places=4))
teams = st.one_of(st.none(), st.integers(1, 9))


class TestInputs:
    @pytest.mark.req("R-9.3.5-2")
    @pytest.mark.parametrize(
        "name", ["customer_tier", "customer_revenue", "requester_rank", "vip_customers", "contract-value"]
    )
    @pytest.mark.parametrize("section", ["bands", "criteria"])
    def test_no_rule_can_look_at_who_the_customer_is(self, section: str, name: str) -> None:
        document = default_document()
        document["severities"]["severities"][0][section][name] = "gold"
        [fault] = problems(document)
        assert (fault.rule, fault.where) == ("customer_class", f"severities.severities.0.{section}.{name}")
        assert "as an exception with a reason" in fault.message
        with pytest.raises(Invalid) as refused:
            parse_process(document)
        assert fault.where in refused.value.fields

    @pytest.mark.req("R-9.3.5-2")
    def test_nor_can_a_priority_a_sign_or_anything_that_nobody_weighs(self) -> None:
        by_priority = default_document()
        by_priority["priorities"]["priorities"][0]["criteria"] = {
            **by_priority["priorities"]["priorities"][0]["criteria"],
            "customer_tier": 1,
        }
        assert "known_criterion" in {fault.rule for fault in problems(by_priority)}
        sign = document_with("severities.complexity_signs.0.code", "customer_is_large")
        assert [fault.rule for fault in problems(sign)] == ["customer_class"]
        other = default_document()
        other["severities"]["severities"][1]["bands"]["sites_min"] = 2
        assert [fault.rule for fault in problems(other)] == ["known_input"]

    @pytest.mark.req("R-9.3.4-5")
    def test_the_shipped_bands_do_not_overlap_and_bands_that_do_are_refused(self) -> None:
        assert [str(one.users_share_min) for one in SCHEME.severities] == ["3/5", "2/5", "0"]
        for share, code in (("0.60", CRITICAL), ("0.5999", ERROR), ("0.40", ERROR), ("0.3999", WARNING)):
            assert suggest(SCHEME, users_share=Decimal(share), teams=1).severity == code
        for path, value in (
            ("severities.severities.0.bands.users_share_min", "0.40"),
            ("severities.severities.1.bands.users_share_min", "0.70"),
            ("severities.severities.0.bands.teams_min", 2),
        ):
            assert "bands_apart" in {fault.rule for fault in problems(document_with(path, value))}


class TestWeighing:
    @given(shares, teams)
    def test_the_criterion_that_decides_is_the_one_suggested_and_unknown_ones_are_left_out(
        self, share: Decimal | None, needed: int | None
    ) -> None:
        found = weigh(SCHEME, KnownFacts(users_share=share, teams_said=needed))
        assert found.suggestion == suggest(SCHEME, users_share=share, teams=needed)
        known = [one for one in found.criteria if one.severity is not None]
        assert len(known) == (share is not None) + (needed is not None)
        if known:
            assert any(one.decides for one in known)
            assert not any(is_graver(SCHEME, str(one.severity), found.suggestion.severity) for one in known)
        assert all(f"so {one.severity}" in one.arithmetic for one in known)

    def test_the_arithmetic_names_the_band(self) -> None:
        users, needed = weigh(SCHEME, KnownFacts(users_share=Decimal("0.5999"), teams_named=3)).lines
        assert users == "Users affected: 59.99 % is 40 % or more and less than 60 %, so error"
        assert needed == "Teams needed: 3 is 3 or more, so critical"
        assert weigh(SCHEME, KnownFacts()).lines == (
            "Users affected: not known yet",
            "Teams needed: not known yet",
        )
        assert percent(Decimal("0.1")) == "10 %"

    def test_teams_by_name_and_by_number_count_as_the_higher_of_both(self) -> None:
        assert KnownFacts(teams_named=2, teams_said=1).teams == 2
        assert KnownFacts(teams_named=1, teams_said=3).teams == 3
        assert KnownFacts().teams is None
        assert KnownFacts(teams_named=1, signs={"crowded_call": False}).looks_complex is False
        assert KnownFacts(signs={"crowded_call": True}).looks_complex is True

    @given(shares, teams, st.sampled_from([CRITICAL, ERROR, WARNING]))
    def test_what_the_facts_suggest_is_never_an_exception_and_milder_always_is(
        self, share: Decimal | None, needed: int | None, severity: str
    ) -> None:
        known = KnownFacts(users_share=share, teams_said=needed)
        suggested = weigh(SCHEME, known).suggestion.severity
        assert not is_exception(SCHEME, known, suggested)
        if share is None and needed is None:
            assert not is_exception(SCHEME, known, severity)
        elif is_graver(SCHEME, suggested, severity):
            assert is_exception(SCHEME, known, severity)
        elif share is None:
            assert not is_exception(SCHEME, known, severity)


class TestJudging:
    @pytest.mark.req("R-9.3.6-1")
    def test_a_pair_that_is_not_allowed_gives_way_to_an_exception_with_a_reason_only_where_the_process_lets_it(
        self,
    ) -> None:
        found = judge(PROCESS, priority=P3, severity=CRITICAL, explanation="a drill")
        assert found.against == (Against.MATRIX,)
        with pytest.raises(Refused, match="Nearest allowed"):
            require_judged(PROCESS, found, exception=False, explanation="a drill")
        with pytest.raises(Invalid):
            require_judged(PROCESS, found, exception=True, explanation=" ")
        require_judged(PROCESS, found, exception=True, explanation="a drill")
        strict = process_with("matrix.exceptions", "none")
        with pytest.raises(Refused):
            require_judged(strict, found, exception=True, explanation="a drill")

    def test_a_process_written_before_there_were_exceptions_grants_none(self) -> None:
        document = default_document()
        del document["matrix"]["exceptions"]
        del document["severities"]["complexity_signs"]
        older = parse_process(document)
        assert (older.matrix.exceptions, older.severities.signs, older.severities.switched_off) == (False, (), False)
        assert [fault.rule for fault in problems(document_with("matrix.exceptions", "perhaps"))] == ["kind"]

    def test_a_condition_is_met_by_its_reason_and_is_no_exception(self) -> None:
        found = judge(PROCESS, priority=P1, severity=WARNING, explanation="Ana runs the review")
        require_judged(PROCESS, found, exception=False, explanation="Ana runs the review")
        assert not found.is_exception
        silent = judge(PROCESS, priority=P1, severity=WARNING, explanation="")
        with pytest.raises(Refused, match="Give the reason"):
            require_judged(PROCESS, silent, exception=True, explanation="")

    def test_without_severities_every_priority_stands(self) -> None:
        off = process_with("severities.switched_off", True)
        assert off.severities.start == WARNING
        for rank in (P1, P2, P3):
            assert pair_decision(off, rank, WARNING, explanation="").accepted
            pair = machine_pair(off, rank, CRITICAL)
            assert pair is not None
            assert pair.severity == WARNING


class TestLateness:
    @pytest.mark.req("R-9.2.2-4")
    def test_lowered_after_the_end_or_more_than_once(self) -> None:
        down, up = PastChange(at("10:00"), P1, P2), PastChange(at("11:00"), P2, P1)
        again = PastChange(at("12:00"), P1, P3)
        assert lateness([down], ended_at=None) is None
        assert lateness([down, up], ended_at=at("10:30")) is None
        assert lateness([down, up, again], ended_at=None) is Lateness.MORE_THAN_ONCE
        assert lateness([again], ended_at=at("11:59")) is Lateness.AFTER_THE_END
        assert PastChange(at("10:00"), P1, None).lowers
        assert not PastChange(at("10:00"), None, P1).lowers


class TestEffects:
    def test_another_priority_begins_ends_and_moves(self) -> None:
        before = facts(decided("10:00", P3))
        after = facts(decided("10:00", P3), decided("10:05", P1))
        found = obligation_effects(before, after, PROCESS, now=at("10:05"))
        assert {one.key for one in found.begins} == {"hotfix", "postmortem", "update_opening:management:0"}
        assert (found.ends, found.moves) == ((), ())
        back = obligation_effects(after, before, PROCESS, now=at("10:05"))
        assert {one.key for one in back.ends} == {one.key for one in found.begins}

    @pytest.mark.req("R-9.3.8-1")
    def test_roles_are_asked_once_and_released_when_nothing_calls_them(self) -> None:
        codes = [role.code for role in roles_to_ask(PROCESS, CRITICAL, former=ERROR)]
        assert codes == [COMMUNICATOR]
        assert [role.code for role in roles_to_ask(PROCESS, CRITICAL, held=[COORDINATOR])] == [COMMUNICATOR]
        assert roles_released(PROCESS, ERROR, [COORDINATOR, COMMUNICATOR, EXPERT]) == (COMMUNICATOR,)
        held = facts(decided("10:00", P1), severity=CRITICAL)
        assert without_released(held, [COMMUNICATOR]).roles_held == {COORDINATOR, EXPERT}

    def test_what_falls_due_moves_with_the_priority(self) -> None:
        opened = facts(decided("10:00", P1))
        later = facts(decided("10:00", P1), decided("10:05", P2))
        found: Any = obligation_effects(opened, later, PROCESS, now=at("10:05") + timedelta(seconds=1))
        assert {one.key for one in found.ends} == {"hotfix", "postmortem"}
