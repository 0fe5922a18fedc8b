"""What an update may not leave out, and what its writer is told."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest

from tests.core.process_samples import PROCESS, at, process_with
from tocsin.core.wording import (
    Finding,
    UpdateDraft,
    UpdateKind,
    Weight,
    WordingRule,
    is_refused,
    lint_blame,
    lint_update,
)

NOW = at("12:00")
FINE = UpdateDraft(
    kind=UpdateKind.PROGRESS,
    text="Log-on works again in the north; the south follows. Workaround: use the app.",
    next_update_at=at("14:00"),
    cadence=timedelta(hours=2),
    previous_text="Log-on does not work.",
    previous_sent_at=at("10:00"),
)


def lint(**changes: Any) -> tuple[Finding, ...]:
    draft = replace(FINE, **changes)
    return lint_update(draft, PROCESS.messages, PROCESS.catalogue.notification, now=NOW)


def found(**changes: Any) -> list[WordingRule]:
    return [finding.rule for finding in lint(**changes)]


def test_a_good_update_brings_no_remark() -> None:
    assert lint() == ()


@pytest.mark.req("R-9.2.3-11")
@pytest.mark.parametrize("kind", [UpdateKind.OPENING, UpdateKind.PROGRESS])
def test_a_message_that_is_not_the_last_is_refused_without_the_next_update(kind: UpdateKind) -> None:
    findings = lint(kind=kind, next_update_at=None)
    assert [finding.rule for finding in findings] == [WordingRule.NEXT_UPDATE_MISSING]
    assert is_refused(findings)
    assert not is_refused(lint(kind=UpdateKind.CLOSING, next_update_at=None))


def test_the_next_update_lies_ahead_and_within_the_cadence() -> None:
    assert found(next_update_at=NOW) == [WordingRule.NEXT_UPDATE_NOT_AHEAD]
    assert found(next_update_at=at("14:01")) == [WordingRule.NEXT_UPDATE_TOO_LATE]
    assert found(next_update_at=at("12:30")) == []
    assert found(next_update_at=at("23:00"), cadence=None) == []


def test_no_promise_of_an_end_except_when_it_is_over() -> None:
    text = "The payment pages will be  fixed by 15:00."
    (finding,) = lint(text=text)
    assert (finding.rule, finding.weight) == (WordingRule.PROMISES_AN_END, Weight.WARN)
    assert found(kind=UpdateKind.CLOSING, text=text) == []


def test_the_same_text_again_is_flagged_and_soon_after_it_is_too_soon() -> None:
    assert found(previous_text=FINE.text.upper() + " ") == [WordingRule.SAME_AS_BEFORE]
    assert found(previous_text=FINE.text, previous_sent_at=at("11:50")) == [
        WordingRule.SAME_AS_BEFORE,
        WordingRule.TOO_SOON,
    ]
    assert found(previous_sent_at=at("11:50")) == []


def test_length_is_counted_by_medium() -> None:
    assert found(text="x" * 700) == []
    assert found(text="x" * 701) == [WordingRule.TOO_LONG]
    assert found(text="x" * 301, short_medium=True) == [WordingRule.TOO_LONG]
    assert is_refused(lint(text="   "))


def test_the_word_for_a_whole_service_is_kept_for_a_whole_service() -> None:
    text = "There is an Outage of log-on."
    assert found(text=text) == [WordingRule.WHOLE_SERVICE_WORD]
    assert found(text=text, whole_service_down=True) == []


def test_names_do_not_leave_the_house() -> None:
    names = ("db-7", "Ana")
    text = "Ana restarts db-7; bananas are fine."
    assert found(text=text, internal_names=names) == []
    outside = lint(text=text, internal_names=names, for_outsiders=True)
    assert [finding.words for finding in outside] == ["db-7", "Ana"]
    assert is_refused(outside)


def test_refusals_come_first() -> None:
    assert lint(text="There is an outage.", next_update_at=None)[0].weight is Weight.REFUSE


@pytest.mark.req("R-9.5.4-4")
@pytest.mark.parametrize(
    ("text", "form"),
    [
        ("It was a Human  Error in the rollout.", "human error"),
        ("Ops should have known.", "should have"),
        ("That is Bob\u2019s fault.", "'s fault"),
        ("Who broke it?", "who broke"),
    ],
)
def test_words_that_look_for_somebody_guilty_are_shown_with_a_better_way(text: str, form: str) -> None:
    (finding,) = [one for one in lint_blame(text, PROCESS.messages.blame) if one.words == form]
    assert finding.weight is Weight.WARN
    assert len(finding.message) > len("Looks for a guilty person: .")


def test_wording_about_the_system_is_left_alone() -> None:
    text = "The check did not see the expired certificate; a default of the library hid it. Unforgotten, shoulder."
    assert lint_blame(text, PROCESS.messages.blame) == ()


def test_the_list_of_words_is_data() -> None:
    other = process_with("messages.blame.0.form", "certificate")
    assert [one.words for one in lint_blame("A certificate expired.", other.messages.blame)] == ["certificate"]
