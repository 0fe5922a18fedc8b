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

    class Meta:
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
