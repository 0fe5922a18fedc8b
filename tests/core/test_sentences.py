"""What a person reads for an entry of the log."""

from __future__ import annotations

import pytest

from tocsin.core.facts import TEXTS, Kind, sentence

ON_AN_INCIDENT = (
    "incident",
    "alert",
    "breach",
    "page",
    "priority",
    "severity",
    "obligation",
    "update",
    "postmortem",
    "action",
)
ITS_OWN_WORDS = {Kind.INCIDENT_CORRECTED}
"""Kinds whose entries carry their sentence as `text`."""


@pytest.mark.parametrize("kind", [kind for kind in Kind if kind.value.split(".")[0] in ON_AN_INCIDENT], ids=str)
def test_whatever_stands_on_a_timeline_reads_as_a_sentence(kind: Kind) -> None:
    assert kind in TEXTS or kind in ITS_OWN_WORDS


def test_a_change_says_what_became_of_it() -> None:
    assert sentence("action.changed", {"title": "Drain the queue", "status": "done"}) == "Action done: Drain the queue"
    assert sentence("postmortem.moved", {"old": "draft", "new": "in_review"}) == "Postmortem: draft -> in_review"
    assert (
        sentence("incident.corrected", {"corrects": 7, "text": "It was the other region."})
        == "It was the other region."
    )


def test_what_was_redacted_reads_as_such_and_what_is_missing_breaks_nothing() -> None:
    assert sentence("update.sent", None) == "(redacted)"
    assert sentence("update.sent", {"text": "Fixed."}).endswith("Fixed.")
