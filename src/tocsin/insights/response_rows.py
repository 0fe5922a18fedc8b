"""The rows of one response that several readers look at, read once and handed on."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from tocsin.audit.queries import Excerpt, excerpt
from tocsin.core import adherence_response as kinds
from tocsin.core.facts import Kind
from tocsin.incidents import people_queries
from tocsin.incidents.actions.caring import CONFLICTS
from tocsin.incidents.models import CareAnswer, Incident, ResponseTeam, RoleHeld
from tocsin.incidents.snapshots import CLASSIFIED
from tocsin.oncall.models import Rotation

READ_KINDS = (
    *CLASSIFIED,
    *CONFLICTS,
    Kind.PERSON_INTRODUCED,
    Kind.GROUND_RULES_POSTED,
    Kind.POSTMORTEM_MOVED,
    Kind.POSTMORTEM_ITEM_DONE,
    Kind.POSTMORTEM_ITEM_EXPLAINED,
    kinds.DECISION_RECORDED,
    kinds.HANDOVER_RECORDED,
    kinds.RANK_REFUSED,
    kinds.RANK_OVERRIDDEN,
)
"""Kinds of which a response has few entries; what is said all night long is kept ready in `response_log`."""


@dataclass(frozen=True, slots=True)
class ResponseRows:
    """`answers` and `rotations` are private or large and empty where the reader has no part in the response."""

    roles: Sequence[RoleHeld]
    log: Excerpt
    team: ResponseTeam | None
    answers: Sequence[CareAnswer] = ()
    rotations: Sequence[Rotation] = ()


def rows_of(
    incident: Incident,
    username: str,
    *,
    whole: bool,
    roles: Sequence[RoleHeld],
    log: Excerpt | None = None,
) -> ResponseRows:
    """What is read for that person: of a response they neither lead nor take part in, only who is there."""
    involved = whole or any(row.person.username == username for row in roles)
    return ResponseRows(
        roles=roles,
        log=log or excerpt(incident.ref, READ_KINDS),
        team=people_queries.team_record(incident),
        answers=people_queries.care_answers(incident) if involved else (),
        rotations=tuple(Rotation.objects.prefetch_related("overrides")) if involved else (),
    )
