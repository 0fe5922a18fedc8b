"""What the front asks the database about the house itself: readiness, the engine, the event log, who may watch it."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from functools import lru_cache
from http.cookies import CookieError, SimpleCookie
from importlib import import_module
from importlib.metadata import version as installed
from typing import TYPE_CHECKING, Any

from django.conf import settings
from django.contrib.auth import get_user
from django.db import connection
from django.db.migrations.executor import MigrationExecutor
from django.db.models import Max
from django.http import HttpRequest

from tocsin.audit.models import Entry
from tocsin.core.access import Right
from tocsin.people import queries as people
from tocsin.platform import clock

if TYPE_CHECKING:
    from tocsin.engine.run import Engine

Report = tuple[bool, Mapping[str, Any]]


class NotReady(Exception):
    """The schema is not the one this program was written for."""


def ready() -> None:
    """Raises when the database does not answer or its schema is older than this program."""
    with connection.cursor() as cursor:
        cursor.execute("SELECT 1")
    if not _schema_fits():
        _schema_fits.cache_clear()
        raise NotReady("there are migrations to run")


@lru_cache(maxsize=1)
def _schema_fits() -> bool:
    """Asked once: a schema does not get older while we run."""
    executor = MigrationExecutor(connection)
    return not executor.migration_plan(executor.loader.graph.leaf_nodes())


def engine_report(engine: Engine | None) -> Callable[[], Report]:
    def report() -> Report:
        return (True, {"engine": "not here"}) if engine is None else engine.report(now=clock.now())

    return report


def version() -> dict[str, str]:
    return {"name": "tocsin", "version": installed("tocsin"), "commit": settings.VERSION_COMMIT}


def latest_entry() -> int:
    """The sequence number of the event log's last entry, 0 for an empty log."""
    return Entry.objects.aggregate(last=Max("seq"))["last"] or 0


def may_scrape(key: str) -> bool:
    """Whether `key` is the token of a person who may read SLOs."""
    actor = people.actor_for_token(key, now=clock.now()) if key and "\x00" not in key else None
    return actor is not None and actor.may(Right.SLO_READ)


def may_watch(cookies: str) -> bool:
    """Whether these cookies are a signed-in person's who may read incidents."""
    try:
        morsel = SimpleCookie(cookies).get(settings.SESSION_COOKIE_NAME)
    except CookieError:
        return False
    if morsel is None:
        return False
    request = HttpRequest()
    request.session = import_module(settings.SESSION_ENGINE).SessionStore(morsel.value)
    return people.actor_of(get_user(request)).may(Right.INCIDENT_READ)
