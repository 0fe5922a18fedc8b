"""The walk that finds use cases nobody watches yet, and what becomes of each find."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from enum import StrEnum

from tocsin.core.reasons import Reason


class Answer(Reason):
    """What becomes of a find, in the order in which it is asked; the first yes counts."""

    EXISTING_SLI = "existing_sli", "Can a new SLO on an SLI we have watch it?"
    NEW_SLI = "new_sli", "Can a new SLO watch it once a new SLI exists?"
    RESOURCE_ALERT = "resource_alert", "Can a new resource-based alert watch it?"
    NOTHING = "nothing", "Nothing can watch it for now."


ASKED = (Answer.EXISTING_SLI, Answer.NEW_SLI, Answer.RESOURCE_ALERT)


def first_yes(*, existing_sli: bool, new_sli: bool, resource_alert: bool) -> Answer:
    """The answer that counts; NOTHING when each was no."""
    given = zip(ASKED, (existing_sli, new_sli, resource_alert), strict=True)
    return next((answer for answer, yes in given if yes), Answer.NOTHING)


class Watched(StrEnum):
    """How a use case is watched."""

    SLO = "slo"
    RESOURCE_ALERT = "resource_alert"
    INTERIM = "interim"
    NOT_YET = "not_yet"


@dataclass(frozen=True, slots=True)
class UseCase:
    """A use case of a team: its words, the priority its failure has (None with state none or unset), how it is watched.

    `by` names what watches it.
    """

    text: str
    rank: int | None
    state: str
    watched: Watched
    by: str = ""


@dataclass(frozen=True, slots=True)
class Covered:
    """Of the use cases with one priority: how many are watched by what."""

    rank: int | None
    state: str
    slo: int
    resource_alert: int
    interim: int
    not_yet: int

    @property
    def total(self) -> int:
        return self.slo + self.resource_alert + self.interim + self.not_yet


def coverage(cases: Iterable[UseCase], ranks: Iterable[int]) -> list[Covered]:
    """One line for each rank of the catalogue, then for `none` and `unset`; together every use case exactly once."""
    rows = list(cases)
    keys: list[tuple[int | None, str]] = [*((rank, "set") for rank in ranks), (None, "none"), (None, "unset")]
    return [_line(rows, rank, state) for rank, state in keys]


def _line(rows: list[UseCase], rank: int | None, state: str) -> Covered:
    here = [one.watched for one in rows if (one.rank, one.state) == (rank, state)]
    slo, alert, interim, not_yet = (here.count(kind) for kind in Watched)
    return Covered(rank, state, slo, alert, interim, not_yet)


def same_use_case(one: str, other: str) -> bool:
    """Whether two texts are the same use case: case, spaces and a full stop at the end make no difference."""
    return _plain(one) == _plain(other)


def _plain(text: str) -> str:
    return " ".join(text.casefold().split()).rstrip(".")
