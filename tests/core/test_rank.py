"""Who may direct a response: by role and duty, by policy, by table; an oracle counts what the words of the process give."""

from __future__ import annotations

from dataclasses import replace
from itertools import combinations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tocsin.core.access import OF_THE_RESPONSE, RESPONSE, TABLE, Right, Role
from tocsin.core.authority import AuthorityPolicy
from tocsin.core.process_definition import ProcessDefinition, parse_process
from tocsin.core.rank import RankReason, RankVerdict, holders_of, may_join, rank_decision, rights_in
from tocsin.process.defaults import default_document

PROCESS = parse_process(default_document())
COORDINATOR, COMMUNICATOR, EXPERT, ADVISOR, OBSERVER = (role.code for role in PROCESS.roles.roles)
CODES = (COORDINATOR, COMMUNICATOR, EXPERT, ADVISOR, OBSERVER)
WORST, MIDDLE, MILDEST = PROCESS.severities.codes
REFUSED, ALLOWED, OVERRIDDEN = RankVerdict.REFUSED, RankVerdict.ALLOWED, RankVerdict.OVERRIDDEN


def under(policy: str) -> ProcessDefinition:
    return replace(PROCESS, roles=replace(PROCESS.roles, authority=AuthorityPolicy(policy)))


def verdict(policy: str, severity: str, right: Right, own: list[str], others: list[str], **facts: bool) -> RankVerdict:
    found = rank_decision(under(policy), severity, right, own_roles=own, held=[*own, *others], **facts)
    return found.verdict


@pytest.mark.req("R-X-5")
@pytest.mark.parametrize(
    ("severity", "own", "others", "can", "cannot"),
    [
        (
            WORST,
            [COORDINATOR],
            [COMMUNICATOR, EXPERT],
            [Right.INCIDENT_ASSIGN, Right.INCIDENT_ESCALATE, Right.PAGE_OFF_CALL, Right.DECIDE, Right.UPDATE_APPROVE],
            [Right.UPDATE_SEND],
        ),
        (
            WORST,
            [COMMUNICATOR],
            [COORDINATOR, EXPERT],
            [Right.UPDATE_SEND, Right.INCIDENT_ANNOTATE],
            [Right.INCIDENT_ASSIGN, Right.PAGE_OFF_CALL, Right.DECIDE, Right.INCIDENT_ESCALATE],
        ),
        (
            WORST,
            [EXPERT],
            [COORDINATOR, COMMUNICATOR],
            [Right.INCIDENT_ESCALATE, Right.SOLUTION_CHOOSE, Right.INCIDENT_PROPOSE, Right.INCIDENT_CLASSIFY],
            [Right.INCIDENT_ASSIGN, Right.PAGE_OFF_CALL, Right.DECIDE, Right.UPDATE_SEND],
        ),
        (
            WORST,
            [ADVISOR],
            [COORDINATOR, EXPERT],
            [Right.INCIDENT_ANNOTATE, Right.INCIDENT_PROPOSE, Right.UPDATE_DRAFT],
            [Right.INCIDENT_CLASSIFY, Right.INCIDENT_RESOLVE, Right.SOLUTION_CHOOSE, *OF_THE_RESPONSE],
        ),
        (
            WORST,
            [OBSERVER],
            [COORDINATOR, EXPERT],
            [Right.INCIDENT_READ],
            [Right.INCIDENT_ANNOTATE, Right.INCIDENT_CLASSIFY, Right.INCIDENT_ACKNOWLEDGE, *OF_THE_RESPONSE],
        ),
        (MIDDLE, [COORDINATOR], [EXPERT], [Right.UPDATE_SEND], []),
        (MILDEST, [EXPERT], [], [Right.UPDATE_SEND, Right.DECIDE, Right.PAGE_OFF_CALL, Right.INCIDENT_ASSIGN], []),
    ],
)
def test_each_role_of_a_response_may_what_the_table_says(
    severity: str, own: list[str], others: list[str], can: list[Right], cannot: list[Right]
) -> None:
    assert {right: verdict("strict", severity, right, own, others) for right in can} == dict.fromkeys(can, ALLOWED)
    assert {right: verdict("strict", severity, right, own, others) for right in cannot} == dict.fromkeys(
        cannot, REFUSED
    )


@pytest.mark.req("R-9.3.5-9")
@pytest.mark.parametrize(
    ("policy", "own", "administers", "expected"),
    [
        ("strict", [], False, REFUSED),
        ("strict", [], True, REFUSED),
        ("strict", [OBSERVER], True, REFUSED),
        ("standard", [], False, REFUSED),
        ("standard", [], True, OVERRIDDEN),
        ("standard", [OBSERVER], True, REFUSED),
        ("standard", [ADVISOR], False, REFUSED),
        ("open", [], False, OVERRIDDEN),
        ("open", [OBSERVER], False, OVERRIDDEN),
    ],
)
def test_the_policy_decides_how_strictly_a_response_is_kept_from_rank(
    policy: str, own: list[str], administers: bool, expected: RankVerdict
) -> None:
    for right in OF_THE_RESPONSE:
        found = verdict(policy, WORST, right, own, [COORDINATOR, COMMUNICATOR, EXPERT], administers=administers)
        assert found is expected, right


def test_without_a_word_about_it_the_policy_is_standard() -> None:
    document = default_document()
    assert parse_process(document).roles.authority is AuthorityPolicy.STANDARD
    del document["roles"]["authority_policy"], document["roles"]["take_over"]
    assert parse_process(document).roles.authority is AuthorityPolicy.STANDARD
    assert parse_process(document).roles.take_over == PROCESS.roles.take_over


