"""By which ways a page tries to reach a person, and whose messages go first."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

from hypothesis import given
from hypothesis import strategies as st

from tocsin.core.contact_readiness import Contact
from tocsin.core.delivery_plan import Attempt, PlanReason, Traffic, after_failure, delivery_plan, lane

NOW = datetime(2026, 11, 23, 2, 12, tzinfo=UTC)
MINUTE = timedelta(minutes=1)


def contact(
    channel: str,
    address: str = "",
    *,
    delay: timedelta | None = None,
    enabled: bool = True,
    verified: bool = True,
    failing: bool = False,
) -> Contact:
    return Contact(
        channel=channel, address=address or channel, delay=delay, enabled=enabled, verified=verified, failing=failing
    )


def ladder(*contacts: Contact, last_resort: bool = False) -> list[tuple[str, int]]:
    plan = delivery_plan(contacts, now=NOW, last_resort=last_resort)
    return [(attempt.contact.address, int((attempt.at - NOW) / MINUTE)) for attempt in plan]


def test_the_ways_are_tried_in_the_order_of_their_delays() -> None:
    found = ladder(contact("email"), contact("sms"), contact("push"), contact("voice"))
    assert found == [("push", 0), ("voice", 1), ("sms", 3), ("email", 5)]


def test_what_the_person_chose_wins_over_the_channels_own_delay() -> None:
    assert ladder(contact("email", delay=timedelta(0)), contact("push", delay=2 * MINUTE)) == [
        ("email", 0),
        ("push", 2),
    ]


def test_who_has_only_mail_is_mailed_at_once() -> None:
    assert ladder(contact("email")) == [("email", 0)]
    assert ladder(contact("email"), contact("sms")) == [("sms", 0), ("email", 5)]


def test_a_way_that_is_switched_off_failing_or_not_verified_is_left_out() -> None:
    found = ladder(
        contact("push", enabled=False), contact("voice", failing=True), contact("sms", verified=False), contact("email")
    )
    assert found == [("email", 0)]


def test_an_address_that_stands_twice_is_tried_once_at_its_sooner_time() -> None:
    twice = [contact("sms", "+49", delay=4 * MINUTE), contact("push"), contact("sms", "+49", delay=MINUTE)]
    assert ladder(*twice) == [("push", 0), ("+49", 1)]


def test_for_a_grave_page_the_last_resort_is_used_when_nothing_else_is_left() -> None:
    unverified, failing = contact("sms", verified=False), contact("voice", failing=True)
    assert ladder(unverified, failing) == []
    plan = delivery_plan([unverified, failing], now=NOW, last_resort=True)
    assert [(attempt.contact, attempt.reason) for attempt in plan] == [(unverified, PlanReason.UNVERIFIED)]
    broken = delivery_plan([failing], now=NOW, last_resort=True)
    assert [(attempt.contact, attempt.reason) for attempt in broken] == [(failing, PlanReason.BROKEN)]
    assert ladder(contact("sms", enabled=False), last_resort=True) == []


def test_when_a_way_fails_for_good_the_next_is_tried_at_once_and_the_rest_keep_their_time() -> None:
    plan = delivery_plan([contact("push"), contact("sms"), contact("email")], now=NOW, last_resort=False)
    left = after_failure(plan, failed=0, now=NOW + timedelta(seconds=2))
    assert [attempt.at - NOW for attempt in left] == [timedelta(seconds=2), 5 * MINUTE]
    assert after_failure(plan, failed=2, now=NOW) == ()


def test_a_failure_told_late_does_not_postpone_the_next_way() -> None:
    plan = delivery_plan([contact("push"), contact("sms")], now=NOW, last_resort=False)
    assert after_failure(plan, failed=0, now=NOW + 10 * MINUTE)[0].at == NOW + 3 * MINUTE


contacts = st.builds(
    contact,
    st.sampled_from(["push", "sms", "email", "pigeon"]),
    st.sampled_from(["one", "two", "three"]),
    delay=st.none() | st.integers(0, 30).map(lambda amount: amount * MINUTE),
    enabled=st.booleans(),
    verified=st.booleans(),
    failing=st.booleans(),
)


@given(st.lists(contacts, max_size=6), st.booleans())
def test_every_plan_begins_now_and_uses_no_way_twice_and_none_that_is_off(
    ways: list[Contact], last_resort: bool
) -> None:
    plan: tuple[Attempt, ...] = delivery_plan(ways, now=NOW, last_resort=last_resort)
    assert not plan or plan[0].at == NOW
    assert [attempt.at for attempt in plan] == sorted(attempt.at for attempt in plan)
    assert [attempt.position for attempt in plan] == list(range(len(plan)))
    used = [(attempt.contact.channel, attempt.contact.address) for attempt in plan]
    assert len(used) == len(set(used))
    assert all(attempt.contact.enabled for attempt in plan)
    assert bool(plan) == any(way.enabled and (last_resort or (way.verified and not way.failing)) for way in ways)


def test_every_page_goes_before_every_status_mail_and_a_higher_priority_before_a_lower() -> None:
    pages = [lane(Traffic.PAGE, priority=priority, unset_as=2) for priority in (1, 2, 3, 4, 99)]
    mails = [lane(Traffic.STAKEHOLDERS, priority=priority, unset_as=2) for priority in (1, 4)]
    assert pages == sorted(set(pages))
    assert max(pages) < min(mails)
    assert lane(Traffic.PAGE, priority=None, unset_as=2) == pages[1]
