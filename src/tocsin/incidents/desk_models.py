"""What the desk of a response keeps: decisions and their duties, questions, tasks, sub-teams, reports of conditions.

Each carries a `number` of its own within the incident, which people say aloud and type: decision 2, question 1.
"""

from __future__ import annotations

from django.db import models
from django.db.models import Q

from tocsin.people.models import Person, Team


class Decision(models.Model):
    """Something decided, for whom, and what became of it. `entry` is the log entry that recorded it.

    `acknowledged_at` is when the last of its addressees had taken it in. `execution` is open, doing, done or not_done.
    `objections` is what spoke against something risky, in the words of those who were asked.
    """

    incident = models.ForeignKey("incidents.Incident", on_delete=models.CASCADE, related_name="decisions")
    number = models.PositiveIntegerField()
    text = models.TextField()
    about = models.CharField(max_length=16)
    risky = models.BooleanField(default=False)
    objections = models.TextField(blank=True, default="")
    by = models.CharField(max_length=150)
    at = models.DateTimeField()
    entry = models.BigIntegerField(unique=True)
    acknowledged_at = models.DateTimeField(null=True, blank=True)
    execution = models.CharField(max_length=16, default="open")
    executed_at = models.DateTimeField(null=True, blank=True)
    report = models.TextField(blank=True, default="")
    reported_at = models.DateTimeField(null=True, blank=True)
    reported_by = models.CharField(max_length=150, blank=True, default="")

    class Meta:
        constraints = [models.UniqueConstraint(fields=["incident", "number"], name="decision_numbered_once")]


class DecisionAddressee(models.Model):
    """Who is to carry a decision out: a person, a role of the process (whoever holds it), or a team. `name` is as said."""

    decision = models.ForeignKey(Decision, on_delete=models.CASCADE, related_name="addressees")
    name = models.CharField(max_length=150)
    person = models.ForeignKey(Person, on_delete=models.SET_NULL, null=True, blank=True, related_name="+")
    role = models.CharField(max_length=63, blank=True, default="")
    team = models.ForeignKey(Team, on_delete=models.SET_NULL, null=True, blank=True, related_name="+")
    received_at = models.DateTimeField(null=True, blank=True)
    received_by = models.CharField(max_length=150, blank=True, default="")

    class Meta:
        constraints = [models.UniqueConstraint(fields=["decision", "name"], name="decision_addressed_once")]


class DecisionDutyRow(models.Model):
    """One of the three duties of a decision. The row is the timer: at `due_at` whoever owes it is reminded, once."""

    decision = models.ForeignKey(Decision, on_delete=models.CASCADE, related_name="duties")
    duty = models.CharField(max_length=16)
    due_at = models.DateTimeField(null=True, blank=True)
    done_at = models.DateTimeField(null=True, blank=True)
    reminded_at = models.DateTimeField(null=True, blank=True)

    class Meta:
        constraints = [models.UniqueConstraint(fields=["decision", "duty"], name="decision_duty_once")]
        indexes = [
            models.Index(
                fields=["due_at"],
                condition=Q(done_at__isnull=True, reminded_at__isnull=True),
                name="decision_duty_due",
            )
        ]


class Question(models.Model):
    """Something nobody knows yet, who is to find out, and the answer."""

    incident = models.ForeignKey("incidents.Incident", on_delete=models.CASCADE, related_name="questions")
    number = models.PositiveIntegerField()
    text = models.TextField()
    owner_name = models.CharField(max_length=150, blank=True, default="")
    owner = models.ForeignKey(Person, on_delete=models.SET_NULL, null=True, blank=True, related_name="+")
    due_at = models.DateTimeField(null=True, blank=True)
    asked_by = models.CharField(max_length=150)
    asked_at = models.DateTimeField()
    answer = models.TextField(blank=True, default="")
    answered_by = models.CharField(max_length=150, blank=True, default="")
    answered_at = models.DateTimeField(null=True, blank=True)

    class Meta:
        constraints = [models.UniqueConstraint(fields=["incident", "number"], name="question_numbered_once")]


class SubTeam(models.Model):
    """Part of a response with a leader, a task and a time box. Its members report to the leader, the leader upward."""

    incident = models.ForeignKey("incidents.Incident", on_delete=models.CASCADE, related_name="sub_teams")
    name = models.CharField(max_length=63)
    leader = models.ForeignKey(Person, on_delete=models.PROTECT, related_name="+")
    members = models.ManyToManyField(Person, blank=True, related_name="+")
    task = models.TextField()
    due_at = models.DateTimeField(null=True, blank=True)
    formed_by = models.CharField(max_length=150)
    formed_at = models.DateTimeField()
    ended_at = models.DateTimeField(null=True, blank=True)
    result = models.TextField(blank=True, default="")

    class Meta:
        constraints = [
            models.UniqueConstraint(
                fields=["incident", "name"], condition=Q(ended_at__isnull=True), name="sub_team_named_once"
            )
        ]


class Task(models.Model):
    """Something to do, who does it, and its time box. It ended done or dropped."""

    incident = models.ForeignKey("incidents.Incident", on_delete=models.CASCADE, related_name="tasks")
    number = models.PositiveIntegerField()
    text = models.TextField()
    owner_name = models.CharField(max_length=150, blank=True, default="")
    owner = models.ForeignKey(Person, on_delete=models.SET_NULL, null=True, blank=True, related_name="+")
    sub_team = models.ForeignKey(SubTeam, on_delete=models.SET_NULL, null=True, blank=True, related_name="tasks")
    due_at = models.DateTimeField(null=True, blank=True)
    given_by = models.CharField(max_length=150)
    given_at = models.DateTimeField()
    state = models.CharField(max_length=16, default="open")  # open | done | dropped
    ended_at = models.DateTimeField(null=True, blank=True)
    result = models.TextField(blank=True, default="")

    class Meta:
        constraints = [models.UniqueConstraint(fields=["incident", "number"], name="task_numbered_once")]


class ConditionReport(models.Model):
    """How things stand somewhere, what is being done, what is needed: conditions, actions, needs."""

    incident = models.ForeignKey("incidents.Incident", on_delete=models.CASCADE, related_name="condition_reports")
    about = models.CharField(max_length=150)
    condition = models.TextField()
    actions = models.TextField(blank=True, default="")
    needs = models.TextField(blank=True, default="")
    by = models.CharField(max_length=150)
    at = models.DateTimeField()

    class Meta:
        indexes = [models.Index(fields=["incident", "-at"], name="condition_report_latest")]
