"""How teams come to SLOs: whether their policy is in force, what they say of themselves, and what they still wish for."""

from __future__ import annotations

from django.db import models
from django.db.models import F, Q

from tocsin.people.models import Team
from tocsin.slo.models import Objective, ResourceAlert


class TeamPolicy(models.Model):
    """A time in which the incident policy of a team is in force. At most one is open; ended ones are kept."""

    team = models.ForeignKey(Team, on_delete=models.PROTECT, related_name="policies")
    activated_at = models.DateTimeField()
    activated_by = models.CharField(max_length=150)
    ended_at = models.DateTimeField(null=True, blank=True)
    ended_by = models.CharField(max_length=150, blank=True, default="")
    end_reason = models.TextField(blank=True, default="")

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["team"], condition=Q(ended_at__isnull=True), name="one_policy_in_force"),
            models.CheckConstraint(
                condition=Q(ended_at__isnull=True) | Q(ended_at__gte=F("activated_at")), name="policy_ends_after_start"
            ),
        ]


class Statement(models.Model):
    """What a team says of itself on a point of the readiness test; the latest of each point counts."""

    team = models.ForeignKey(Team, on_delete=models.CASCADE, related_name="statements")
    point = models.CharField(max_length=32)
    holds = models.BooleanField()
    reason = models.CharField(max_length=300)
    said_by = models.CharField(max_length=150)
    said_at = models.DateTimeField()

    class Meta:
        indexes = [models.Index(fields=["team", "point", "-said_at"], name="statement_latest")]


class WishKind(models.TextChoices):
    """What a wish asks of those who run the infrastructure."""

    NEW_SLI = "new_sli", "A new SLI"
    NEW_WAY = "new_way", "A new way to measure"
    NEW_RULE = "new_rule", "A new kind of rule"
    REPLACE_ALERT = "replace_alert", "Replace a resource alert by an SLO"
    OTHER = "other", "Something else"


class WishStatus(models.TextChoices):
    OPEN = "open", "Open"
    PLANNED = "planned", "Planned"
    DONE = "done", "Done"
    DECLINED = "declined", "Declined"


class Wish(models.Model):
    """An entry of the backlog that operations ranks and owns. `rank` orders the open ones from 1; 0 once it is over."""

    team = models.ForeignKey(Team, on_delete=models.PROTECT, null=True, blank=True, related_name="wishes")
    requester = models.CharField(max_length=150)
    kind = models.CharField(max_length=16, choices=WishKind.choices)
    text = models.TextField()
    objective = models.ForeignKey(Objective, on_delete=models.PROTECT, null=True, blank=True, related_name="wishes")
    resource_alert = models.ForeignKey(
        ResourceAlert, on_delete=models.PROTECT, null=True, blank=True, related_name="wishes"
    )
    status = models.CharField(max_length=16, choices=WishStatus.choices, default=WishStatus.OPEN)
    rank = models.PositiveIntegerField(default=0)
    owner = models.CharField(max_length=150, blank=True, default="")
    reference = models.CharField(max_length=500, blank=True, default="")
    note = models.TextField(blank=True, default="")
    created_at = models.DateTimeField()
    closed_at = models.DateTimeField(null=True, blank=True)

    class Meta:
        constraints = [
            models.CheckConstraint(
                condition=Q(status__in=["open", "planned"], closed_at__isnull=True)
                | Q(status__in=["done", "declined"], closed_at__isnull=False),
                name="wish_over_since",
            ),
        ]
        indexes = [models.Index(fields=["status", "rank"], name="wish_backlog")]

    @property
    def is_open(self) -> bool:
        return self.status in (WishStatus.OPEN, WishStatus.PLANNED)


class Walk(models.Model):
    """A discovery walk of a team for one priority: its actions were read (begun), use cases named, each one looked at."""

    team = models.ForeignKey(Team, on_delete=models.CASCADE, related_name="walks")
    priority = models.PositiveSmallIntegerField()
    begun_by = models.CharField(max_length=150)
    begun_at = models.DateTimeField()
    named_at = models.DateTimeField(null=True, blank=True)
    finished_at = models.DateTimeField(null=True, blank=True)


class WalkedCase(models.Model):
    """A use case named in a walk. It is a find while nothing watches it; `answer` says what becomes of a find."""

    walk = models.ForeignKey(Walk, on_delete=models.CASCADE, related_name="cases")
    text = models.CharField(max_length=300)
    seen_at = models.DateTimeField(null=True, blank=True)
    watched_by_slo = models.ForeignKey(Objective, on_delete=models.PROTECT, null=True, blank=True, related_name="+")
    watched_by_alert = models.ForeignKey(
        ResourceAlert, on_delete=models.PROTECT, null=True, blank=True, related_name="+"
    )
    answer = models.CharField(max_length=16, blank=True, default="")
    sli_kind = models.CharField(max_length=63, blank=True, default="")
    draft = models.TextField(blank=True, default="")
    wish = models.ForeignKey(Wish, on_delete=models.PROTECT, null=True, blank=True, related_name="+")
    alert = models.ForeignKey(ResourceAlert, on_delete=models.PROTECT, null=True, blank=True, related_name="+")
    answered_at = models.DateTimeField(null=True, blank=True)
    answered_by = models.CharField(max_length=150, blank=True, default="")

    class Meta:
        constraints = [models.UniqueConstraint(fields=["walk", "text"], name="use_case_once_a_walk")]

    @property
    def is_find(self) -> bool:
        return self.seen_at is not None and self.watched_by_slo_id is None and self.watched_by_alert_id is None


class Session(models.Model):
    """A coaching session: a team went through its SLOs without a priority, with whom, on which day."""

    team = models.ForeignKey(Team, on_delete=models.CASCADE, related_name="sessions")
    held_on = models.DateField()
    participants = models.JSONField(default=list)
    note = models.TextField(blank=True, default="")
    recorded_by = models.CharField(max_length=150)
    recorded_at = models.DateTimeField()


class SessionDecision(models.Model):
    """What a session decided for one SLO; `later` leaves it on the agenda."""

    session = models.ForeignKey(Session, on_delete=models.CASCADE, related_name="decisions")
    objective = models.ForeignKey(Objective, on_delete=models.PROTECT, related_name="+")
    decision = models.CharField(max_length=8)
    priority = models.PositiveSmallIntegerField(null=True, blank=True)
    note = models.TextField(blank=True, default="")

    class Meta:
        constraints = [models.UniqueConstraint(fields=["session", "objective"], name="session_decides_once")]
