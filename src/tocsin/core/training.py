"""Does somebody have the skills and the training that a role asks for?"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import date

from tocsin.core.process_parts import RoleDefinition


@dataclass(frozen=True)
class Learnt:
    """A training: what in (a skill, or the code of a role), on which day, and until when it holds (None: for good)."""

    subject: str
    on: date
    valid_until: date | None = None


@dataclass(frozen=True)
class TrainingGap:
    """What a person lacks for a role: training for the role itself, or these skills. `ran_out` is when it ended."""

    person: str
    role: str
    trained: bool
    skills: tuple[str, ...]
    ran_out: date | None = None

    def sentence(self, role_name: str) -> str:
        """The gap as people say it."""
        if self.ran_out is not None:
            return f"{self.person}: the training as {role_name} ran out on {self.ran_out:%Y-%m-%d}."
        if not self.trained:
            return f"{self.person} has no training date as {role_name}."
        return f"{self.person} lacks for {role_name}: {', '.join(self.skills)}."


def gap(person: str, role: RoleDefinition, learnt: Sequence[Learnt], *, today: date) -> TrainingGap | None:
    """What `person` lacks for `role` today, None when nothing.

    A training for the role covers its skills; else each skill has to be there, and a date for the role, too.
    """
    mine = [one for one in learnt if _same(one.subject, (role.code, role.display_name))]
    if any(_holds(one, today) for one in mine):
        return None
    ended = [one.valid_until for one in mine if one.valid_until is not None]
    known = [one.subject for one in learnt if _holds(one, today)]
    skills = tuple(skill for skill in role.skills if not any(_same(one, (skill,)) for one in known))
    if not mine and role.skills and not skills:
        return None
    return TrainingGap(person, role.code, bool(known) and not ended, skills, max(ended) if ended else None)


def _holds(one: Learnt, today: date) -> bool:
    return one.on <= today and (one.valid_until is None or today <= one.valid_until)


def _same(one: str, others: Iterable[str]) -> bool:
    return one.strip().casefold() in {other.strip().casefold() for other in others}
