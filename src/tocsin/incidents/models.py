"""Incidents, what the process asks of them, who holds which role, who was paged. Their timeline is the event log."""

from __future__ import annotations

from django.db import models
from django.db.models import Q

from tocsin.alerts.models import Alert
from tocsin.catalog.models import Service
from tocsin.incidents.authority_models import OwedReport
from tocsin.incidents.channel_models import ChannelState, ResponseChannel
from tocsin.incidents.classification_models import NamedTeam, Scope, Suggestion, SuggestionState
from tocsin.incidents.desk_models import (
    ConditionReport,
    Decision,
    DecisionAddressee,
    DecisionDutyRow,
    Question,
    SubTeam,
    Task,
)
from tocsin.incidents.people_models import CareAnswer, HandOver, PeopleIssue, ResponseTeam, TakeOver
from tocsin.people.models import Person, Team
from tocsin.process.models import ProcessVersion, StakeholderGroup
from tocsin.slo.models import Breach, Objective

__all__ = [
    "OPEN_STATES",
    "CareAnswer",
    "ChannelState",
    "ConditionReport",
    "Decision",
    "DecisionAddressee",
    "DecisionDutyRow",
    "Escalation",
    "EscalationState",
    "HandOver",
    "Incident",
    "IncidentAlert",
    "IncidentBreach",
    "IncidentLink",
    "LinkKind",
    "NamedTeam",
    "Obligation",
    "ObligationState",
    "Origin",
    "OwedReport",
    "Page",
    "PeopleIssue",
    "Question",
    "ResponseChannel",
    "ResponseTeam",
    "RoleHeld",
    "Scope",
    "State",
    "SubTeam",
    "Suggestion",
    "SuggestionState",
    "TakeOver",
    "Task",
]


class State(models.TextChoices):
    TRIGGERED = "triggered"
    ACKNOWLEDGED = "acknowledged"
    INVESTIGATING = "investigating"
    IDENTIFIED = "identified"
    MITIGATED = "mitigated"
    RESOLVED = "resolved"
    CLOSED = "closed"
    MERGED = "merged"
    CANCELLED = "cancelled"


OPEN_STATES = (State.TRIGGERED, State.ACKNOWLEDGED, State.INVESTIGATING, State.IDENTIFIED, State.MITIGATED)


CHAIN_KINDS = ("page", "fallback")
"""The kinds of pages that the wake-up chain sends."""


class Origin(models.TextChoices):
    SLO = "slo"
    RESOURCE = "resource"
    HUMAN = "human"


