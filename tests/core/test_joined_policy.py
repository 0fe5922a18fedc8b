"""Several chains as one: everybody is asked when their own chain would ask them, and nobody twice in a step."""

from __future__ import annotations

from datetime import timedelta

from hypothesis import given
from hypothesis import strategies as st

from tocsin.core.escalation import Policy, Step
from tocsin.core.escalation_document import MOST_TARGETS, parse_policy
from tocsin.core.joined_policy import joined_policy


def policy(name: str, *steps: tuple[int, list[str]], repeat: int = 0) -> Policy:
    return Policy(name, tuple(Step(timedelta(minutes=wait), tuple(targets)) for wait, targets in steps), repeat)


def test_steps_are_joined_and_wait_as_long_as_the_most_impatient() -> None:
    first = policy("pay", (5, ["user:ada"]), (10, ["team:pay"]), repeat=1)
    second = policy("search", (3, ["user:ben", "user:ada"]))
    assert joined_policy([first, second]) == {
        "name": "pay and 1 more",
        "repeat": 1,
        "steps": [
            {"wait_minutes": 3.0, "targets": ["user:ada", "user:ben"]},
            {"wait_minutes": 10.0, "targets": ["team:pay"]},
        ],
    }


def test_a_long_list_keeps_no_other_chain_out() -> None:
    crowd = policy("crowd", (5, [f"user:u{number}" for number in range(MOST_TARGETS)]))
    found = joined_policy([crowd, policy("small", (5, ["user:ben"]))])
    assert len(found["steps"][0]["targets"]) == MOST_TARGETS
    assert "user:ben" in found["steps"][0]["targets"]


targets = st.lists(st.sampled_from([f"user:u{number}" for number in range(8)]), max_size=4)
chains = st.lists(st.tuples(st.integers(0, 60), targets), max_size=4)


@given(st.lists(chains, min_size=1, max_size=5))
def test_what_comes_out_is_a_policy_that_asks_nobody_later(drawn: list[list[tuple[int, list[str]]]]) -> None:
    given_ones = [policy(f"p{number}", *steps) for number, steps in enumerate(drawn)]
    joined = parse_policy(joined_policy(given_ones))
    for one in given_ones:
        for number, step in enumerate(one.steps):
            assert set(step.targets) <= set(joined.steps[number].targets)
            assert joined.steps[number].wait <= step.wait
    assert all(len(set(step.targets)) == len(step.targets) for step in joined.steps)
