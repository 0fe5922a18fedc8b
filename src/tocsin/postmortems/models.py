"""The record and process of learning from an incident."""

from __future__ import annotations

from django.db import models
from django.db.models import Q

from tocsin.incidents.models import Incident
from tocsin.people.models import Person


class PostmortemState(models.TextChoices):
    DRAFT = "draft"
    IN_REVIEW = "in_review"
    REVIEWED = "reviewed"
    CLOSED = "closed"


class Postmortem(models.Model):
    """One incident's postmortem. `sections` maps a section of the template to its text; `template` keeps that version."""

    incident = models.OneToOneField(Incident, on_delete=models.PROTECT, related_name="postmortem")
    state = models.CharField(max_length=16, choices=PostmortemState.choices, default=PostmortemState.DRAFT)
    title = models.CharField(max_length=300)
    sections = models.JSONField(default=dict)
    template = models.JSONField(default=list)
    owner = models.ForeignKey(Person, on_delete=models.PROTECT, null=True, blank=True, related_name="postmortems")
    record_keeper = models.ForeignKey(Person, on_delete=models.PROTECT, null=True, blank=True, related_name="+")
    meeting_due_at = models.DateTimeField(null=True, blank=True)
    created_at = models.DateTimeField()
    updated_at = models.DateTimeField()
    reviewed_at = models.DateTimeField(null=True, blank=True)
    closed_at = models.DateTimeField(null=True, blank=True)
    version = models.PositiveIntegerField(default=1)


class TimelineEntry(models.Model):
    """A line of the reconstructed timeline; drafted from the log (`source_seq`) or written by a person."""

    postmortem = models.ForeignKey(Postmortem, on_delete=models.CASCADE, related_name="timeline")
    at = models.DateTimeField()
    text = models.TextField()
    author = models.CharField(max_length=150)
    source_seq = models.BigIntegerField(null=True, blank=True)
    certainty = models.CharField(max_length=16, default="recorded")

    class Meta:
        ordering = ["at", "id"]
        constraints = [
            models.UniqueConstraint(
                fields=["postmortem", "source_seq"], condition=Q(source_seq__isnull=False), name="timeline_source_once"
            ),
        ]


class ChecklistMark(models.Model):
    """An item of the checklists around the meeting is done, or left out for a reason. No mark: it is open."""

    postmortem = models.ForeignKey(Postmortem, on_delete=models.CASCADE, related_name="marks")
    code = models.CharField(max_length=63)
    state = models.CharField(max_length=16)  # done | explained
    reason = models.TextField(blank=True, default="")
    by = models.CharField(max_length=150)
    at = models.DateTimeField()

    class Meta:
        constraints = [models.UniqueConstraint(fields=["postmortem", "code"], name="checklist_item_marked_once")]


class ActionStatus(models.TextChoices):
    PROPOSED = "proposed"
    AGREED = "agreed"
    IN_PROGRESS = "in_progress"
    DONE = "done"
    DROPPED = "dropped"


class ActionItem(models.Model):
    """Agreed work with a driver and a review date; both are needed before the postmortem leaves draft."""

    postmortem = models.ForeignKey(Postmortem, on_delete=models.PROTECT, null=True, blank=True, related_name="actions")
    incident = models.ForeignKey(Incident, on_delete=models.PROTECT, related_name="actions")
    title = models.CharField(max_length=300)
    driver = models.CharField(max_length=150, blank=True, default="")
    review_date = models.DateField(null=True, blank=True)
    due_date = models.DateField(null=True, blank=True)
    horizon = models.CharField(max_length=16, default="immediate")  # immediate | systemic
    category = models.CharField(max_length=63, blank=True, default="")
    rank = models.PositiveSmallIntegerField(default=0)
    definition_of_done = models.TextField(blank=True, default="")
    status = models.CharField(max_length=16, choices=ActionStatus.choices, default=ActionStatus.PROPOSED)
    external_url = models.URLField(max_length=500, blank=True, default="")
    created_at = models.DateTimeField()
    started_at = models.DateTimeField(null=True, blank=True)
    done_at = models.DateTimeField(null=True, blank=True)
    postponements = models.PositiveSmallIntegerField(default=0)


class ActionReview(models.Model):
    """People looked at an action item together: who took part, how it stands, and when they look again if it is not done."""

    item = models.ForeignKey(ActionItem, on_delete=models.CASCADE, related_name="reviews")
    at = models.DateTimeField()
    by = models.CharField(max_length=150)
    participants = models.JSONField(default=list)
    verdict = models.CharField(max_length=16)  # done | not_done | dropped
    note = models.TextField(blank=True, default="")
    due_on = models.DateField(null=True, blank=True)
    next_review = models.DateField(null=True, blank=True)

    class Meta:
        ordering = ["at", "id"]
