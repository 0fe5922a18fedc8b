"""Persons, teams, how a person is reached, and the secrets that let somebody in."""

from __future__ import annotations

from typing import ClassVar

from django.contrib.auth.models import AbstractBaseUser, UserManager
from django.db import models
from django.db.models import Q

from tocsin.core.access import Role

STANDING_ROLES = [
    (role.value, role.value.replace("_", " "))
    for role in (Role.READER, Role.RESPONDER, Role.TEAM_OWNER, Role.PROCESS_OWNER, Role.COACH, Role.AUDITOR, Role.ADMIN)
]


class PersonManager(UserManager["Person"]):
    """Django's manager; `createsuperuser` makes an administrator."""

    def create_superuser(
        self, username: str, email: str | None = None, password: str | None = None, **extra: object
    ) -> Person:
        person = self.model(username=username, email=email or "", role=Role.ADMIN.value, **extra)
        person.set_password(password)
        person.save(using=self._db)
        return person


class Person(AbstractBaseUser):
    """Somebody who can sign in, be paged and be named in the log. `username` is the plain id used everywhere else."""

    username = models.CharField(max_length=150, unique=True)
    display_name = models.CharField(max_length=150, blank=True, default="")
    email = models.EmailField(blank=True, default="")
    time_zone = models.CharField(max_length=64, default="UTC")
    role = models.CharField(max_length=32, choices=STANDING_ROLES, default=Role.RESPONDER.value)
    is_active = models.BooleanField(default=True)
    theme = models.CharField(max_length=8, default="system")
    keys_enabled = models.BooleanField(default=True)
    private_pages = models.BooleanField(default=False)
    created_at = models.DateTimeField()

    objects: ClassVar[PersonManager] = PersonManager()

    USERNAME_FIELD = "username"
    EMAIL_FIELD = "email"
    REQUIRED_FIELDS: ClassVar[list[str]] = ["email"]

    class Meta:
        constraints = [
            models.CheckConstraint(
                condition=Q(role__in=[value for value, _ in STANDING_ROLES]), name="person_role_known"
            ),
        ]

    @property
    def label(self) -> str:
        return self.display_name or self.username

    @property
    def is_staff(self) -> bool:
        return self.role == Role.ADMIN.value

    def has_perm(self, perm: str, obj: object = None) -> bool:
        return self.is_active and self.role == Role.ADMIN.value

    def has_module_perms(self, app_label: str) -> bool:
        return self.has_perm(app_label)


class Team(models.Model):
    name = models.SlugField(max_length=63, unique=True)
    display_name = models.CharField(max_length=150, blank=True, default="")
    time_zone = models.CharField(max_length=64, default="UTC")
    business_hours = models.JSONField(
        default=dict, blank=True
    )  # {"days": [0..4], "from": "09:00", "to": "17:00", "holidays": [iso]}
    stage = models.CharField(max_length=16, default="initial")
    created_at = models.DateTimeField()

    @property
    def label(self) -> str:
        return self.display_name or self.name


class Membership(models.Model):
    team = models.ForeignKey(Team, on_delete=models.CASCADE, related_name="memberships")
    person = models.ForeignKey(Person, on_delete=models.CASCADE, related_name="memberships")
    is_owner = models.BooleanField(default=False)

    class Meta:
        constraints = [models.UniqueConstraint(fields=["team", "person"], name="membership_once")]


class ContactMethod(models.Model):
    """One way to reach a person. `delay` counts from the page; a failing method is skipped until it works again."""

    person = models.ForeignKey(Person, on_delete=models.CASCADE, related_name="contact_methods")
    channel = models.CharField(max_length=32)
    address = models.CharField(max_length=500)
    position = models.PositiveSmallIntegerField(default=0)
    delay = models.DurationField(default=None, null=True, blank=True)
    secret = models.CharField(max_length=200, blank=True, default="")
    enabled = models.BooleanField(default=True)
    verified_at = models.DateTimeField(null=True, blank=True)
    failing_since = models.DateTimeField(null=True, blank=True)

    class Meta:
        ordering = ["position", "id"]
        constraints = [models.UniqueConstraint(fields=["person", "channel", "address"], name="contact_once")]


class Training(models.Model):
    """A person learnt something: a skill or a role of the process, by its word there, on a day."""

    person = models.ForeignKey(Person, on_delete=models.CASCADE, related_name="trainings")
    subject = models.CharField(max_length=63)
    on = models.DateField()
    valid_until = models.DateField(null=True, blank=True)
    note = models.CharField(max_length=300, blank=True, default="")
    recorded_by = models.CharField(max_length=150)
    recorded_at = models.DateTimeField()

    class Meta:
        ordering = ["-on", "-id"]
        indexes = [models.Index(fields=["person", "subject"], name="training_of_a_person")]


class ApiToken(models.Model):
    """A bearer secret of a person, stored as a digest; the text is shown once."""

    person = models.ForeignKey(Person, on_delete=models.CASCADE, related_name="api_tokens")
    name = models.CharField(max_length=100)
    hint = models.CharField(max_length=16)
    digest = models.CharField(max_length=64, unique=True)
    created_at = models.DateTimeField()
    expires_at = models.DateTimeField(null=True, blank=True)
    last_used_at = models.DateTimeField(null=True, blank=True)
    revoked_at = models.DateTimeField(null=True, blank=True)


class LoginLink(models.Model):
    """Signs a browser in once."""

    person = models.ForeignKey(Person, on_delete=models.CASCADE, related_name="login_links")
    digest = models.CharField(max_length=64, unique=True)
    created_at = models.DateTimeField()
    expires_at = models.DateTimeField()
    used_at = models.DateTimeField(null=True, blank=True)
