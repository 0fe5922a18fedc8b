"""How long the server takes for the page and the desk of an incident, among 10,000 incidents with 1,000,000 entries.

Run: python -m bench.incident_pages [--incidents 10000] [--events 1000000] [--rounds 200] [--on sqlite|postgresql].
The rows are made in bulk, without the actions that would write them in life; their hash chain is none. Each third
incident came of an SLO. Pages are asked through the whole stack of the application in this process, signed in, the
busiest incidents among them. Goal: p95 150 ms of the server's CPU for each on either database; exits 1 when one misses.
The time by the clock is told as well; on a machine that others use it says little.
"""

from __future__ import annotations

import argparse
import gc
import os
import random
import statistics
import subprocess
import sys
import tempfile
import time
from datetime import UTC, datetime, timedelta
from itertools import pairwise
from pathlib import Path
from typing import Any

from bench import incident_slos

GOAL = 150.0
TEMPLATE = 100
"""So many incidents are made one by one; the rest are copies of them under other numbers."""
PEOPLE = 60
DATABASES = ("sqlite", "postgresql")
MINUTE = timedelta(minutes=1)


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--incidents", type=int, default=10_000)
    parser.add_argument("--events", type=int, default=1_000_000)
    parser.add_argument("--rounds", type=int, default=200)
    parser.add_argument("--on", choices=DATABASES)
    parser.add_argument("--inside", action="store_true", help=argparse.SUPPRESS)
    given = parser.parse_args()
    if given.inside:
        return _inside(given)
    return max(_on(name, given) for name in ([given.on] if given.on else DATABASES))


def _on(name: str, given: argparse.Namespace) -> int:
    """One database, in a process of its own; its settings are read once."""
    sizes = [f"--{one}={getattr(given, one)}" for one in ("incidents", "events", "rounds")]
    command = [sys.executable, "-m", "bench.incident_pages", "--inside", "--on", name, *sizes]
    with tempfile.TemporaryDirectory(prefix="tocsin-pages-") as folder:
        environment = {**os.environ, "TOCSIN_DATA": folder, "DJANGO_SETTINGS_MODULE": "tocsin.wiring.settings"}
        environment.pop("DATABASE_URL", None)
        environment["TOCSIN_PATIENCE"] = "20"  # the world is made in one transaction that thinks between its statements
        if name == "sqlite":
            return subprocess.run(command, env=environment, check=False).returncode
        from tests.databases import postgresql

        with postgresql() as address:
            return subprocess.run(command, env={**environment, "DATABASE_URL": address}, check=False).returncode


def _inside(given: argparse.Namespace) -> int:
    import django

    django.setup()
    from django.conf import settings

    Path(settings.STATIC_ROOT).mkdir(parents=True, exist_ok=True)
    begun = time.perf_counter()
    numbers = _make(given.incidents, given.events)
    print(f"{given.on}: made in {time.perf_counter() - begun:.0f} s; load {os.getloadavg()[0]:.1f} on {os.cpu_count()}")
    return _measure(given.on, numbers, given.rounds)


def _measure(name: str, numbers: list[int], rounds: int) -> int:
    """Print what pages take; returns 1 where one takes too long."""
    missed = 0
    client = _client()
    rng = random.Random(7)
    for title, path in (("incident page", "/i/{}"), ("desk", "/i/{}/desk"), ("timeline", "/i/{}/timeline")):
        for _ in range(5):
            client.get(path.format(rng.choice(numbers)))
        gc.collect()
        gc.freeze()  # as the server does when it opens
        walls, cpus, queries = [], [], 0
        for place in range(rounds):
            number = numbers[place % 5] if place % 4 == 0 else rng.choice(numbers)
            wall, cpu = time.perf_counter(), time.process_time()
            answer = client.get(path.format(number))
            walls.append((time.perf_counter() - wall) * 1000)
            cpus.append((time.process_time() - cpu) * 1000)
            if answer.status_code != 200:
                raise SystemExit(f"{path.format(number)} answers {answer.status_code}")
        queries = _queries(client, path.format(numbers[0]))
        wall95, p95 = (statistics.quantiles(one, n=20)[-1] for one in (walls, cpus))
        over = p95 > GOAL and title != "timeline"
        missed |= over
        print(
            f"{name:>10} {title:>13}: CPU p50 {statistics.median(cpus):.0f} ms, p95 {p95:.0f} ms (goal {GOAL:.0f}), by the "
            f"clock {statistics.median(walls):.0f} and {wall95:.0f} ms, {queries} queries{'  MISSED' if over else ''}",
            flush=True,
        )
    return int(missed)