@given(st.sampled_from(sorted(OF_THE_RESPONSE)), st.sampled_from(PROCESS.severities.codes))
def test_what_nobody_has_in_hand_anybody_may_begin(right: Right, severity: str) -> None:
    assert verdict("standard", severity, right, [], []) is ALLOWED


def test_helping_is_open_to_colleagues_except_under_a_strict_policy() -> None:
    assert verdict("standard", WORST, Right.INCIDENT_RESOLVE, [], [COORDINATOR, EXPERT]) is ALLOWED
    assert verdict("strict", WORST, Right.INCIDENT_RESOLVE, [], [COORDINATOR, EXPERT]) is REFUSED
    assert verdict("strict", WORST, Right.INCIDENT_RESOLVE, [], [COORDINATOR, EXPERT], asked=True) is ALLOWED


def test_whoever_was_paged_may_page_on_but_not_give_out_roles() -> None:
    assert verdict("strict", WORST, Right.INCIDENT_ESCALATE, [], [COORDINATOR, EXPERT], asked=True) is ALLOWED
    assert verdict("strict", WORST, Right.INCIDENT_ACKNOWLEDGE, [OBSERVER], [COORDINATOR], asked=True) is ALLOWED
    assert verdict("strict", WORST, Right.INCIDENT_ASSIGN, [], [COORDINATOR, EXPERT], asked=True) is REFUSED


@given(st.sets(st.sampled_from(CODES)), st.sampled_from(PROCESS.severities.codes))
def test_exactly_one_role_held_tells_stakeholders(held: set[str], severity: str) -> None:
    senders = holders_of(PROCESS, severity, Right.UPDATE_SEND, held=held)
    working = held - {ADVISOR, OBSERVER}
    assert len(senders) <= 1
    assert bool(senders) == bool(working & set(_could_send(severity)))


def _could_send(severity: str) -> tuple[str, ...]:
    """The oracle: the communicator by its words; the answers and stand-ins from that severity downward."""
    from_here = PROCESS.severities.codes[PROCESS.severities.codes.index(severity) :]
    answered = {WORST: COMMUNICATOR, MIDDLE: COORDINATOR, MILDEST: EXPERT}
    stands_in = PROCESS.roles.duties_when_absent["communication"]
    return (COMMUNICATOR, *(answered[code] for code in from_here), *(stands_in[code] for code in from_here))


@given(st.sets(st.sampled_from(CODES)), st.sets(st.sampled_from(CODES)), st.sampled_from(PROCESS.severities.codes))
def test_another_role_never_takes_away_more_than_a_duty_stood_in_for(
    own: set[str], more: set[str], severity: str
) -> None:
    alone = rights_in(PROCESS, severity, own_roles=own, held=own)
    together = rights_in(PROCESS, severity, own_roles=own, held=own | more)
    by_words = frozenset[Right]().union(
        *(RESPONSE[word] for role in PROCESS.roles.roles if role.code in own for word in role.rights)
    )
    assert by_words - {Right.UPDATE_SEND} <= together
    assert together <= alone | by_words


def test_every_word_of_the_shipped_process_is_in_the_table() -> None:
    said = {word for role in PROCESS.roles.roles for word in role.rights}
    assert said <= set(RESPONSE)


def test_a_standing_role_that_may_not_read_may_nothing() -> None:
    for role, rights in TABLE.items():
        reads = Right.INCIDENT_READ in rights
        assert reads or rights <= {Right.ALERT_SEND, Right.COUNTS_SEND}, role
    assert {right for right in TABLE[Role.AUDITOR] if not right.value.endswith(":read")} == set()


def test_joining_makes_an_observer_and_an_observer_cannot_make_more_of_it_alone() -> None:
    held = [COORDINATOR, EXPERT]
    assert may_join(PROCESS, OBSERVER, own_roles=[], held=held)
    assert may_join(PROCESS, COMMUNICATOR, own_roles=[], held=held)
    assert may_join(PROCESS, EXPERT, own_roles=[], held=held)
    assert not may_join(PROCESS, COORDINATOR, own_roles=[], held=held)
    for one in (COMMUNICATOR, EXPERT, COORDINATOR):
        assert not may_join(PROCESS, one, own_roles=[OBSERVER], held=[])
    assert not may_join(PROCESS, "wizard", own_roles=[], held=[])


def test_the_refusal_names_the_roles_that_have_it_in_hand() -> None:
    found = rank_decision(PROCESS, WORST, Right.INCIDENT_ASSIGN, own_roles=[OBSERVER], held=[COORDINATOR, OBSERVER])
    assert (found.reason, found.holders) == (RankReason.OBSERVES, (COORDINATOR,))
    found = rank_decision(PROCESS, WORST, Right.DECIDE, own_roles=[EXPERT], held=[COORDINATOR, EXPERT])
    assert (found.reason, found.holders) == (RankReason.NOT_OF_THE_ROLE, (COORDINATOR,))


def test_no_two_roles_both_hold_what_only_one_may_do_at_a_time() -> None:
    for severity in PROCESS.severities.codes:
        for one, other in combinations((COORDINATOR, COMMUNICATOR, EXPERT), 2):
            assert len(holders_of(PROCESS, severity, Right.UPDATE_SEND, held=[one, other])) == 1
