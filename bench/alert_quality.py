"""How good are the pages? The default rule against the workbook's, on a made-up world whose truth is known.

Prints pages, precision and recall of each rule and the ratios between the two. Run: python bench/alert_quality.py
[--services 100] [--seeds 1,2]. A world is a set of services with 0.002 to 500 requests a second, daily cycles, clumpy
ordinary errors, and incidents of seven kinds. An incident is significant when what it is expected to cost is at least
2 % of the 30-day budget (5 % for slow burns).
"""

import argparse
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import timedelta
from decimal import Decimal
from statistics import mean, median

import numpy as np
import numpy.typing as npt

from tocsin.core.breach_rules import Replay, replay

MINUTE = timedelta(minutes=1)
WEEKS = 4
STEPS = WEEKS * 7 * 24 * 60
PERIOD_STEPS = 30 * 24 * 60
GRACE_STEPS = 10  # a page just after the end still speaks of the incident
LOW_RATE = 0.1  # requests a second
TARGETS = ("0.99", "0.995", "0.999", "0.9995")
RULES = ("workbook", "tocsin", "depletion")

Floats = npt.NDArray[np.float64]


@dataclass(frozen=True)
class Trouble:
    """One incident of the world: when, of which kind, and whether it mattered."""

    kind: str
    start: int
    end: int
    significant: bool


@dataclass(frozen=True)
class Service:
    """One service's counts per minute and the truth behind them."""

    rate: float
    target: Decimal
    valid: npt.NDArray[np.int64]
    bad: npt.NDArray[np.int64]
    troubles: list[Trouble]


@dataclass
class Score:
    """What one rule did over a world."""

    pages: int = 0
    true_pages: int = 0
    significant: int = 0
    found: int = 0
    slow: int = 0
    slow_found: int = 0
    false_low: int = 0
    tickets: int = 0
    delays: dict[tuple[int, int], int] = field(default_factory=dict)

    @property
    def precision(self) -> float:
        return self.true_pages / self.pages if self.pages else float("nan")

    @property
    def recall(self) -> float:
        return self.found / self.significant if self.significant else float("nan")

    @property
    def slow_recall(self) -> float:
        return self.slow_found / self.slow if self.slow else float("nan")


def _shape(kind: str, rng: np.random.Generator, allowed: float) -> Floats:
    """Return the extra error ratio of an incident for each of its minutes."""
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


KINDS = {"outage": 0.5, "partial": 0.7, "slow": 0.35, "blip": 3.0, "deploy": 4.0, "flapping": 0.4, "storm": 0.5}


def make_service(rng: np.random.Generator) -> Service:
    """Make one service's four weeks."""
    rate = float(np.exp(rng.uniform(np.log(0.002), np.log(500))))
    target = Decimal(str(rng.choice(TARGETS)))
    allowed = float(1 - target)
    minutes = np.arange(STEPS)
    day = 1 + rng.uniform(0.2, 0.9) * np.sin(2 * np.pi * (minutes / 1440 - rng.uniform()))
    traffic = rate * 60 * day
    clumps = np.repeat(rng.gamma(0.5, 2, STEPS // 10 + 1), 10)[:STEPS]
    ratio = allowed * rng.uniform(0.05, 0.5) * clumps
    budget = allowed * traffic.mean() * PERIOD_STEPS
    troubles = []
    for kind, per_month in KINDS.items():
        for _ in range(rng.poisson(per_month)):
            extra = _shape(kind, rng, allowed)
            start = int(rng.integers(4320, STEPS - 10))
            end = min(STEPS, start + extra.size)
            traffic[start:end] *= 3 if kind == "storm" else 1
            ratio[start:end] += extra[: end - start]
            cost = float((traffic[start:end] * extra[: end - start]).sum()) / budget
            troubles.append(Trouble(kind, start, end, cost >= (0.05 if kind == "slow" else 0.02)))
    valid = rng.poisson(traffic)
    bad = rng.binomial(valid, np.minimum(1, ratio))
    return Service(rate, target, valid, bad, troubles)


def world(seed: int, services: int) -> Iterator[Service]:
    """Make a world from a seed."""
    rng = np.random.default_rng(seed)
    for _ in range(services):
        yield make_service(rng)


def score_service(score: Score, number: int, service: Service, replays: list[Replay]) -> None:
    """Hold what a rule did against what was true."""
    important = [trouble for trouble in service.troubles if trouble.significant]
    page, *tickets = replays
    score.pages += page.notified.size
    score.tickets += sum(ticket.notified.size for ticket in tickets)
    for step in page.notified:
        true = any(trouble.start <= step < trouble.end + GRACE_STEPS for trouble in important)
        score.true_pages += true
        score.false_low += not true and service.rate < LOW_RATE
    fired = np.any([one.firing for one in replays], axis=0)
    for place, trouble in enumerate(important):
        slow = trouble.kind == "slow"
        firing = fired if slow else page.firing
        hits = np.flatnonzero(firing[trouble.start : trouble.end + GRACE_STEPS])
        score.significant += 1
        score.slow += slow
        if hits.size:
            score.found += 1
            score.slow_found += slow
            score.delays[number, place] = int(hits[0]) + 1


def ratios(ours: Score, theirs: Score) -> str:
    """Compare a rule with the workbook's; delays only over what both found."""
    both = ours.delays.keys() & theirs.delays.keys()
    mine, other = [ours.delays[key] for key in both], [theirs.delays[key] for key in both]
    return (
        f"pages {ours.pages / theirs.pages:.2f}x  precision {ours.precision / theirs.precision:.2f}x  "
        f"recall {ours.recall / theirs.recall:.2f}x  slow recall {ours.slow_recall / theirs.slow_recall:.2f}x  "
        f"detection median {median(mine) / median(other):.2f}x mean {mean(mine) / mean(other):.2f}x  "
        f"false pages on low traffic {ours.false_low / max(1, theirs.false_low):.2f}x"
    )


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--services", type=int, default=100)
    parser.add_argument("--seeds", default="1")
    options = parser.parse_args()
    scores = {rule: Score() for rule in RULES}
    number = 0
    for seed in options.seeds.split(","):
        for service in world(int(seed), options.services):
            number += 1
            for rule, score in scores.items():
                replays = replay(service.valid, service.bad, step=MINUTE, target=service.target, rule=rule)
                score_service(score, number, service, replays)
    weeks = number * WEEKS / 100
    for rule, score in scores.items():
        print(
            f"{rule:10} pages per 100 services and week {score.pages / weeks:7.1f}  precision {score.precision:.2f}  "
            f"recall {score.recall:.2f}  slow burns {score.slow_found}/{score.slow}  "
            f"detection p50 {median(score.delays.values()):g} min  tickets {score.tickets / weeks:.1f}  "
            f"false on low traffic {score.false_low / weeks:.1f}"
        )
    print("tocsin / workbook:", ratios(scores["tocsin"], scores["workbook"]))


if __name__ == "__main__":
    main()