def _client() -> Any:
    from django.test import Client

    from tocsin.people.models import Person

    client = Client(headers={"host": "127.0.0.1"})
    client.force_login(Person.objects.get(username="p0"), "django.contrib.auth.backends.ModelBackend")
    return client


def _queries(client: Any, path: str) -> int:
    from django.db import connection
    from django.test.utils import CaptureQueriesContext

    with CaptureQueriesContext(connection) as found:
        client.get(path)
    return len(found)


def _make(incidents: int, events: int) -> list[int]:
    """Fill the database; returns the numbers of the incidents, the busiest first."""
    from django.db import connection, transaction

    from tocsin.wiring import preparation

    preparation.migrate()
    preparation.first_rows("")
    with transaction.atomic():
        rows = _incidents(incidents)
        _around(rows)
        _entries(incidents, events)
    with connection.cursor() as cursor:
        cursor.execute("ANALYZE")
    busy = [1 + 17 * place for place in range(5)]
    return busy + [row.number for row in rows if row.number not in busy]


def _incidents(count: int) -> list[Any]:
    from tocsin.catalog.models import Dependency, Service
    from tocsin.incidents.models import OPEN_STATES, Incident, State
    from tocsin.people.models import Membership, Person, Team
    from tocsin.process import queries as process

    now = datetime.now(UTC)
    version, definition = process.current_version(), process.current()
    team = Team.objects.create(name="identity", created_at=now)
    people = Person.objects.bulk_create(
        Person(
            username=f"p{place}",
            display_name=f"Person {place}",
            role="admin" if place == 0 else "responder",
            created_at=now,
        )
        for place in range(PEOPLE)
    )
    Membership.objects.bulk_create(Membership(team=team, person=person) for person in people[:10])
    services = [Service.objects.create(name=f"service-{place}", team=team, created_at=now) for place in range(40)]
    Dependency.objects.bulk_create(Dependency(service=one, depends_on=other) for one, other in pairwise(services))
    objectives = incident_slos.objectives(services, now)
    severities = definition.severities.codes
    made = []
    for number in range(1, count + 1):
        began = now - timedelta(minutes=50 * (count - number) + 5)
        is_open = number > count - 100 or number % 17 == 1
        state = State.ACKNOWLEDGED if is_open else State.RESOLVED
        of_slo = number % incident_slos.EVERY == 0
        made.append(
            Incident(
                number=number,
                title=f"38% of log-ons fail, case {number}",
                state=state,
                priority=number % 3 + 1,
                priority_state="set",
                highest_priority=number % 3 + 1,
                severity=severities[0] if number % 17 == 1 else severities[number % len(severities)],
                service=services[number % len(services)],
                team=team,
                category="" if is_open else "software",
                origin="slo" if of_slo else "human",
                objective=objectives[number % len(services)] if of_slo else None,
                process_version=version,
                created_at=began,
                acknowledged_at=began + 3 * MINUTE,
                acknowledged_by=people[number % PEOPLE],
                resolved_at=None if state in OPEN_STATES else began + 40 * MINUTE,
                updated_at=began,
            )
        )
    return list(Incident.objects.bulk_create(made, batch_size=500))


