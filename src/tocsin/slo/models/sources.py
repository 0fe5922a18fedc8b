"""Where the numbers of SLOs come from."""

from __future__ import annotations

from django.db import models

from tocsin.platform.models import Claimable


class DataSource(Claimable):
    """Where an SLI is read: a Prometheus-compatible server that is asked, or a door that is pushed to."""

    name = models.SlugField(max_length=63, unique=True)
    kind = models.CharField(max_length=16)  # prometheus | push
    url = models.URLField(max_length=500, blank=True, default="")
    headers = models.JSONField(default=dict, blank=True)
    connection = models.JSONField(default=dict, blank=True)  # as slo.connecting reads it; secrets by name only
    every = models.DurationField()
    next_at = models.DateTimeField(null=True, blank=True, db_index=True)
    last_success_at = models.DateTimeField(null=True, blank=True)
    last_error = models.TextField(blank=True, default="")
    created_at = models.DateTimeField()
