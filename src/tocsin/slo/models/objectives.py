"""SLOs as their owners wrote them, and what the evaluator knows of each."""

from __future__ import annotations

from django.db import models
from django.db.models import Q

from tocsin.catalog.models import Service
from tocsin.slo.models.sources import DataSource


class Budgeting(models.TextChoices):
    OCCURRENCES = "Occurrences"
    TIMESLICES = "Timeslices"
    RATIO_TIMESLICES = "RatioTimeslices"


class Objective(models.Model):
    """An SLO. `name` is unique in the installation; `target` a decimal in (0, 1); `period` the budget's window.

    `document` keeps the OpenSLO object it came from, `revision` counts its changes; a retired SLO keeps its breaches.
    """

    name = models.SlugField(max_length=63, unique=True)
    display_name = models.CharField(max_length=150, blank=True, default="")
    description = models.TextField(blank=True, default="")
    use_case = models.CharField(max_length=300, blank=True, default="")
    service = models.ForeignKey(Service, on_delete=models.PROTECT, related_name="objectives")
    sli_kind = models.CharField(max_length=63, blank=True, default="")
    endpoint = models.CharField(max_length=300, blank=True, default="")
    budgeting = models.CharField(max_length=20, choices=Budgeting.choices, default=Budgeting.OCCURRENCES)
    slice_window = models.DurationField(null=True, blank=True)  # of time slices: their length, whole minutes
    slice_target = models.DecimalField(max_digits=12, decimal_places=10, null=True, blank=True)
    target = models.DecimalField(max_digits=12, decimal_places=10)
    period = models.DurationField()
    calendar_start = models.DateTimeField(null=True, blank=True)
    time_zone = models.CharField(max_length=64, default="UTC")
    source = models.ForeignKey(DataSource, on_delete=models.PROTECT, null=True, blank=True, related_name="objectives")
    good_query = models.TextField(blank=True, default="")
    bad_query = models.TextField(blank=True, default="")
    total_query = models.TextField(blank=True, default="")
    # A value and the line it must keep instead of counters: a minute is good when `value op line` holds.
    threshold_query = models.TextField(blank=True, default="")
    threshold_op = models.CharField(max_length=3, blank=True, default="")
    threshold_value = models.DecimalField(max_digits=30, decimal_places=10, null=True, blank=True)
    # A ratio somebody else computed: of good events (success) or of bad ones (failure), minute by minute.
    raw_query = models.TextField(blank=True, default="")
    raw_type = models.CharField(max_length=7, blank=True, default="")
    rule = models.JSONField(default=dict, blank=True)  # {"name": "tocsin"} or a rule's parameters
    evaluate_every = models.DurationField()
    renotify_after = models.DurationField()
    fallback = models.CharField(max_length=16, blank=True, default="")  # "" off | remaining | velocity
    runbook_url = models.URLField(max_length=500, blank=True, default="")
    document = models.JSONField(default=dict, blank=True)
    origin = models.CharField(max_length=300, blank=True, default="")  # file:line when applied from a file
    revision = models.PositiveIntegerField(default=1)
    created_at = models.DateTimeField()
    retired_at = models.DateTimeField(null=True, blank=True)

    class Meta:
        constraints = [
            models.CheckConstraint(condition=Q(target__gt=0, target__lt=1), name="objective_target_leaves_a_budget"),
        ]

    @property
    def threshold_words(self) -> str:
        """The line of a threshold metric as people say it; empty when there is none."""
        if self.threshold_value is None:
            return ""
        words = {"lt": "below", "lte": "at most", "gt": "above", "gte": "at least"}
        return f"{words[self.threshold_op]} {self.threshold_value.normalize():f}"

    @property
    def label(self) -> str:
        return self.display_name or self.name


class Health(models.TextChoices):
    """What can be said of an SLO now. Only `met` is green; unknown never is."""

    MET = "met"
    BURNING = "burning"
    EXHAUSTED = "exhausted"
    NO_DATA = "no_data"
    NO_TRAFFIC = "no_traffic"
    INVALID = "invalid"


class ObjectiveState(models.Model):
    """What the evaluator knows of an SLO; one row each, written at every evaluation."""

    objective = models.OneToOneField(Objective, on_delete=models.CASCADE, primary_key=True, related_name="state")
    health = models.CharField(max_length=16, choices=Health.choices, default=Health.NO_DATA)
    rule_state = models.JSONField(default=dict, blank=True)
    first_data_at = models.DateTimeField(null=True, blank=True)
    last_data_at = models.DateTimeField(null=True, blank=True)
    evaluated_at = models.DateTimeField(null=True, blank=True)
    next_at = models.DateTimeField(null=True, blank=True, db_index=True)
    remaining = models.FloatField(null=True, blank=True)  # share of the period's budget left; display only
    burn_rates = models.JSONField(default=dict, blank=True)  # {"300": 1.2} lookback seconds -> burn; display only
    exhausts_at = models.DateTimeField(null=True, blank=True)
    episode = models.PositiveIntegerField(default=0)
    breaching = models.BooleanField(default=False)
    alerting = models.BooleanField(default=False)
    # Pulled counters grow by fractions where a server extrapolates; what is left over from whole events waits here.
    rest_good = models.FloatField(default=0.0)
    rest_bad = models.FloatField(default=0.0)
    pulled_until = models.DateTimeField(null=True, blank=True)  # minutes before it are final and not asked for again
    reading_from = models.DateTimeField(null=True, blank=True)  # since when the past is read; None once it has been
    # Which state of the counts is meant: drawn anew whenever some are added, and how far back those reach (seconds).
    # `counts_base` is the version that the last evaluation saw; `counts_from` speaks of what came after it.
    counts_version = models.BigIntegerField(default=0)
    counts_base = models.BigIntegerField(default=0)
    counts_from = models.BigIntegerField(null=True, blank=True)
    # Samples of pushed deltas that came after newer ones and could not be counted any more, and when one last did.
    late_samples = models.PositiveIntegerField(default=0)
    late_at = models.DateTimeField(null=True, blank=True)
    invalid_at = models.DateTimeField(null=True, blank=True)
    invalid_reason = models.TextField(blank=True, default="")