class Incident(models.Model):
    """Something that could lead or led to loss or disruption. `number` is gapless; `version` guards against lost edits.

    `priority` is a rank of the pinned process version (null with `priority_state` none or unset); `generation` counts
    reopenings: acknowledgements and pages of an earlier generation do not count for a later one. `urgency` is that of
    the most urgent signal so far: page, or ticket, which waits for business hours; `hurried_at` is when it waited no more.
    """

    number = models.PositiveBigIntegerField(unique=True)
    title = models.CharField(max_length=300)
    description = models.TextField(blank=True, default="")
    state = models.CharField(max_length=16, choices=State.choices, default=State.TRIGGERED)
    priority = models.PositiveSmallIntegerField(null=True, blank=True)
    priority_state = models.CharField(max_length=8, default="unset")
    highest_priority = models.PositiveSmallIntegerField(null=True, blank=True)
    severity = models.CharField(max_length=63)
    signal_severity = models.CharField(max_length=63, blank=True, default="")
    service = models.ForeignKey(Service, on_delete=models.PROTECT, null=True, blank=True, related_name="incidents")
    team = models.ForeignKey(Team, on_delete=models.PROTECT, null=True, blank=True, related_name="incidents")
    category = models.CharField(max_length=63, blank=True, default="")
    environment = models.CharField(max_length=63, blank=True, default="")
    escalation_policy = models.CharField(
        max_length=63, blank=True, default=""
    )  # what its SLO has instead of its service
    felt_in = models.CharField(max_length=150, blank=True, default="")  # which regions or tenants
    origin = models.CharField(max_length=16, choices=Origin.choices)
    source = models.CharField(max_length=150, blank=True, default="")
    dedup_key = models.CharField(max_length=300, blank=True, default="")
    labels = models.JSONField(default=dict, blank=True)
    alert_count = models.PositiveIntegerField(default=0)
    urgency = models.CharField(max_length=16, default="page")  # page | ticket
    hurried_at = models.DateTimeField(null=True, blank=True)
    impact_state = models.CharField(max_length=16, default="actual")  # potential | actual
    kind = models.CharField(max_length=16, default="real")  # real | exercise
    complex = models.BooleanField(default=False)
    outside_our_control = models.BooleanField(default=False)
    objective = models.ForeignKey(Objective, on_delete=models.PROTECT, null=True, blank=True, related_name="incidents")
    process_version = models.ForeignKey(ProcessVersion, on_delete=models.PROTECT, related_name="incidents")
    groups = models.ManyToManyField(StakeholderGroup, blank=True, related_name="incidents")
    generation = models.PositiveIntegerField(default=1)
    version = models.PositiveIntegerField(default=1)
    created_at = models.DateTimeField()
    priority_set_at = models.DateTimeField(null=True, blank=True)
    priority_by_person = models.BooleanField(default=False)
    severity_set_at = models.DateTimeField(null=True, blank=True)
    acknowledged_at = models.DateTimeField(null=True, blank=True)
    acknowledged_by = models.ForeignKey(Person, on_delete=models.PROTECT, null=True, blank=True, related_name="+")
    mitigated_at = models.DateTimeField(null=True, blank=True)
    resolved_at = models.DateTimeField(null=True, blank=True)
    closed_at = models.DateTimeField(null=True, blank=True)
    snoozed_until = models.DateTimeField(null=True, blank=True)
    alert_ended_at = models.DateTimeField(null=True, blank=True)
    calm_since = models.DateTimeField(null=True, blank=True)
    merged_into = models.ForeignKey("self", on_delete=models.PROTECT, null=True, blank=True, related_name="merged")
    updated_at = models.DateTimeField()

    class Meta:
        constraints = [
            models.UniqueConstraint(
                fields=["dedup_key"],
                condition=Q(state__in=[s.value for s in OPEN_STATES]) & ~Q(dedup_key=""),
                name="one_open_incident_per_key",
            ),
            models.CheckConstraint(condition=Q(state__in=State.values), name="incident_state_known"),
            models.CheckConstraint(
                condition=Q(priority_state="set", priority__isnull=False)
                | Q(priority_state__in=["none", "unset"], priority__isnull=True),
                name="incident_priority_says_one_thing",
            ),
        ]
        indexes = [
            models.Index(
                fields=["priority", "created_at"],
                condition=Q(state__in=[s.value for s in OPEN_STATES]),
                name="incident_open",
            ),
            models.Index(fields=["-created_at"], name="incident_latest"),
            models.Index(fields=["objective", "-created_at"], name="incident_objective"),
            models.Index(fields=["service", "-created_at"], name="incident_service"),
        ]

    @property
    def ref(self) -> str:
        """The name people say and the log stores: INC-42."""
        return f"INC-{self.number}"

    @property
    def is_open(self) -> bool:
        return self.state in OPEN_STATES


class IncidentAlert(models.Model):
    """An alert belongs to the incident it was attached to last.

    It has more than one link only when a person resolved the incident while the alert went on.
    """

    incident = models.ForeignKey(Incident, on_delete=models.CASCADE, related_name="alert_links")
    alert = models.ForeignKey(Alert, on_delete=models.CASCADE, related_name="incident_links")
    attached_at = models.DateTimeField()

    class Meta:
        constraints = [models.UniqueConstraint(fields=["incident", "alert"], name="alert_attached_once")]


class IncidentBreach(models.Model):
    incident = models.ForeignKey(Incident, on_delete=models.CASCADE, related_name="breach_links")
    breach = models.OneToOneField(Breach, on_delete=models.CASCADE, related_name="incident_link")


class LinkKind(models.TextChoices):
    CAUSED_BY_UPSTREAM = "caused_by_upstream"
    CONTINUES = "continues"  # what was closed, although it was not over


class IncidentLink(models.Model):
    """An incident follows from something upstream: an incident, or an SLO whose breach opened none, or both."""

    incident = models.ForeignKey(Incident, on_delete=models.CASCADE, related_name="upstream_links")
    kind = models.CharField(max_length=32, choices=LinkKind.choices, default=LinkKind.CAUSED_BY_UPSTREAM)
    upstream = models.ForeignKey(
        Incident, on_delete=models.PROTECT, null=True, blank=True, related_name="dependent_links"
    )
    objective = models.ForeignKey(
        Objective, on_delete=models.PROTECT, null=True, blank=True, related_name="dependent_links"
    )
    linked_by = models.CharField(max_length=150)
    linked_at = models.DateTimeField()

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["incident", "kind", "upstream"], name="incident_linked_once"),
            models.CheckConstraint(
                condition=Q(upstream__isnull=False) | Q(objective__isnull=False), name="link_leads_somewhere"
            ),
        ]


class ObligationState(models.TextChoices):
    OPEN = "open"
    FULFILLED = "fulfilled"
    WAIVED = "waived"
    LAPSED = "lapsed"


