"""A made-up world of services whose truth is known, for judging alert rules.

Services with 0.002 to 500 requests a second, daily cycles, clumpy ordinary errors, and troubles of seven kinds. A trouble
is significant when what it is expected to cost is at least 2 % of the 30-day budget (5 % for slow burns).
"""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import timedelta
from decimal import Decimal

import numpy as np
import numpy.typing as npt

WEEKS = 4
MINUTES = WEEKS * 7 * 24 * 60
PERIOD_MINUTES = 30 * 24 * 60
FIRST_TROUBLE = 3 * 24 * 60  # by then the longest window of every rule is full
TARGETS = ("0.99", "0.995", "0.999", "0.9995")
# How often each kind happens to a service in the four weeks.
KINDS = {"outage": 0.5, "partial": 0.7, "slow": 0.35, "blip": 3.0, "deploy": 4.0, "flapping": 0.4, "storm": 0.5}

Floats = npt.NDArray[np.float64]
Counts = npt.NDArray[np.int64]


@dataclass(frozen=True)
class Trouble:
    """One trouble of the world: when (in steps), of which kind, and whether it mattered."""

    kind: str
    start: int
    end: int
    significant: bool


@dataclass(frozen=True)
class Service:
    """One service's counts a step and the truth behind them."""

    rate: float
    target: Decimal
    valid: Counts
    bad: Counts
    troubles: list[Trouble]


def _shape(kind: str, rng: np.random.Generator, allowed: float) -> Floats:
    """Return the extra error ratio of a trouble for each of its minutes."""
    match kind:
        case "outage":
            return np.ones(rng.integers(2, 40))
        case "partial":
            return np.full(rng.integers(10, 180), rng.uniform(0.05, 0.5))
        case "slow":
            return np.full(rng.integers(1440, 4 * 1440), min(0.5, allowed * rng.uniform(1.5, 6)))
        case "blip":
            return np.full(1, rng.uniform(0.1, 1))
        case "deploy":
            return np.full(rng.integers(1, 4), rng.uniform(0.05, 0.3))
        case "flapping":
            return np.tile(np.repeat([rng.uniform(0.1, 0.6), 0.0], 5), rng.integers(6, 13))
        case _:  # retry storm
            return np.full(rng.integers(5, 20), rng.uniform(0.2, 0.5))


def make_service(rng: np.random.Generator, step: timedelta) -> Service:
    """Make one service's four weeks, counted by the step; a minute must hold a whole number of steps."""
    in_minute = timedelta(minutes=1) // step
    steps = MINUTES * in_minute
    rate = float(np.exp(rng.uniform(np.log(0.002), np.log(500))))
    target = Decimal(str(rng.choice(TARGETS)))
    allowed = float(1 - target)
    days = np.arange(steps) / (1440 * in_minute)
    cycle = 1 + rng.uniform(0.2, 0.9) * np.sin(2 * np.pi * (days - rng.uniform()))
    traffic = rate * step.total_seconds() * cycle
    clumps = np.repeat(rng.gamma(0.5, 2, MINUTES // 10 + 1), 10 * in_minute)[:steps]
    ratio = allowed * rng.uniform(0.05, 0.5) * clumps
    budget = allowed * traffic.mean() * PERIOD_MINUTES * in_minute
    troubles = []
    for kind, times in KINDS.items():
        for _ in range(rng.poisson(times)):
            extra = np.repeat(_shape(kind, rng, allowed), in_minute)
            start = int(rng.integers(FIRST_TROUBLE * in_minute, steps - 10 * in_minute))
            end = min(steps, start + extra.size)
            traffic[start:end] *= 3 if kind == "storm" else 1
            ratio[start:end] += extra[: end - start]
            cost = float((traffic[start:end] * extra[: end - start]).sum()) / budget
            troubles.append(Trouble(kind, start, end, cost >= (0.05 if kind == "slow" else 0.02)))
    valid = rng.poisson(traffic)
    bad = rng.binomial(valid, np.minimum(1, ratio))
    return Service(rate, target, valid, bad, troubles)


def world(seed: int, services: int, step: timedelta) -> Iterator[Service]:
    """Make a world from a seed."""
    rng = np.random.default_rng(seed)
    for _ in range(services):
        yield make_service(rng, step)
