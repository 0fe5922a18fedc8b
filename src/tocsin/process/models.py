"""The written process as versioned data, and the groups of people who want to hear."""

from __future__ import annotations

from django.db import models
from django.db.models import Q

from tocsin.people.models import Person


class VersionState(models.TextChoices):
    """A proposal is a draft, then in review; `scheduled` is published and takes effect at its time."""

    DRAFT = "draft"
    IN_REVIEW = "in_review"
    SCHEDULED = "scheduled"
    PUBLISHED = "published"
    SUPERSEDED = "superseded"
    WITHDRAWN = "withdrawn"


class ProcessVersion(models.Model):
    """One version of the whole process: priorities, severities, matrix, roles, answers, lifecycle (one document).

    The document is what `core.process_definition.parse_process` reads; once published it never changes, and `sha256`
    names its content. Incidents pin the version they began under.
    """

    number = models.PositiveIntegerField(unique=True)
    state = models.CharField(max_length=16, choices=VersionState.choices, default=VersionState.DRAFT)
    document = models.JSONField()
    sha256 = models.CharField(max_length=64, blank=True, default="")
    author = models.CharField(max_length=150)
    note = models.TextField(blank=True, default="")
    based_on = models.PositiveIntegerField(null=True, blank=True)  # the number of the version it was made from
    created_at = models.DateTimeField()
    published_at = models.DateTimeField(null=True, blank=True)
    effective_at = models.DateTimeField(null=True, blank=True)
    review_ends_at = models.DateTimeField(null=True, blank=True)  # of a proposal: until when those invited may answer
    sizing = models.JSONField(default=dict, blank=True)  # what the organisation is like, and why these roles fit it
    review_due_at = models.DateTimeField(null=True, blank=True)  # of what is in force: look whether it still fits
    review_told_at = models.DateTimeField(null=True, blank=True)

    class Meta:
        indexes = [
            models.Index(
                fields=["review_due_at"],
                condition=Q(state="published", review_told_at__isnull=True),
                name="process_review_due",
            ),
        ]
        constraints = [
            models.CheckConstraint(condition=Q(state__in=VersionState.values), name="process_state_known"),
            models.UniqueConstraint(fields=["state"], condition=Q(state="published"), name="one_published_process"),
        ]


class ProcessRemark(models.Model):
    """What somebody said about a proposal while it was in review. `agrees` is None for a remark that takes no side."""

    version = models.ForeignKey(ProcessVersion, on_delete=models.CASCADE, related_name="remarks")
    author = models.CharField(max_length=150)
    text = models.TextField(blank=True, default="")
    agrees = models.BooleanField(null=True, blank=True)
    sha256 = models.CharField(max_length=64)  # of the text it was said about; a changed proposal wants new agreement
    at = models.DateTimeField()


class ReviewInvitation(models.Model):
    """Somebody who has been on call and is asked what they think of a proposal. Their remarks are the answer."""

    version = models.ForeignKey(ProcessVersion, on_delete=models.CASCADE, related_name="invitations")
    person = models.ForeignKey(Person, on_delete=models.CASCADE, related_name="+")
    invited_at = models.DateTimeField()

    class Meta:
        constraints = [models.UniqueConstraint(fields=["version", "person"], name="invited_to_review_once")]


class ProcessNotice(models.Model):
    """What a responder is told about a version before it applies, and when they said that they have read it."""

    version = models.ForeignKey(ProcessVersion, on_delete=models.CASCADE, related_name="notices")
    person = models.ForeignKey(Person, on_delete=models.CASCADE, related_name="+")
    told_at = models.DateTimeField()
    acknowledged_at = models.DateTimeField(null=True, blank=True)

    class Meta:
        constraints = [models.UniqueConstraint(fields=["version", "person"], name="told_of_a_version_once")]


class StandingReview(models.Model):
    """Somebody looked at the process in force as a whole and says that it still fits, or what should change."""

    version = models.ForeignKey(ProcessVersion, on_delete=models.CASCADE, related_name="standing_reviews")
    by = models.CharField(max_length=150)
    note = models.TextField(blank=True, default="")
    at = models.DateTimeField()


class Survey(models.Model):
    """How it went so far without a process: asked of everyone who has been on call, before answers are fixed."""

    version = models.ForeignKey(ProcessVersion, on_delete=models.CASCADE, related_name="surveys")
    questions = models.JSONField(default=list)  # [{"code", "ask"}]
    opened_by = models.CharField(max_length=150)
    opened_at = models.DateTimeField()
    closes_at = models.DateTimeField()


class SurveyReply(models.Model):
    """One person's place in a survey; `answers` by the code of the question, empty until answered."""

    survey = models.ForeignKey(Survey, on_delete=models.CASCADE, related_name="replies")
    person = models.ForeignKey(Person, on_delete=models.CASCADE, related_name="+")
    asked_at = models.DateTimeField()
    answers = models.JSONField(default=dict, blank=True)
    answered_at = models.DateTimeField(null=True, blank=True)

    class Meta:
        constraints = [models.UniqueConstraint(fields=["survey", "person"], name="asked_in_a_survey_once")]


class LeaderBriefing(models.Model):
    """A leader who was told what the response expects of leaders, and when they acknowledged it."""

    email = models.EmailField(unique=True)
    name = models.CharField(max_length=150, blank=True, default="")
    briefed_by = models.CharField(max_length=150)
    briefed_at = models.DateTimeField()
    acknowledged_at = models.DateTimeField(null=True, blank=True)


class StakeholderGroup(models.Model):
    """People with a common interest in hearing. `ring` counts outward from the people on call (0) to customers (4)."""

    code = models.SlugField(max_length=63, unique=True)
    name = models.CharField(max_length=150)
    ring = models.PositiveSmallIntegerField(default=1)
    is_management = models.BooleanField(default=False)
    purpose = models.CharField(max_length=300, blank=True, default="")
    created_at = models.DateTimeField()


class GroupMember(models.Model):
    group = models.ForeignKey(StakeholderGroup, on_delete=models.CASCADE, related_name="members")
    email = models.EmailField()
    name = models.CharField(max_length=150, blank=True, default="")
    person = models.ForeignKey(Person, on_delete=models.SET_NULL, null=True, blank=True, related_name="+")

    class Meta:
        constraints = [models.UniqueConstraint(fields=["group", "email"], name="group_member_once")]
