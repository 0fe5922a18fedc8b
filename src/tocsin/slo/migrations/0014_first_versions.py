"""SLOs that were there before versions were kept get their present state as the first."""

import hashlib
import json
from datetime import UTC, datetime, timedelta
from decimal import Decimal

from django.db import migrations

FIELDS = (
    "display_name", "description", "use_case", "service", "sli_kind", "endpoint", "target", "period",
    "calendar_start", "time_zone", "budgeting", "slice_window", "slice_target", "source", "good_query", "bad_query",
    "total_query", "threshold_query", "threshold_op", "threshold_value", "raw_query", "raw_type", "rule",
    "evaluate_every", "renotify_after", "fallback", "runbook_url",
)

def shown(value):
    if isinstance(value, datetime):
        return value.astimezone(UTC).isoformat().replace("+00:00", "Z")
    if isinstance(value, timedelta):
        return f"{int(value.total_seconds())} s"
    if isinstance(value, Decimal):
        return f"{value.normalize():f}"
    return getattr(value, "name", value)


def first_versions(apps, schema_editor):
    database = schema_editor.connection.alias
    versions = apps.get_model("slo", "ObjectiveVersion")
    rows = apps.get_model("slo", "Objective").objects.using(database).select_related("service", "source").filter(versions=None)
    for row in rows.order_by("pk"):
        found = {name: shown(getattr(row, name)) for name in FIELDS}
        settings = {name: value for name, value in found.items() if value not in (None, "", {})}
        text = json.dumps([settings, row.document], sort_keys=True, separators=(",", ":"), ensure_ascii=False)
        versions.objects.using(database).create(
            objective=row,
            number=row.revision,
            change="added",
            settings=settings,
            document=row.document,
            sha256=hashlib.sha256(text.encode()).hexdigest(),
            effective_at=row.created_at,
            author="system",
            reason="As it stood when versions began to be kept.",
        )


class Migration(migrations.Migration):

    dependencies = [
        ('slo', '0013_objective_versions'),
    ]

    operations = [migrations.RunPython(first_versions, migrations.RunPython.noop, elidable=True)]
