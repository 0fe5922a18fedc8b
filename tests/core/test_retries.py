"""When a failed delivery is tried again."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from fractions import Fraction
from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tocsin.core.retries import (
    CALL_RETRIES,
    MAIL_RETRIES,
    PAGE_RETRIES,
    WEBHOOK_RETRIES,
    Outcome,
    RetryPolicy,
    RetryReason,
    asked_wait,
    back_off,
    next_try,
    outcome_of_http,
    outcome_of_smtp,
    outcome_of_webhook,
)

NOW = datetime(2026, 11, 23, 2, 12, tzinfo=UTC)
SECOND = timedelta(seconds=1)
POLICIES = [WEBHOOK_RETRIES, PAGE_RETRIES, CALL_RETRIES, MAIL_RETRIES]
jitters = st.fractions(0, Fraction(999, 1000), max_denominator=1000)


@pytest.mark.parametrize(
    ("hang", "asked"),
    [
        (timedelta(0), None),
        (timedelta(0), timedelta(hours=5)),
        (timedelta(0), timedelta(days=10**6)),
        (10 * SECOND, None),
    ],
)
@pytest.mark.parametrize("jitter", [Fraction(0), Fraction(999, 1000)])
def test_a_webhook_is_tried_again_at_least_five_times_in_ninety_seconds_each_time_later(
    hang: timedelta, asked: timedelta | None, jitter: Fraction
) -> None:
    moment, begun = NOW, [NOW]
    while moment < NOW + timedelta(minutes=30):
        outcome = Outcome.UNKNOWN if hang else Outcome.TEMPORARY
        retry = next_try(
            WEBHOOK_RETRIES, outcome, tries_made=len(begun), now=moment + hang, jitter=jitter, asked_wait=asked
        )
        assert retry.at is not None
        moment = retry.at
        begun.append(moment)
    waits = [later - earlier for earlier, later in pairwise(begun)]
    assert all(earlier < later for earlier, later in pairwise(waits))
    # Half a second goes by before the engine sees that a row is due.
    assert begun[5] + 5 * SECOND / 2 <= NOW + 90 * SECOND


def test_a_webhook_is_given_up_only_after_about_a_day() -> None:
    moment, tries = NOW, 1
    while (retry := next_try(WEBHOOK_RETRIES, Outcome.TEMPORARY, tries_made=tries, now=moment, jitter=0)).at:
        moment, tries = retry.at, tries + 1
    assert retry.reason is RetryReason.TRIES_USED_UP
    assert timedelta(hours=20) < moment - NOW < timedelta(hours=30)


@pytest.mark.parametrize("policy", POLICIES)
def test_what_was_accepted_or_refused_for_good_is_not_tried_again(policy: RetryPolicy) -> None:
    done = next_try(policy, Outcome.ACCEPTED, tries_made=1, now=NOW, jitter=0)
    refused = next_try(policy, Outcome.PERMANENT, tries_made=1, now=NOW, jitter=0, asked_wait=SECOND)
    assert (done.at, done.reason, refused.at, refused.reason) == (None, RetryReason.DONE, None, RetryReason.REFUSED)


def test_an_uncertain_page_is_sent_again_at_once_where_its_id_makes_it_harmless_and_after_a_word_where_not() -> None:
    at_once = next_try(PAGE_RETRIES, Outcome.UNKNOWN, tries_made=1, now=NOW, jitter=Fraction(1, 2))
    call = next_try(CALL_RETRIES, Outcome.UNKNOWN, tries_made=1, now=NOW, jitter=0)
    assert (at_once.at, at_once.reason) == (NOW, RetryReason.UNCERTAIN)
    assert call.at == NOW + 20 * SECOND
    # A far side that never answers is not asked without a pause for ever.
    assert next_try(PAGE_RETRIES, Outcome.UNKNOWN, tries_made=2, now=NOW, jitter=0).at == NOW + 4 * SECOND


def test_the_far_side_may_ask_for_a_longer_wait_within_bounds_but_not_for_a_shorter_one() -> None:
    def wait(asked: timedelta) -> timedelta:
        retry = next_try(PAGE_RETRIES, Outcome.TEMPORARY, tries_made=1, now=NOW, jitter=0, asked_wait=asked)
        assert retry.at is not None
        return retry.at - NOW

    assert wait(SECOND) == 2 * SECOND
    assert wait(20 * SECOND) == 20 * SECOND
    assert wait(timedelta(hours=1)) == 30 * SECOND
    assert wait(timedelta(days=3650)) == 2 * SECOND


def test_a_try_that_would_come_after_its_use_is_not_made() -> None:
    late = next_try(PAGE_RETRIES, Outcome.TEMPORARY, tries_made=1, now=NOW, jitter=0, expires_at=NOW + 2 * SECOND)
    assert (late.at, late.reason) == (None, RetryReason.EXPIRED)


@given(
    st.sampled_from(POLICIES),
    st.integers(1, 10_000),
    st.sampled_from([Outcome.TEMPORARY, Outcome.UNKNOWN]),
    jitters,
    st.none() | st.timedeltas(),
)
def test_no_wait_is_negative_or_longer_than_the_policy_lets_anybody_ask(
    policy: RetryPolicy, tries: int, outcome: Outcome, jitter: Fraction, asked: timedelta | None
) -> None:
    retry = next_try(policy, outcome, tries_made=tries, now=NOW, jitter=jitter, asked_wait=asked)
    assert (retry.at is None) == (tries >= policy.tries)
    if retry.at is not None:
        assert timedelta(0) <= retry.at - NOW <= policy.longest * policy.stretch * 1.1


@given(st.sampled_from(POLICIES), st.integers(1, 10_000))
def test_the_back_off_doubles_until_its_cap(policy: RetryPolicy, tries: int) -> None:
    here, after = back_off(policy, tries_made=tries), back_off(policy, tries_made=tries + 1)
    assert policy.first <= here <= policy.longest
    assert after == min(2 * here, policy.longest)


@pytest.mark.parametrize(
    ("status", "provider", "webhook"),
    [
        (200, Outcome.ACCEPTED, Outcome.ACCEPTED),
        (204, Outcome.ACCEPTED, Outcome.ACCEPTED),
        (301, Outcome.PERMANENT, Outcome.TEMPORARY),
        (400, Outcome.PERMANENT, Outcome.TEMPORARY),
        (404, Outcome.PERMANENT, Outcome.TEMPORARY),
        (408, Outcome.TEMPORARY, Outcome.TEMPORARY),
        (410, Outcome.PERMANENT, Outcome.PERMANENT),
        (429, Outcome.TEMPORARY, Outcome.TEMPORARY),
        (503, Outcome.TEMPORARY, Outcome.TEMPORARY),
    ],
)
def test_what_an_http_status_says(status: int, provider: Outcome, webhook: Outcome) -> None:
    assert (outcome_of_http(status), outcome_of_webhook(status)) == (provider, webhook)


@pytest.mark.parametrize(
    ("code", "outcome"),
    [
        (250, Outcome.ACCEPTED),
        (421, Outcome.TEMPORARY),
        (450, Outcome.TEMPORARY),
        (550, Outcome.PERMANENT),
        (354, Outcome.UNKNOWN),
        (-1, Outcome.UNKNOWN),
    ],
)
def test_what_an_smtp_reply_says(code: int, outcome: Outcome) -> None:
    assert outcome_of_smtp(code) is outcome


@pytest.mark.parametrize(
    ("header", "wait"),
    [
        ("7", 7 * SECOND),
        (" 120 ", 120 * SECOND),
        ("Mon, 23 Nov 2026 02:13:00 GMT", 60 * SECOND),
        ("Mon, 23 Nov 2026 02:11:00 GMT", None),
        ("0", None),
        ("-5", None),
        ("1e9", None),
        ("9" * 5000, None),
        ("١٢", None),
        ("soon", None),
        ("", None),
        (None, None),
    ],
)
def test_a_request_to_wait_is_read_as_seconds_or_a_date_and_nonsense_is_none(
    header: str | None, wait: timedelta | None
) -> None:
    assert asked_wait(header, now=NOW) == wait


@given(st.text(max_size=40))
def test_no_header_is_an_accident(header: str) -> None:
    found = asked_wait(header, now=NOW)
    assert found is None or found > timedelta(0)
