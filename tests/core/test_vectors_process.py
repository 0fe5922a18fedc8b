"""The exact vectors of process decisions."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from decimal import Decimal
from typing import Any

import pytest
import rfc8785

from tests.core.process_samples import P1, PROCESS, WARNING, at, vectors
from tocsin.core.cadence import due_after_lowering, due_after_raise, initial_report_due, next_due, planned_updates
from tocsin.core.hash_chain import GENESIS, data_digest, link
from tocsin.core.severities import suggest

START = datetime(2026, 3, 2, tzinfo=UTC)


def minute(number: int) -> datetime:
    return START + timedelta(minutes=number)


def named(vector: dict[str, Any]) -> str:
    return str(vector["id"])


@pytest.mark.req("R-9.3.4-4")
@pytest.mark.parametrize("vector", vectors("severity_suggested"), ids=named)
def test_the_worst_known_criterion_suggests_the_severity(vector: dict[str, Any]) -> None:
    share = vector["input"]["users_share"]
    found = suggest(
        PROCESS.severities,
        users_share=None if share is None else Decimal(share),
        teams=vector["input"]["teams"],
    )
    assert found.severity == vector["expect"]
    assert found.prompt == (share is None and vector["expect"] == WARNING)


@pytest.mark.parametrize("vector", vectors("cadence_raise_min"), ids=named)
def test_raising_a_priority_brings_the_next_update_forward(vector: dict[str, Any]) -> None:
    given = vector["input"]
    found = due_after_raise(
        current_due_at=minute(given["due"]),
        last_sent_at=minute(given["last"]),
        new_interval=timedelta(minutes=given["new_interval"]),
        now=minute(given["now"]),
    )
    assert found == minute(vector["expect"])


@pytest.mark.parametrize("vector", vectors("cadence_lower_min"), ids=named)
def test_lowering_a_priority_keeps_the_promise_and_then_slows_down(vector: dict[str, Any]) -> None:
    given = vector["input"]
    kept = due_after_lowering(current_due_at=minute(given["due"]))
    after = next_due(kept, timedelta(minutes=given["new_interval"]))
    assert [kept, after] == [minute(number) for number in vector["expect"]]


@pytest.mark.req("R-9.2.3-12")
@pytest.mark.parametrize("vector", vectors("cadence"), ids=named)
def test_updates_sent_on_time_fill_the_bracket_from_opening_to_closing(vector: dict[str, Any]) -> None:
    priority = PROCESS.catalogue.by_rank(vector["input"]["priority"])
    assert priority is not None
    assert priority.rank == P1
    assert priority.criteria.update_every is not None
    times = planned_updates(
        at(vector["input"]["opened"]), at(vector["input"]["resolved"]), priority.criteria.update_every
    )
    assert [f"{time:%H:%M}" for time in times] == vector["expect"]


@pytest.mark.req("R-9.1-14")
@pytest.mark.parametrize("vector", vectors("hash_chain"), ids=named)
def test_the_chain_of_hashes_is_exact(vector: dict[str, Any]) -> None:
    head, found = GENESIS, []
    for entry in vector["input"]["entries"]:
        kept = {name: value for name, value in entry.items() if name != "data"}
        kept["data_sha256"] = data_digest(rfc8785.dumps(entry["data"]))
        head = link(head, rfc8785.dumps(kept))
        found.append(head)
    assert found == vector["expect"]


@pytest.mark.parametrize("vector", vectors("dora_initial_due"), ids=named)
def test_the_first_report_to_an_authority_is_due_within_its_two_clocks(vector: dict[str, Any]) -> None:
    aware, classified, expected = (
        datetime.fromisoformat(text).replace(tzinfo=UTC)
        for text in (vector["input"]["aware"], vector["input"]["classified"], vector["expect"])
    )
    assert initial_report_due(aware, classified) == expected
