"""The database itself refuses to change the log; only the data of an entry may be taken away (redaction).

On SQLite a later migration that rebuilds the table drops these triggers and has to make them again.
"""

from django.db import migrations

SQLITE_MAKE = (
    """
    CREATE TRIGGER audit_entry_keeps_rows BEFORE DELETE ON audit_entry
    BEGIN SELECT RAISE(ABORT, 'the event log is append-only'); END
    """,
    """
    CREATE TRIGGER audit_entry_keeps_content BEFORE UPDATE ON audit_entry
    WHEN NOT (
        NEW.data IS NULL AND NEW.seq IS OLD.seq AND NEW.at IS OLD.at AND NEW.occurred_at IS OLD.occurred_at
        AND NEW.actor IS OLD.actor AND NEW.kind IS OLD.kind AND NEW.incident IS OLD.incident
        AND NEW.source_id IS OLD.source_id AND NEW.data_sha256 IS OLD.data_sha256
        AND NEW.previous_hash IS OLD.previous_hash AND NEW.hash IS OLD.hash
    )
    BEGIN SELECT RAISE(ABORT, 'the event log is append-only'); END
    """,
    # INSERT OR REPLACE deletes without asking the first trigger.
    """
    CREATE TRIGGER audit_entry_replaces_nothing BEFORE INSERT ON audit_entry
    WHEN EXISTS (SELECT 1 FROM audit_entry WHERE seq = NEW.seq)
    BEGIN SELECT RAISE(ABORT, 'the event log is append-only'); END
    """,
)
SQLITE_DROP = (
    "DROP TRIGGER audit_entry_keeps_rows",
    "DROP TRIGGER audit_entry_keeps_content",
    "DROP TRIGGER audit_entry_replaces_nothing",
)
POSTGRESQL_MAKE = (
    """
    CREATE FUNCTION audit_entry_append_only() RETURNS trigger LANGUAGE plpgsql AS $$
    BEGIN
        IF TG_OP = 'UPDATE' THEN
            IF NEW.data IS NULL AND to_jsonb(NEW) - 'data' = to_jsonb(OLD) - 'data' THEN
                RETURN NEW;
            END IF;
        END IF;
        RAISE EXCEPTION 'the event log is append-only' USING ERRCODE = 'integrity_constraint_violation';
    END $$
    """,
    """
    CREATE TRIGGER audit_entry_keeps_content BEFORE UPDATE OR DELETE ON audit_entry
    FOR EACH ROW EXECUTE FUNCTION audit_entry_append_only()
    """,
    """
    CREATE TRIGGER audit_entry_keeps_rows BEFORE TRUNCATE ON audit_entry
    FOR EACH STATEMENT EXECUTE FUNCTION audit_entry_append_only()
    """,
)
POSTGRESQL_DROP = (
    "DROP TRIGGER audit_entry_keeps_rows ON audit_entry",
    "DROP TRIGGER audit_entry_keeps_content ON audit_entry",
    "DROP FUNCTION audit_entry_append_only()",
)


def make(apps, schema_editor):
    for statement in POSTGRESQL_MAKE if schema_editor.connection.vendor == "postgresql" else SQLITE_MAKE:
        schema_editor.execute(statement, params=None)


def drop(apps, schema_editor):
    for statement in POSTGRESQL_DROP if schema_editor.connection.vendor == "postgresql" else SQLITE_DROP:
        schema_editor.execute(statement, params=None)


class Migration(migrations.Migration):

    dependencies = [
        ('audit', '0001_initial'),
    ]

    operations = [migrations.RunPython(make, drop)]
