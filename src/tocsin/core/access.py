"""Who may do what: one table, read by pages, API, command line and tests.

A right is checked in the query or the action that needs it, never in a template. A global role gives rights
everywhere; owning a team gives rights over that team's things; holding a role in an incident gives rights inside it.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum

from tocsin.core.errors import NotAllowed


class ActorKind(StrEnum):
    PERSON = "person"
    SYSTEM = "system"
    INTEGRATION = "integration"
    ANONYMOUS = "anonymous"
    PAGE_LINK = "page_link"


class Role(StrEnum):
    """Standing roles of a person in the installation (settled decision on rights)."""

    ANONYMOUS = "anonymous"
    READER = "reader"
    RESPONDER = "responder"
    TEAM_OWNER = "team_owner"
    PROCESS_OWNER = "process_owner"
    COACH = "coach"
    AUDITOR = "auditor"
    ADMIN = "admin"
    INTEGRATION = "integration"
    REVOKED = "revoked"


class Right(StrEnum):
    """domain:thing:verb, complete."""

    INCIDENT_READ = "incidents:incident:read"
    INCIDENT_DECLARE = "incidents:incident:declare"
    INCIDENT_ACKNOWLEDGE = "incidents:incident:acknowledge"
    INCIDENT_CLASSIFY = "incidents:incident:classify"
    INCIDENT_RESOLVE = "incidents:incident:resolve"
    INCIDENT_ESCALATE = "incidents:incident:escalate"
    INCIDENT_ANNOTATE = "incidents:incident:annotate"
    INCIDENT_ASSIGN = "incidents:role:assign"
    INCIDENT_JOIN = "incidents:role:join"
    INCIDENT_PROPOSE = "incidents:solution:propose"
    SOLUTION_CHOOSE = "incidents:solution:choose"
    DECIDE = "incidents:decision:decide"
    PAGE_OFF_CALL = "incidents:page:off_call"
    OBLIGATION_FULFIL = "incidents:obligation:fulfil"
    OBLIGATION_WAIVE = "incidents:obligation:waive"
    CHECK_WAIVE = "incidents:check:waive"
    UPDATE_DRAFT = "comms:update:draft"
    UPDATE_APPROVE = "comms:update:approve"
    UPDATE_SEND = "comms:update:send"
    SUBSCRIBER_WRITE = "comms:subscriber:write"
    POSTMORTEM_READ = "postmortems:postmortem:read"
    POSTMORTEM_WRITE = "postmortems:postmortem:write"
    SLO_READ = "slo:objective:read"
    ADOPTION_READ = "adoption:wish:read"
    WISH_ADD = "adoption:wish:add"
    BACKLOG_RANK = "adoption:backlog:rank"
    SESSION_RECORD = "adoption:session:record"
    SLO_WRITE = "slo:objective:write"
    PRIORITY_ASSIGN = "slo:priority:assign"
    ALERT_READ = "alerts:alert:read"
    ALERT_SEND = "alerts:alert:send"
    SILENCE_WRITE = "alerts:silence:write"
    INTEGRATION_WRITE = "alerts:integration:write"
    COUNTS_SEND = "slo:counts:send"
    ONCALL_READ = "oncall:rotation:read"
    ONCALL_WRITE = "oncall:rotation:write"
    ONCALL_OVERRIDE = "oncall:override:write"
    ESCALATION_WRITE = "oncall:escalation:write"
    CATALOG_READ = "catalog:service:read"
    CATALOG_WRITE = "catalog:service:write"
    PROCESS_READ = "process:version:read"
    PROCESS_REMARK = "process:version:remark"
    PROCESS_WRITE = "process:version:write"
    PEOPLE_READ = "people:person:read"
    PEOPLE_WRITE = "people:person:write"
    TEAM_WRITE = "people:team:write"
    TOKEN_WRITE = "people:token:write"  # noqa: S105 - the name of a right
    AUDIT_READ = "audit:log:read"
    AUDIT_REDACT = "audit:entry:redact"
    SETTINGS_WRITE = "platform:settings:write"


_READ = frozenset(right for right in Right if right.value.endswith(":read"))
_OPEN_READ = _READ - {Right.AUDIT_READ}
_RESPOND = frozenset(
    {
        Right.INCIDENT_DECLARE,
        Right.INCIDENT_ACKNOWLEDGE,
        Right.INCIDENT_CLASSIFY,
        Right.INCIDENT_RESOLVE,
        Right.INCIDENT_ESCALATE,
        Right.INCIDENT_ANNOTATE,
        Right.INCIDENT_ASSIGN,
        Right.INCIDENT_JOIN,
        Right.INCIDENT_PROPOSE,
        Right.SOLUTION_CHOOSE,
        Right.DECIDE,
        Right.PAGE_OFF_CALL,
        Right.UPDATE_DRAFT,
        Right.UPDATE_APPROVE,
        Right.OBLIGATION_FULFIL,
        Right.OBLIGATION_WAIVE,
        Right.UPDATE_SEND,
        Right.POSTMORTEM_WRITE,
        Right.ONCALL_OVERRIDE,
        Right.SILENCE_WRITE,
        Right.ALERT_SEND,
        Right.WISH_ADD,
        Right.PROCESS_REMARK,
    }
)
_OWN = frozenset(
    {
        Right.SLO_WRITE,
        Right.PRIORITY_ASSIGN,
        Right.ONCALL_WRITE,
        Right.ESCALATION_WRITE,
        Right.CATALOG_WRITE,
        Right.INTEGRATION_WRITE,
        Right.SUBSCRIBER_WRITE,
        Right.TEAM_WRITE,
        Right.SESSION_RECORD,
    }
)

TABLE: Mapping[Role, frozenset[Right]] = {
    Role.ANONYMOUS: frozenset(),
    Role.REVOKED: frozenset(),
    Role.INTEGRATION: frozenset({Right.ALERT_SEND, Right.COUNTS_SEND}),
    Role.READER: _OPEN_READ | {Right.INCIDENT_DECLARE, Right.INCIDENT_JOIN, Right.PROCESS_REMARK},
    Role.RESPONDER: _OPEN_READ | _RESPOND,
    Role.TEAM_OWNER: _OPEN_READ | _RESPOND | _OWN,
    Role.COACH: _OPEN_READ
    | {Right.INCIDENT_DECLARE, Right.INCIDENT_JOIN, Right.PROCESS_WRITE, Right.POSTMORTEM_WRITE, Right.WISH_ADD}
    | {Right.BACKLOG_RANK, Right.SESSION_RECORD, Right.PROCESS_REMARK},
    Role.PROCESS_OWNER: _OPEN_READ
    | _RESPOND
    | _OWN
    | {Right.PROCESS_WRITE, Right.CHECK_WAIVE, Right.AUDIT_READ, Right.BACKLOG_RANK},
    Role.AUDITOR: _READ,
    Role.ADMIN: frozenset(Right),
}

RESPONSE: Mapping[str, frozenset[Right]] = {
    "read": frozenset({Right.INCIDENT_READ}),
    "comment": frozenset({Right.INCIDENT_ANNOTATE, Right.INCIDENT_PROPOSE, Right.UPDATE_DRAFT}),
    "propose": frozenset({Right.INCIDENT_PROPOSE, Right.UPDATE_DRAFT}),
    "add_timeline": frozenset({Right.INCIDENT_ANNOTATE}),
    "edit_record": frozenset({Right.INCIDENT_ANNOTATE, Right.POSTMORTEM_WRITE, Right.OBLIGATION_FULFIL}),
    "execute": frozenset(
        {
            Right.INCIDENT_ACKNOWLEDGE,
            Right.INCIDENT_RESOLVE,
            Right.SOLUTION_CHOOSE,
            Right.OBLIGATION_FULFIL,
            Right.OBLIGATION_WAIVE,
        }
    ),
    "set_priority": frozenset({Right.INCIDENT_CLASSIFY}),
    "set_severity": frozenset({Right.INCIDENT_CLASSIFY}),
    "page": frozenset({Right.INCIDENT_ESCALATE}),
    "page_off_call": frozenset({Right.PAGE_OFF_CALL}),
    "assign": frozenset({Right.INCIDENT_ASSIGN}),
    "decide": frozenset({Right.DECIDE}),
    "draft_external": frozenset({Right.UPDATE_DRAFT}),
    "send_update": frozenset({Right.UPDATE_DRAFT, Right.UPDATE_SEND}),
    "approve_external": frozenset({Right.UPDATE_APPROVE}),
    "hand_over": frozenset(),
    "start_postmortem": frozenset({Right.POSTMORTEM_WRITE}),
}
"""What a role of the process gives inside one incident, by the words that the process document uses for it."""

OF_THE_RESPONSE = frozenset(
    {
        Right.INCIDENT_ASSIGN,
        Right.INCIDENT_ESCALATE,
        Right.PAGE_OFF_CALL,
        Right.DECIDE,
        Right.UPDATE_APPROVE,
        Right.UPDATE_SEND,
    }
)
"""Directing a response. While somebody of it holds the right, a standing right alone is not enough (R-9.3.5-3)."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Actor:
    """Whoever asks. `ident` is a plain id (user name, integration id, "system"); it is what the audit log stores."""

    kind: ActorKind
    ident: str
    display_name: str = ""
    role: Role = Role.ANONYMOUS
    person_id: int | None = None
    teams: frozenset[str] = field(default_factory=frozenset)
    owned_teams: frozenset[str] = field(default_factory=frozenset)
    on_behalf_of: str = ""

    def may(self, right: Right, *, team: str | None = None) -> bool:
        """True when the table grants `right`; owning `team` (a slug) grants what a team owner has, over that team."""
        if self.role is Role.REVOKED:
            return False
        if right in TABLE[self.role]:
            return True
        return team is not None and team in self.owned_teams and right in TABLE[Role.TEAM_OWNER]


SYSTEM = Actor(kind=ActorKind.SYSTEM, ident="system", display_name="Tocsin", role=Role.ADMIN)
ANONYMOUS = Actor(kind=ActorKind.ANONYMOUS, ident="anonymous", display_name="Somebody", role=Role.ANONYMOUS)


def require(actor: Actor, right: Right, *, team: str | None = None) -> None:
    """Raise NotAllowed unless `actor` has `right` (over `team` when given)."""
    if not actor.may(right, team=team):
        who = actor.display_name or actor.ident
        raise NotAllowed(
            f"{who} may not do this ({right.value}).",
            remedy="Ask an owner of the team or an administrator of this installation.",
        )
