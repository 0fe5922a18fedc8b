"""What is kept of the people of a response: answers to prompts (private), hand-overs, and the team of the mission."""

from __future__ import annotations

from django.db import models

from tocsin.people.models import Person


class CareAnswer(models.Model):
    """What was said to a well-being prompt; the latest of a key counts.

    Private: `about` and `check_code` stand here and never in the log, which only says that a prompt was answered. `answer` is
    done or deferred, then until `until`.
    """

    incident = models.ForeignKey("incidents.Incident", on_delete=models.CASCADE, related_name="care_answers")
    key = models.CharField(max_length=200)
    check_code = models.CharField(max_length=16, blank=True, default="")
    about = models.ForeignKey(Person, on_delete=models.CASCADE, null=True, blank=True, related_name="+")
    answer = models.CharField(max_length=16)
    is_break = models.BooleanField(default=False)
    by = models.ForeignKey(Person, on_delete=models.SET_NULL, null=True, blank=True, related_name="+")
    at = models.DateTimeField()
    until = models.DateTimeField(null=True, blank=True)

    class Meta:
        indexes = [models.Index(fields=["incident", "at"], name="care_answer_order")]


class HandOver(models.Model):
    """A role offered by one person to another, with how things stand; the next person accepts it, and holds the role."""

    incident = models.ForeignKey("incidents.Incident", on_delete=models.CASCADE, related_name="hand_overs")
    role = models.CharField(max_length=63)
    giver = models.ForeignKey(Person, on_delete=models.PROTECT, related_name="+")
    taker = models.ForeignKey(Person, on_delete=models.PROTECT, related_name="+")
    done = models.TextField()
    open = models.TextField()
    risks = models.TextField()
    next_update = models.CharField(max_length=300)
    offered_at = models.DateTimeField()
    accepted_at = models.DateTimeField(null=True, blank=True)
    withdrawn_at = models.DateTimeField(null=True, blank=True)

    class Meta:
        constraints = [
            models.UniqueConstraint(
                fields=["incident", "role", "giver"],
                condition=models.Q(accepted_at__isnull=True, withdrawn_at__isnull=True),
                name="hand_over_offered_once",
            ),
        ]


class TakeOver(models.Model):
    """Somebody asks for a role that another person holds. `answer` is "" while that one has not answered.

    accepted | declined | withdrawn | silence | settled (the role is no longer held by whom it was asked of).
    """

    incident = models.ForeignKey("incidents.Incident", on_delete=models.CASCADE, related_name="take_overs")
    role = models.CharField(max_length=63)
    taker = models.ForeignKey(Person, on_delete=models.PROTECT, related_name="+")
    giver = models.ForeignKey(Person, on_delete=models.PROTECT, related_name="+")
    reason = models.CharField(max_length=300)
    asked_at = models.DateTimeField()
    due_at = models.DateTimeField()
    answered_at = models.DateTimeField(null=True, blank=True)
    answer = models.CharField(max_length=16, blank=True, default="")

    class Meta:
        constraints = [
            models.UniqueConstraint(
                fields=["incident", "role", "taker"],
                condition=models.Q(answered_at__isnull=True),
                name="take_over_asked_once",
            ),
        ]
        indexes = [
            models.Index(fields=["due_at"], condition=models.Q(answered_at__isnull=True), name="take_over_due"),
        ]


class ResponseTeam(models.Model):
    """The team of one incident, once it was dissolved: formed for the mission, ended with thanks.

    `formed_at` is when the first role was taken. Until it is dissolved the roles held are the team.
    """

    incident = models.OneToOneField("incidents.Incident", on_delete=models.CASCADE, related_name="response_team")
    formed_at = models.DateTimeField()
    dissolved_at = models.DateTimeField()
    dissolved_by = models.CharField(max_length=150)
    thanks = models.TextField()
    people = models.PositiveSmallIntegerField()


class PeopleIssue(models.Model):
    """A tension between people, noted in confidence. Others see that there is one and whether it is settled, no more.

    The words are for who noted it, who coordinates, and `shared_with`; they never reach the log. `objects_to_start`: the
    postmortem meeting must not start before it is settled.
    """

    incident = models.ForeignKey("incidents.Incident", on_delete=models.CASCADE, related_name="people_issues")
    text = models.TextField()
    noted_by = models.ForeignKey(Person, on_delete=models.CASCADE, related_name="+")
    shared_with = models.ForeignKey(Person, on_delete=models.SET_NULL, null=True, blank=True, related_name="+")
    objects_to_start = models.BooleanField(default=False)
    noted_at = models.DateTimeField()
    settled_at = models.DateTimeField(null=True, blank=True)
    settled_by = models.ForeignKey(Person, on_delete=models.SET_NULL, null=True, blank=True, related_name="+")
