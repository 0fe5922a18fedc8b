"""All tables of an empty database at once, as the models stand, instead of through every migration there ever was.

A hundred tables by way of their history take a quarter of a minute, at each first start and for each database of the
tests; at once they take a second. The end is the same, which a test compares, and the migrations count as applied, so
that the next one goes on from here.
"""

from __future__ import annotations

from typing import cast

from django.apps import apps
from django.apps.registry import Apps
from django.db.backends.base.base import BaseDatabaseWrapper
from django.db.backends.base.schema import BaseDatabaseSchemaEditor
from django.db.migrations import RunPython
from django.db.migrations.loader import MigrationLoader
from django.db.migrations.migration import Migration
from django.db.migrations.recorder import MigrationRecorder
from django.db.migrations.state import StateApps

OURS = "tocsin."


def is_empty(connection: BaseDatabaseWrapper) -> bool:
    """Whether the database holds no table at all."""
    return not connection.introspection.table_names()


def make_whole(connection: BaseDatabaseWrapper) -> None:
    """Make every table, what our migrations did by hand, and the record of them, in one transaction."""
    loader = MigrationLoader(connection)
    with connection.schema_editor() as editor:
        for model in apps.get_models(include_auto_created=False):
            if model._meta.can_migrate(connection):  # noqa: SLF001 - Django's public way to a model's table
                editor.create_model(model)
        record = MigrationRecorder.Migration
        editor.create_model(record)
        done = _in_order(loader)
        for migration in done:
            _by_hand(migration, apps, editor)
        names = [record(app=migration.app_label, name=migration.name) for migration in done]
        record.objects.using(connection.alias).bulk_create(names)


def _in_order(loader: MigrationLoader) -> list[Migration]:
    order: dict[tuple[str, str], None] = {}
    for target in loader.graph.leaf_nodes():
        order.update(dict.fromkeys(loader.graph.forwards_plan(target)))
    return [loader.graph.nodes[key] for key in order]


def _by_hand(migration: Migration, registry: Apps, editor: BaseDatabaseSchemaEditor) -> None:
    """What a migration of ours does beside making tables, but for what it does to rows (`elidable`): there are none."""
    if not registry.get_app_config(migration.app_label).name.startswith(OURS):
        return
    for operation in migration.operations:
        if isinstance(operation, RunPython) and not operation.elidable:
            operation.code(cast("StateApps", registry), editor)  # every model is there, as it would be at the end