def _around(rows: list[Any]) -> None:
    """Roles, obligations, pages with their messages, and a desk for each incident."""
    from tocsin.incidents import models
    from tocsin.people.models import Person
    from tocsin.platform.models import OutboxMessage
    from tocsin.process import queries as process

    people = list(Person.objects.order_by("pk"))
    roles = [role.code for role in process.current().roles.roles if not role.optional]
    held, owed, pages, decisions, questions = [], [], [], [], []
    for row in rows:
        at, busy = row.created_at, row.number % 17 == 1
        for place, role in enumerate(roles):
            person = people[(row.number + place) % PEOPLE]
            held.append(models.RoleHeld(incident=row, role=role, person=person, from_at=at, until_at=row.resolved_at))
        for place in range(8):
            key, state = f"update_progress:groups:{place}", "open" if row.is_open and place > 5 else "fulfilled"
            due = at + (place + 1) * 30 * MINUTE
            owed.append(
                models.Obligation(
                    incident=row, key=key, kind="update_progress", audience="groups", owner_role=roles[0], state=state,
                    created_at=at, due_at=due, fulfilled_at=None if state == "open" else due,
                )
            )  # fmt: skip
        for place in range(12 if busy else 3):
            person = people[(row.number + place) % PEOPLE]
            digest = f"{row.number}-{place}"
            pages.append(
                models.Page(
                    incident=row, generation=1, loop=place, step=0, person=person, reason="p", token_digest=digest,
                    created_at=at, answer="taken" if not place else "",
                )
            )  # fmt: skip
        for place in range(40 if busy else 3):
            decisions.append(
                models.Decision(
                    incident=row, number=place + 1, text="Roll back", about="solution", by="p1", at=at,
                    entry=row.number * 1000 + place,
                )
            )  # fmt: skip
            questions.append(
                models.Question(
                    incident=row, number=place + 1, text="Is the queue growing?", owner_name="Person 1", asked_by="p1",
                    asked_at=at, answered_at=at if place % 2 else None,
                )
            )  # fmt: skip
    incident_slos.around(rows, now=rows[-1].created_at + 5 * MINUTE)
    models.RoleHeld.objects.bulk_create(held, batch_size=2000)
    models.Obligation.objects.bulk_create(owed, batch_size=1000)
    models.Question.objects.bulk_create(questions, batch_size=1000)
    made = models.Decision.objects.bulk_create(decisions, batch_size=1000)
    models.DecisionAddressee.objects.bulk_create(
        [models.DecisionAddressee(decision=one, name="Person 2", person=people[2]) for one in made], batch_size=2000
    )
    models.DecisionDutyRow.objects.bulk_create(
        [
            models.DecisionDutyRow(decision=one, duty=duty, due_at=one.at + MINUTE, reminded_at=one.at + MINUTE)
            for one in made
            for duty in ("receive", "execute", "report")
        ],
        batch_size=2000,
    )
    messages = [
        OutboxMessage(
            key=f"page-{page.pk}",
            kind="page",
            channel="email",
            address="a@example.org",
            payload={"subject": "x"},
            incident=page.incident.ref,
            subject_kind="page",
            subject_id=str(page.pk),
            created_at=page.created_at,
            not_before=page.created_at,
            state="sent",
            sent_at=page.created_at,
        )
        for page in models.Page.objects.bulk_create(pages, batch_size=1000)
    ]
    OutboxMessage.objects.bulk_create(messages, batch_size=1000)


_KINDS = (
    ("incident.noted", {"text": "Errors fall since the rollback began", "kind": "note"}),
    ("page.created", {"person": "Person 3"}),
    ("page.accepted", {"person": "Person 3", "channel": "email"}),
    ("alert.repeated", {"summary": "38% of log-ons fail"}),
    ("update.sent", {"groups": "customer-support", "text": "We are on it."}),
    ("role.asked", {"role": "Expert", "persons": ["Person 3"]}),
    ("decision.reported", {"number": 1, "state": "carried out", "report": "Errors are back"}),
)


def _entries(incidents: int, events: int) -> None:
    """The entries of a few incidents, then copies under other numbers; every seventeenth incident gets many more."""
    from django.db import connection

    from tocsin.audit.models import Entry
    from tocsin.incidents.models import Incident

    few = min(TEMPLATE, incidents)
    each = max(events // incidents, 2)
    rows = {row.number: row for row in Incident.objects.filter(number__lte=few)}
    first = Entry.objects.count()
    Entry.objects.bulk_create(
        [_entry(row, first + place * few + row.number, place) for place in range(each) for row in rows.values()],
        batch_size=1000,
    )
    block = few * each
    columns = "at, occurred_at, actor, kind, source_id, data, data_sha256, previous_hash, hash"
    with connection.cursor() as cursor:
        for copy in range(1, incidents // few):
            cursor.execute(
                f"INSERT INTO audit_entry (seq, incident, {columns}) "
                f"SELECT seq + {copy * block}, 'INC-' || (CAST(substr(incident, 5) AS integer) + {copy * few}), {columns} "
                f"FROM audit_entry WHERE seq > {first} AND seq <= {first + block}"
            )
        # One incident has what a very long night leaves behind.
        cursor.execute(
            f"INSERT INTO audit_entry (seq, incident, {columns}) "
            f"SELECT seq + {incidents // few * block}, 'INC-1', {columns} "
            f"FROM audit_entry WHERE seq > {first} AND seq <= {first + min(20_000, block)}"
        )


def _entry(row: Any, seq: int, place: int) -> Any:
    from tocsin.audit.models import Entry

    at = row.created_at + place * MINUTE / 2
    kind, data = _KINDS[place % len(_KINDS)]
    if place == 0:
        kind = "incident.declared"
        data = {
            "title": row.title, "rank": row.priority, "priority_state": "set", "severity": row.severity,
            "priority_by_person": True, "severity_by_person": True,
        }  # fmt: skip
    return Entry(
        seq=seq,
        at=at,
        occurred_at=at,
        actor=f"p{seq % PEOPLE}",
        kind=kind,
        incident=row.ref,
        data=data,
        data_sha256="0" * 64,
        previous_hash="0" * 64,
        hash=f"{seq:064d}",
    )


if __name__ == "__main__":
    if main():
        sys.exit(1)
