"""Several wake-up chains as one: for an incident that concerns more than one service."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import timedelta
from typing import Any

from tocsin.core.escalation import Policy, Step
from tocsin.core.escalation_document import MOST_STEPS, MOST_TARGETS

_MINUTE = timedelta(minutes=1)


def joined_policy(policies: Sequence[Policy]) -> dict[str, Any]:
    """A policy document whose n-th step asks everybody that the n-th step of one of `policies` asks.

    A step waits as long as the most impatient of its parts, so that nobody is asked later than by the own policy. Who
    stands in several of them is asked once a step: core pages a person once however many targets lead there.
    """
    length = min(max((len(one.steps) for one in policies), default=0), MOST_STEPS)
    steps = [_step([one.steps[number] for one in policies if number < len(one.steps)]) for number in range(length)]
    joined: dict[str, Any] = {
        "name": f"{policies[0].name} and {len(policies) - 1} more",
        "repeat": max(one.repeat for one in policies),
        "steps": steps,
    }
    fallback = _in_turns([one.fallback for one in policies])
    return joined | ({"fallback": fallback} if fallback else {})


def _step(parts: Sequence[Step]) -> dict[str, Any]:
    return {
        "wait_minutes": min(part.wait for part in parts) / _MINUTE,
        "targets": _in_turns([part.targets for part in parts]),
    }


def _in_turns(lists: Sequence[Sequence[str]]) -> list[str]:
    """The first of each, then the second of each: a long list of one keeps nobody else out."""
    longest = max((len(one) for one in lists), default=0)
    found = [one[place] for place in range(longest) for one in lists if place < len(one)]
    return list(dict.fromkeys(found))[:MOST_TARGETS]
