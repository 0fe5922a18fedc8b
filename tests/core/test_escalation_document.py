"""Reading an escalation policy file: what is taken, and that each mistake is named by its path."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest

from tocsin.core.errors import Invalid
from tocsin.core.escalation import Policy, Step
from tocsin.core.escalation_document import parse_policy


def document(**changes: Any) -> dict[str, Any]:
    return {"name": "default", "repeat": 1, "steps": [{"wait_minutes": 5, "targets": ["user:mia"]}], **changes}


def test_the_file_of_the_contract_is_read() -> None:
    assert parse_policy(document()) == Policy("default", (Step(timedelta(minutes=5), ("user:mia",)),), 1)


def test_what_may_be_left_out_has_its_default_and_a_step_may_be_empty() -> None:
    read = parse_policy({"name": "x", "steps": [{"wait_minutes": 0.5, "targets": []}, {"wait_minutes": 0}]})
    assert read == Policy("x", (Step(timedelta(seconds=30), ()), Step(timedelta(0), ())), 0, ())


def test_a_target_named_twice_counts_once_and_the_fallback_is_read() -> None:
    read = parse_policy(document(steps=[{"wait_minutes": 1, "targets": ["user:a", "user:a"]}], fallback=["team:all"]))
    assert (read.steps[0].targets, read.fallback) == (("user:a",), ("team:all",))


@pytest.mark.parametrize(
    ("changes", "path"),
    [
        ({"name": " "}, "name"),
        ({"repeat": -1}, "repeat"),
        ({"repeat": 10**9}, "repeat"),
        ({"repeat": True}, "repeat"),
        ({"steps": None}, "steps"),
        ({"steps": "all"}, "steps"),
        ({"steps": [{"wait_minutes": 5, "targets": []}] * 51}, "steps"),
        ({"steps": [{"wait_minutes": 10**9, "targets": []}]}, "steps.0.wait_minutes"),
        ({"steps": [{"wait_minutes": -1, "targets": []}]}, "steps.0.wait_minutes"),
        ({"steps": [{"wait_minutes": float("nan"), "targets": []}]}, "steps.0.wait_minutes"),
        ({"steps": [{"targets": []}]}, "steps.0.wait_minutes"),
        ({"steps": [{"wait_minutes": 5, "targets": ["mia"]}]}, "steps.0.targets.0"),
        ({"steps": [{"wait_minutes": 5, "targets": ["policy:default"]}]}, "steps.0.targets.0"),
        ({"steps": [{"wait_minutes": 5, "targets": ["user:"]}]}, "steps.0.targets.0"),
        ({"steps": [{"wait_minute": 5, "wait_minutes": 5}]}, "steps.0.wait_minute"),
        ({"fallback": ["nobody"]}, "fallback.0"),
    ],
)
def test_a_mistake_is_named_by_its_path(changes: dict[str, Any], path: str) -> None:
    with pytest.raises(Invalid) as refusal:
        parse_policy(document(**changes))
    assert list(refusal.value.fields) == [path]
