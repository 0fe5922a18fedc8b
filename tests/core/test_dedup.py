"""Deduplication keys: the same cause has the same key, different causes and different senders never do."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tocsin.core.alert_state import AlertKind, Incoming, KnownAlert, decide
from tocsin.core.dedup import LONGEST_KEY, alertmanager_key, event_key, rule_key, slo_key

names = st.text(alphabet=st.sampled_from("ab:%A3"), max_size=5)


@pytest.mark.req("R-9.2.11-1")
def test_a_second_trigger_of_a_rule_on_the_same_entity_is_a_repeat_and_opens_nothing() -> None:
    first = rule_key("CPU>90% on host ABC", {"host": "ABC", "zone": "a"})
    second = rule_key("CPU>90% on host ABC", {"zone": "a", "host": "ABC"})
    assert first == second
    now = datetime(2026, 11, 23, 2, 12, tzinfo=UTC)
    open_alerts: dict[str, KnownAlert] = {}
    kinds = []
    for key in (first, second):
        decision = decide(open_alerts.get(key), Incoming(), now=now)
        kinds.append(decision.kind)
        open_alerts[key] = KnownAlert(True, decision.starts_at, decision.ends_at)
    assert kinds == [AlertKind.OPENED, AlertKind.REPEAT]


def test_another_entity_or_another_rule_is_another_cause() -> None:
    keys = {rule_key("cpu", {"host": "a"}), rule_key("cpu", {"host": "b"}), rule_key("memory", {"host": "a"})}
    assert len(keys) == 3


def test_no_sender_can_speak_for_another() -> None:
    assert event_key("one", "db-down") != event_key("two", "db-down")
    assert alertmanager_key("one", "74342b4f08d3f939") != event_key("one", "74342b4f08d3f939")
    assert slo_key("checkout") != event_key("slo", "checkout")


def test_a_long_key_becomes_its_digest_and_stays_the_same() -> None:
    long = event_key("one", "x" * 1000)
    assert len(long) <= LONGEST_KEY
    assert long == event_key("one", "x" * 1000)
    assert long != event_key("one", "x" * 1001)


@given(st.tuples(names, names), st.tuples(names, names))
def test_the_key_tells_any_two_pairs_of_sender_and_name_apart(one: tuple[str, str], other: tuple[str, str]) -> None:
    assert (event_key(*one) == event_key(*other)) == (one == other)


@given(
    st.dictionaries(names.filter(bool), names.filter(bool), max_size=3),
    st.dictionaries(names.filter(bool), names.filter(bool), max_size=3),
)
def test_the_key_tells_any_two_entities_apart(one: dict[str, str], other: dict[str, str]) -> None:
    assert (rule_key("rule", one) == rule_key("rule", other)) == (one == other)
