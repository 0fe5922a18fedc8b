"""How consumers see the priority of a provider's SLO, how they cope, and what the provider answered."""

from __future__ import annotations

from django.db import models
from django.db.models import Q

from tocsin.catalog.models import Service
from tocsin.people.models import Team
from tocsin.process.models import StakeholderGroup
from tocsin.slo.models.objectives import Objective


class ViewDecision(models.TextChoices):
    """What a consumer said: a priority, that nothing need be done, or nothing yet because it was only asked."""

    SET = "set"
    NONE = "none"
    ASKED = "asked"


class ConsumerView(models.Model):
    """One consumer's view of one SLO's priority, from a moment on; a newer one closes the former.

    The consumer is exactly one of a team, a service and a stakeholder group; `consumer` names it in one word
    ("service:checkout"). `strategy` is how it copes where it sees the SLO as more urgent: `degrades_to` says how its
    users work on meanwhile, `notify` is its own group, which hears as soon as the SLO breaches.
    """

    objective = models.ForeignKey(Objective, on_delete=models.PROTECT, related_name="consumer_views")
    consumer = models.CharField(max_length=80)
    team = models.ForeignKey(Team, on_delete=models.PROTECT, null=True, blank=True, related_name="+")
    service = models.ForeignKey(Service, on_delete=models.PROTECT, null=True, blank=True, related_name="+")
    group = models.ForeignKey(StakeholderGroup, on_delete=models.PROTECT, null=True, blank=True, related_name="+")
    decision = models.CharField(max_length=8, choices=ViewDecision.choices)
    priority = models.PositiveSmallIntegerField(null=True, blank=True)
    reason = models.TextField(blank=True, default="")
    strategy = models.CharField(max_length=32, blank=True, default="")
    degrades_to = models.TextField(blank=True, default="")
    notify = models.ForeignKey(
        StakeholderGroup, on_delete=models.PROTECT, null=True, blank=True, related_name="consumer_views"
    )
    stated_by = models.CharField(max_length=150)
    valid_from = models.DateTimeField()
    valid_until = models.DateTimeField(null=True, blank=True)

    class Meta:
        constraints = [
            models.UniqueConstraint(
                fields=["objective", "consumer"], condition=Q(valid_until__isnull=True), name="one_view_at_a_time"
            ),
            models.CheckConstraint(
                condition=Q(decision="set", priority__isnull=False)
                | Q(decision__in=["none", "asked"], priority__isnull=True),
                name="view_says_one_thing",
            ),
            models.CheckConstraint(
                condition=Q(team__isnull=False, service__isnull=True, group__isnull=True)
                | Q(team__isnull=True, service__isnull=False, group__isnull=True)
                | Q(team__isnull=True, service__isnull=True, group__isnull=False),
                name="view_is_of_one_consumer",
            ),
        ]

    @property
    def consumer_label(self) -> str:
        """What people call the consumer."""
        if self.group is not None:
            return self.group.name
        of = self.service or self.team
        return of.label if of else self.consumer

    @property
    def consumer_team(self) -> Team | None:
        """The team that speaks for the consumer, None for a group that is no team."""
        return self.service.team if self.service else self.team


class BreachSubscription(models.Model):
    """A consumer's own group hears as soon as the SLO breaches, until the view changes; the row is the subscription."""

    objective = models.ForeignKey(Objective, on_delete=models.PROTECT, related_name="subscriptions")
    consumer = models.CharField(max_length=80)
    view = models.ForeignKey(ConsumerView, on_delete=models.PROTECT, related_name="subscriptions")
    began_at = models.DateTimeField()
    ended_at = models.DateTimeField(null=True, blank=True)

    class Meta:
        constraints = [
            models.UniqueConstraint(
                fields=["objective", "consumer"], condition=Q(ended_at__isnull=True), name="one_subscription_at_a_time"
            ),
        ]


class ViewRound(models.Model):
    """The provider's word at the end of a round of feedback on one SLO; rounds are numbered from 1."""

    objective = models.ForeignKey(Objective, on_delete=models.PROTECT, related_name="view_rounds")
    number = models.PositiveIntegerField()
    decision = models.CharField(max_length=8)
    priority = models.PositiveSmallIntegerField(null=True, blank=True)
    rationale = models.TextField()
    closed_by = models.CharField(max_length=150)
    closed_at = models.DateTimeField()

    class Meta:
        constraints = [models.UniqueConstraint(fields=["objective", "number"], name="view_round_once")]


class ViewAnswer(models.Model):
    """What the provider answered one consumer that saw it otherwise when the round was closed."""

    round = models.ForeignKey(ViewRound, on_delete=models.CASCADE, related_name="answers")
    view = models.ForeignKey(ConsumerView, on_delete=models.PROTECT, related_name="answers")
    levels = models.SmallIntegerField()
    text = models.TextField()

    class Meta:
        constraints = [models.UniqueConstraint(fields=["round", "view"], name="view_answered_once")]


class FeedbackSession(models.Model):
    """People of providers and consumers talked about priorities: when, who was asked, who came."""

    team = models.ForeignKey(Team, on_delete=models.PROTECT, related_name="feedback_sessions")
    held_at = models.DateTimeField()
    invited = models.JSONField(default=list)
    attended = models.JSONField(default=list, blank=True)
    recorded_by = models.CharField(max_length=150)
    recorded_at = models.DateTimeField()


class SessionOutcome(models.Model):
    """What came out of a session for one SLO."""

    session = models.ForeignKey(FeedbackSession, on_delete=models.CASCADE, related_name="outcomes")
    objective = models.ForeignKey(Objective, on_delete=models.PROTECT, related_name="session_outcomes")
    text = models.TextField()

    class Meta:
        constraints = [models.UniqueConstraint(fields=["session", "objective"], name="outcome_once_a_session")]
