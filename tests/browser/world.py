"""Harbor Tickets in small: enough of everything that no page is empty, built by the real actions at 02:12 UTC."""

from __future__ import annotations

import copy
from dataclasses import dataclass
from datetime import datetime, timedelta
from decimal import Decimal

from django.db import transaction

from tests.domains import slo_worlds, worlds
from tocsin.adoption import actions as adoption
from tocsin.alerts import actions as alerts
from tocsin.comms import actions as comms
from tocsin.core.access import SYSTEM
from tocsin.engine import judge_policies
from tocsin.incidents import actions as incidents
from tocsin.oncall import actions as oncall
from tocsin.people import actions as people
from tocsin.platform.clock import WoundClock
from tocsin.postmortems import actions as postmortems
from tocsin.process import actions as process
from tocsin.process import proposal_actions as proposals
from tocsin.process import queries
from tocsin.slo import actions as slo
from tocsin.slo.actions import Said
from tocsin.slo.defaults import default_policy
from tocsin.slo.models import Objective
from tocsin.slo.specs import Count

MINUTE = timedelta(minutes=1)


@dataclass(frozen=True, slots=True)
class World:
    """Numbers of the incidents a test asks for. `page` is the secret in the link that was sent to Ana."""

    burning: int
    declared: int
    learned: int
    walk: int
    now: datetime


def build(clock: WoundClock) -> World:
    """The clock goes back nine days, the company lives until the present moment, and the clock stands there."""
    end = clock.now()
    past = WoundClock(end - timedelta(days=9))
    _people(past.now())
    log_on, silent = _objectives(past.now())
    _count(log_on, past.now(), end - timedelta(hours=1))
    learned = _learned(end - timedelta(days=4))
    declared = _declared(end - timedelta(hours=3))
    _silence_of(silent, past.now())
    _views(end - timedelta(days=2))
    burning = _burn(log_on, end)
    _agreements(end)
    return World(burning=burning, declared=declared, learned=learned, walk=_on_the_way(past.now()), now=end)


def _on_the_way(now: datetime) -> int:
    """Team tickets has an alert to replace, a wish, and a discovery walk with every kind of use case in it."""
    alert = adoption.register_alert(SYSTEM, alert_name="CPU>90% on host ABC", service="ticket-sales", now=now)
    slo.move_resource_alert(SYSTEM, alert.name, "planned", reason="the SLO is in review", now=now)
    adoption.add_wish(SYSTEM, kind="new_rule", text="Rules that look at weekdays only", team="tickets", now=now)
    walk = adoption.begin_walk(SYSTEM, "tickets", priority=1, now=now)
    named = ["Nobody can buy a ticket", "Tickets are lost", "Seats are sold twice", "Refunds are paid twice"]
    adoption.name_use_cases(SYSTEM, walk.pk, named, now=now)
    bought, lost, twice, _ = (one.pk for one in walk.cases.order_by("pk"))
    adoption.see_use_case(SYSTEM, bought, slo="sales-latency", now=now)
    for case in (lost, twice):
        adoption.see_use_case(SYSTEM, case, now=now)
    adoption.answer_find(SYSTEM, lost, existing_sli=True, service="ticket-sales", sli_kind="correctness", now=now)
    adoption.activate_policy(SYSTEM, "identity", now=now)
    return walk.pk


def _agreements(end: datetime) -> None:
    """An error budget policy that asks for something, and a change of the process in review."""
    document = {**default_policy(), "next_review": (end + timedelta(days=90)).date().isoformat()}
    slo.save_budget_policy(SYSTEM, team="identity", document=document, now=end)
    judge_policies.turn(now=end)
    catalogue = copy.deepcopy(queries.version(SYSTEM, queries.current_version().number).document["priorities"])
    catalogue["criteria_texts"]["postmortem"] = "A postmortem follows serious incidents."
    row = proposals.propose(worlds.actor("ana"), {"priorities": catalogue}, note="Say when one follows", now=end)
    proposals.ask_for_review(worlds.actor("ana"), row.number, now=end)
    proposals.remark(worlds.actor("gus"), row.number, text="What is serious?", agrees=None, now=end)


def _people(now: datetime) -> None:
    worlds.process(now=now)
    zone = {"time_zone": "Europe/Berlin"}
    worlds.person("ana", in_team="identity", is_owner=True, role="admin", display_name="Ana Keller", now=now, **zone)
    worlds.person("gus", in_team="identity", display_name="Gus Patel", now=now, time_zone="Asia/Kolkata")
    worlds.person("bo", in_team="tickets", is_owner=True, display_name="Bo Lind", now=now, **zone)
    worlds.person("rea", role="reader", display_name="Rea Novak", now=now, **zone)
    worlds.service(
        "log-on", of_team="identity", now=now, display_name="Log-on", runbook_url="https://wiki.example.com/log-on"
    )
    worlds.service("ticket-sales", of_team="tickets", now=now, display_name="Ticket sales", depends_on=("log-on",))
    for team in ("identity", "tickets"):
        people.update_team(SYSTEM, name=team, stage="mature", now=now)
    for group, address in (("management", "board@harbor.example"), ("customer-support", "desk@harbor.example")):
        process.add_group_member(SYSTEM, group=group, email=address, now=now)
    _duties(now)