class Obligation(models.Model):
    """Something the process asks of an incident, with owner, due time, state and evidence (or who waived it and why).

    `key` is unique within the incident's generation ("update_progress:groups:3"); `kind` and `owner_role` are words of
    the process data; `evidence_seq` points to the log entry that fulfilled it; `told_late_at` is when its owner was
    told that it is late. A fix keeps in
    `deployed_at` when it was rolled out, a sent update in `promised_at` when it said that the next one would come.
    """

    incident = models.ForeignKey(Incident, on_delete=models.CASCADE, related_name="obligations")
    generation = models.PositiveIntegerField(default=1)
    key = models.CharField(max_length=150)
    kind = models.CharField(max_length=63)
    audience = models.CharField(max_length=63, blank=True, default="")
    owner_role = models.CharField(max_length=63, blank=True, default="")
    owner = models.ForeignKey(Person, on_delete=models.SET_NULL, null=True, blank=True, related_name="obligations")
    reason = models.CharField(max_length=300, blank=True, default="")
    state = models.CharField(max_length=16, choices=ObligationState.choices, default=ObligationState.OPEN)
    created_at = models.DateTimeField()
    due_at = models.DateTimeField(null=True, blank=True)
    fulfilled_at = models.DateTimeField(null=True, blank=True)
    evidence_seq = models.BigIntegerField(null=True, blank=True)
    promised_at = models.DateTimeField(null=True, blank=True)
    reference = models.CharField(max_length=300, blank=True, default="")
    deployed_at = models.DateTimeField(null=True, blank=True)
    waived_by = models.CharField(max_length=150, blank=True, default="")
    waiver_reason = models.TextField(blank=True, default="")
    told_soon_at = models.DateTimeField(null=True, blank=True)
    told_late_at = models.DateTimeField(null=True, blank=True)

    class Meta:
        constraints = [models.UniqueConstraint(fields=["incident", "generation", "key"], name="obligation_once")]
        indexes = [models.Index(fields=["due_at"], condition=Q(state="open"), name="obligation_due")]


class RoleHeld(models.Model):
    """A person holds a role of the process in an incident, from a moment to a moment."""

    incident = models.ForeignKey(Incident, on_delete=models.CASCADE, related_name="roles_held")
    role = models.CharField(max_length=63)
    person = models.ForeignKey(Person, on_delete=models.PROTECT, related_name="roles_held")
    team = models.ForeignKey(Team, on_delete=models.PROTECT, null=True, blank=True, related_name="+")
    from_at = models.DateTimeField()
    until_at = models.DateTimeField(null=True, blank=True)

    class Meta:
        constraints = [
            models.UniqueConstraint(
                fields=["incident", "role", "person"], condition=Q(until_at__isnull=True), name="role_held_once"
            ),
        ]
        indexes = [models.Index(fields=["person", "from_at"], name="role_held_lately")]


class EscalationState(models.TextChoices):
    RUNNING = "running"
    WAITING = "waiting"  # for business hours, the end of a snooze or of maintenance
    STOPPED = "stopped"
    EXHAUSTED = "exhausted"


class Escalation(models.Model):
    """Where the wake-up chain of an incident stands. The row is the timer: `next_at` is when something is due.

    `policy` is the snapshot the chain began with; who is on call is read anew at each step. `position` is core's
    escalation state as a document.
    """

    incident = models.OneToOneField(Incident, on_delete=models.CASCADE, related_name="escalation")
    policy = models.JSONField()
    position = models.JSONField(default=dict)
    state = models.CharField(max_length=16, choices=EscalationState.choices, default=EscalationState.RUNNING)
    next_at = models.DateTimeField(null=True, blank=True)
    fallback_told_at = models.DateTimeField(null=True, blank=True)

    class Meta:
        indexes = [models.Index(fields=["next_at"], condition=Q(next_at__isnull=False), name="escalation_due")]


class Page(models.Model):
    """One person is asked to take an incident, once per step. The token in its link lets the bearer take or pass it on.

    `kind` functional or hierarchic is an escalation's; its `reason` is the log entry that made it.
    `answer` is "" | taken | passed | late; `delivered` never appears for a page nobody answered.
    """

    incident = models.ForeignKey(Incident, on_delete=models.CASCADE, related_name="pages")
    generation = models.PositiveIntegerField()
    loop = models.PositiveSmallIntegerField()
    step = models.SmallIntegerField()
    repeat = models.PositiveSmallIntegerField(default=0)
    person = models.ForeignKey(Person, on_delete=models.PROTECT, null=True, blank=True, related_name="pages")
    kind = models.CharField(max_length=16, default="page")  # page | fallback | role | functional | hierarchic
    reason = models.CharField(max_length=63)
    token_digest = models.CharField(max_length=64, unique=True)
    created_at = models.DateTimeField()
    raced = models.BooleanField(default=False)
    answered_at = models.DateTimeField(null=True, blank=True)
    answer = models.CharField(max_length=16, blank=True, default="")

    class Meta:
        constraints = [
            models.UniqueConstraint(
                fields=["incident", "generation", "loop", "step", "repeat", "person", "kind"], name="page_once"
            ),
        ]
        indexes = [models.Index(fields=["person", "created_at"], name="paged_lately")]
