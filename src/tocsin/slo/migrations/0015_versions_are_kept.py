"""The database itself refuses to change what SLOs once said.

On SQLite a later migration that rebuilds the table drops these triggers and has to make them again.
"""

from django.db import migrations

SQLITE_MAKE = (
    """
    CREATE TRIGGER slo_version_keeps_rows BEFORE DELETE ON slo_objectiveversion
    BEGIN SELECT RAISE(ABORT, 'versions of SLOs are append-only'); END
    """,
    """
    CREATE TRIGGER slo_version_keeps_content BEFORE UPDATE ON slo_objectiveversion
    BEGIN SELECT RAISE(ABORT, 'versions of SLOs are append-only'); END
    """,
)
SQLITE_DROP = ("DROP TRIGGER slo_version_keeps_rows", "DROP TRIGGER slo_version_keeps_content")
POSTGRESQL_MAKE = (
    """
    CREATE FUNCTION slo_version_append_only() RETURNS trigger LANGUAGE plpgsql AS $$
    BEGIN
        RAISE EXCEPTION 'versions of SLOs are append-only' USING ERRCODE = 'integrity_constraint_violation';
    END $$
    """,
    """
    CREATE TRIGGER slo_version_keeps_content BEFORE UPDATE OR DELETE ON slo_objectiveversion
    FOR EACH ROW EXECUTE FUNCTION slo_version_append_only()
    """,
    """
    CREATE TRIGGER slo_version_keeps_rows BEFORE TRUNCATE ON slo_objectiveversion
    FOR EACH STATEMENT EXECUTE FUNCTION slo_version_append_only()
    """,
)
POSTGRESQL_DROP = (
    "DROP TRIGGER slo_version_keeps_rows ON slo_objectiveversion",
    "DROP TRIGGER slo_version_keeps_content ON slo_objectiveversion",
    "DROP FUNCTION slo_version_append_only()",
)


def make(apps, schema_editor):
    for statement in POSTGRESQL_MAKE if schema_editor.connection.vendor == "postgresql" else SQLITE_MAKE:
        schema_editor.execute(statement, params=None)


def drop(apps, schema_editor):
    for statement in POSTGRESQL_DROP if schema_editor.connection.vendor == "postgresql" else SQLITE_DROP:
        schema_editor.execute(statement, params=None)


class Migration(migrations.Migration):

    dependencies = [
        ('slo', '0014_first_versions'),
    ]

    operations = [migrations.RunPython(make, drop)]