def _duties(now: datetime) -> None:
    weekly = {"start": "2026-11-02T08:00:00Z", "rotation": {"unit": "week"}}
    layer = {"name": "week", "users": [["ana"], ["gus"]], **weekly}
    days = [{"days": ["MO", "TU", "WE", "TH", "FR"], "from": "09:00", "to": "17:00"}]
    part = {"name": "days", "users": [["bo"]], "restrictions": days, **weekly}
    for name, team, role, layers in (
        ("identity-primary", "identity", "technical_expert", [layer]),
        ("tickets-days", "tickets", "", [part]),
    ):
        document = {"name": name, "time_zone": "Europe/Berlin", "layers": layers}
        oncall.save_rotation(SYSTEM, document, team=team, role=role, now=now)
    steps = [{"wait_minutes": 5, "targets": ["rotation:identity-primary"]}, {"wait_minutes": 5, "targets": ["user:bo"]}]
    oncall.save_policy(SYSTEM, {"name": "identity-chain", "steps": steps}, team="identity", now=now)
    oncall.set_service_escalation(SYSTEM, service="log-on", policy="identity-chain", now=now)


def _objectives(now: datetime) -> tuple[Objective, Objective]:
    log_on = slo_worlds.objective(
        "log-on-availability",
        service="log-on",
        target=Decimal("0.999"),
        display_name="People can log on",
        use_case="Nobody can log on",
        now=now,
    )
    slo.assign_priority(
        SYSTEM,
        objective=log_on,
        decision="set",
        priority=1,
        groups=["customer-support"],
        reason="no sale without it",
        now=now,
    )
    silent = slo_worlds.objective("sales-latency", service="ticket-sales", display_name="Sales are quick", now=now)
    slo_worlds.objective("refunds", service="ticket-sales", display_name="Refunds are paid", now=now)
    alerts.add_integration(SYSTEM, kind="alertmanager", name="Prometheus EU", now=now)
    return log_on, silent


def _count(objective: Objective, start: datetime, end: datetime) -> None:
    """An hour's events once an hour, with two bad hours in the week."""
    rows, at = [], start
    hours = int((end - start) / timedelta(hours=1))
    for hour in range(hours):
        bad = 900 if hour in (60, 61) else 600 if hour == 150 else 20
        rows.append(Count(objective.pk, at, 60_000 - bad, bad))
        at += timedelta(hours=1)
    with transaction.atomic():
        slo.add_counts(rows, now=end)
    for hour in (61, 62, 151):
        slo_worlds.judge(objective, start + timedelta(hours=hour))


def _views(now: datetime) -> None:
    """Ticket sales sees log-on as less urgent; the log-on team sees the sales of tickets as more urgent."""
    slo.assign_priority(SYSTEM, objective="sales-latency", decision="set", priority=3, now=now)
    mild = Said(decision="set", priority=2, reason="Baskets are kept for an hour.")
    slo.state_view(worlds.actor("bo"), slo="log-on-availability", consumer="service:ticket-sales", said=mild, now=now)
    grave = Said(decision="set", priority=1, reason="A slow sale looks like a failed log-on to people.")
    slo.state_view(worlds.actor("ana"), slo="sales-latency", consumer="team:identity", said=grave, now=now)
    slo.ask_view(worlds.actor("bo"), slo="sales-latency", consumer="group:customer-support", now=now)


def _silence_of(objective: Objective, start: datetime) -> None:
    slo_worlds.push(objective, start, good=1000, bad=0)
    slo_worlds.judge(objective, start + timedelta(hours=2))


def _learned(at: datetime) -> int:
    row = incidents.declare(
        worlds.actor("bo"), title="Sales page answers with errors", service="ticket-sales", priority=1, now=at
    )
    incidents.acknowledge(worlds.actor("bo"), row.number, now=at + 4 * MINUTE)
    comms.send_update(
        worlds.actor("bo"),
        row.number,
        text="Ticket sales: some orders fail. We are on it.",
        next_update_at=at + timedelta(hours=2),
        now=at + 10 * MINUTE,
    )
    incidents.resolve(worlds.actor("bo"), row.number, category="software", note="rolled back", now=at + 50 * MINUTE)
    postmortems.draft_missing(now=at + 51 * MINUTE)
    postmortems.add_action(
        worlds.actor("bo"),
        row.number,
        title="Check settings before a deploy",
        driver="bo",
        review_date=(at + timedelta(days=2)).date(),
        now=at + 60 * MINUTE,
    )
    return row.number


def _declared(at: datetime) -> int:
    row = incidents.declare(
        worlds.actor("bo"), title="Seat maps load slowly", service="ticket-sales", priority=3, now=at
    )
    incidents.acknowledge(worlds.actor("bo"), row.number, now=at + 6 * MINUTE)
    return row.number


def _burn(objective: Objective, end: datetime) -> int:
    """Thirty minutes in which 38 of 100 log-ons fail, judged once a minute; the alert opens the incident."""
    number = 0
    for minute in range(60):
        at = end - (60 - minute) * MINUTE
        bad = 380 if minute >= 45 else 1
        slo_worlds.push(objective, at, good=1000 - bad, bad=bad, now=at + MINUTE)
        signals = slo_worlds.judge(objective, at + MINUTE)
        with transaction.atomic():
            for row in incidents.take_alert_changes(alerts.take_slo_signals(signals, now=at + MINUTE), now=at + MINUTE):
                number = row.number
        incidents.advance_escalations(now=at + MINUTE)
    return number
