"""A house with one of each thing that a route may name, built by the real actions, and the way to each of them."""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from datetime import datetime, timedelta

from tests.domains import slo_worlds, worlds
from tocsin.adoption import actions as adoption
from tocsin.alerts import actions as alerts
from tocsin.alerts.models import Integration
from tocsin.comms import actions as comms
from tocsin.core.access import SYSTEM
from tocsin.incidents import actions as incidents
from tocsin.incidents.models import Incident, Obligation
from tocsin.oncall import actions as oncall
from tocsin.people import actions as people
from tocsin.postmortems import actions as postmortems
from tocsin.process import actions as processes
from tocsin.process import briefing_actions as briefings
from tocsin.process import proposal_actions as proposals
from tocsin.process import queries as process
from tocsin.process import survey_actions as surveys
from tocsin.slo import actions as slo
from tocsin.slo.defaults import default_policy

NAME, TEAM = "checkout", "tickets"
"""What whatever has a name is called, and the team that owns it."""
COORDINATOR = "incident_coordinator"
LEADER = "board@harbor.example"
BY_PEOPLE = {
    "code": "EB9",
    "when": {"kind": "by_people"},
    "condition": "The owners see a risk",
    "consequence": "Nothing risky is released",
    "tell": ["owners"],
}
SAID = {"done": "Logs read", "open": "The cause", "risks": "None", "next_update": "in an hour"}


@dataclass(slots=True)
class House:
    """`ways` says for a parameter of a path what stands there: the first whose pattern fits the route."""

    now: datetime
    ways: list[tuple[str, str, str]] = field(default_factory=list)

    def lead(self, route: str, parameter: str, to: object) -> None:
        self.ways.append((route, parameter, str(to)))

    def address(self, route: str) -> str:
        def value(match: re.Match[str]) -> str:
            return next((to for at, name, to in self.ways if name == match[2] and re.search(at, route)), "1")

        return "/" + re.sub(r"<(?:(\w+):)?(\w+)>", value, route)


def build(now: datetime) -> House:
    """The people who ask are there already; nobody has taken the incident."""
    house = House(now=now)
    worlds.process(now=now)
    worlds.service(NAME, of_team=TEAM, now=now)
    worlds.person("helper", in_team=TEAM, now=now)
    for part in (_duties, _objectives, _incident, _response, _learning, _process, _adoption, _outside):
        part(house)
    _names(house)
    return house


def _duties(house: House) -> None:
    now = house.now
    layer = {"name": "week", "users": [["owner"]], "start": "2026-11-02T08:00:00Z", "rotation": {"unit": "week"}}
    document = {"name": NAME, "time_zone": "UTC", "layers": [layer]}
    oncall.save_rotation(SYSTEM, document, team=TEAM, now=now)
    hour = timedelta(hours=1)
    override = oncall.add_override(
        SYSTEM, rotation=NAME, users=["responder"], starts_at=now + hour, ends_at=now + 2 * hour, now=now
    )
    house.lead("oncall", "override", override.pk)
    house.lead("oncall", "override_id", override.pk)
    steps = [{"wait_minutes": 5, "targets": ["user:owner"]}]
    oncall.save_policy(SYSTEM, {"name": NAME, "steps": steps}, team=TEAM, now=now)
    training = people.record_training(SYSTEM, username="owner", subject=COORDINATOR, on=now.date(), now=now)
    house.lead("trainings", "training", training.pk)


def _objectives(house: House) -> None:
    now = house.now
    slo_worlds.objective(NAME, now=now)
    slo.assign_priority(SYSTEM, objective=NAME, decision="set", priority=2, now=now)
    slo.save_resource_alert(SYSTEM, alert_name="CPU is high", service=NAME, name=NAME, now=now)
    slo.ask_view(SYSTEM, slo=NAME, consumer="team:payments", now=now)
    shipped = default_policy()
    document = {
        **shipped,
        "clauses": [*shipped["clauses"], BY_PEOPLE],
        "next_review": (now + timedelta(days=90)).date().isoformat(),
    }
    slo.save_budget_policy(SYSTEM, team=TEAM, document=document, now=now)
    consequence = slo.begin_clause(SYSTEM, team=TEAM, clause="EB9", slo=NAME, why="A big sale comes", now=now)
    house.lead("consequences", "consequence", consequence.pk)


def _incident(house: House) -> None:
    """INC-1, which nobody has taken, with one of each of the desk's things."""
    now = house.now
    row = incidents.declare(SYSTEM, title="Checkout fails", service=NAME, priority=2, now=now)
    decision = incidents.record_decision(SYSTEM, row.number, text="Roll back", addressees=["responder"], now=now)
    question = incidents.ask_question(SYSTEM, row.number, text="Since when?", now=now)
    task = incidents.give_task(SYSTEM, row.number, text="Read the logs", now=now)
    for word, number in (("decisions", decision), ("questions", question), ("tasks", task)):
        house.lead(f"<ref>/{word}", "number", number.number)
    incidents.form_sub_team(SYSTEM, row.number, name="logs", leader="responder", task="Read the logs", now=now)
    house.lead("sub-teams", "name", "logs")
    draft = comms.write_draft(SYSTEM, row.number, text="Checkout fails for some people.", now=now)
    house.lead("updates/drafts", "draft", draft.pk)
    house.lead("updates/drafts", "draft_id", draft.pk)
    owed = Obligation.objects.filter(incident=row).earliest("pk")
    house.lead("obligations", "obligation", owed.pk)
    house.lead("obligations", "obligation_id", owed.pk)
    house.lead("incidents/", "ref", row.ref)
    house.lead("^i/", "number", row.number)


def _response(house: House) -> None:
    """INC-2, which the responder coordinates: hand-overs, requests for a role, what stands between people."""
    now, responder = house.now, worlds.actor("responder")
    row = incidents.declare(SYSTEM, title="Search is slow", service=NAME, priority=2, now=now)
    incidents.assign_role(SYSTEM, row.number, role=COORDINATOR, username="responder", now=now)
    offered = incidents.offer_hand_over(responder, row.number, role=COORDINATOR, to="owner", now=now, **SAID)
    house.lead("hand-over", "hand_over", offered.pk)
    house.lead("hand-over", "hand_over_id", offered.pk)
    asked = incidents.ask_take_over(
        worlds.actor("process_owner"), row.number, role=COORDINATOR, reason="I know it", now=now
    )
    house.lead("asks", "take_over", asked.pk)
    house.lead("take-overs", "take_over_id", asked.pk)
    issue = incidents.note_people_issue(responder, row.number, text="Loud words", now=now)
    for word, name in (("tensions", "issue"), ("issues", "issue_id")):
        house.lead(word, name, issue.pk)
    for word in ("hand-over", "asks/", "tensions/", "roles/ask$"):
        house.ways.insert(0, (f"^i/.*{word}", "number", str(row.number)))
    house.ways.insert(0, ("people/issues/|<ref>/(hand-overs|take-overs)", "ref", row.ref))


def _learning(house: House) -> None:
    """INC-3, which is over and has a postmortem with an action."""
    now = house.now
    row = incidents.declare(SYSTEM, title="Nobody could pay", service=NAME, priority=1, now=now)
    incidents.resolve(SYSTEM, row.number, category="software", note="rolled back", now=now)
    postmortems.start_postmortem(SYSTEM, row.number, now=now)
    action = postmortems.add_action(SYSTEM, row.number, title="Test it first", driver="owner", now=now)
    house.lead("actions/", "item", action.pk)
    house.lead("actions/", "action_id", action.pk)
    for word in ("^i/.*review(?!/begin)", "^i/.*reopen", "^i/.*close"):
        house.ways.insert(0, (word, "number", str(row.number)))
    house.ways.insert(0, ("incidents/<ref>/(postmortem|reopen|close)", "ref", row.ref))


def _process(house: House) -> None:
    now = house.now
    processes.add_group_member(SYSTEM, group="management", email=LEADER, now=now)
    briefings.brief(SYSTEM, email=LEADER, now=now)
    document = process.version(SYSTEM, process.current_version().number).document
    text = {**document["priorities"], "criteria_texts": {**document["priorities"]["criteria_texts"], "postmortem": "x"}}
    draft = proposals.propose(worlds.actor("process_owner"), {"priorities": text}, note="Say more", now=now)
    survey = surveys.open_survey(
        SYSTEM, draft.number, respondents=["responder"], closes_at=now + timedelta(days=3), now=now
    )
    house.lead("surveys", "survey", survey.pk)
    house.lead("(proposals|drafts)/", "number", draft.number)
    house.lead("process/versions/<int:number>/<slug:verb>", "number", draft.number)


def _adoption(house: House) -> None:
    now = house.now
    wish = adoption.add_wish(SYSTEM, kind="new_rule", text="Rules for weekdays", team=TEAM, now=now)
    house.lead("wishes|backlog", "number", wish.pk)
    walk = adoption.begin_walk(SYSTEM, TEAM, priority=1, now=now)
    adoption.name_use_cases(SYSTEM, walk.pk, ["Nobody can pay"], now=now)
    case = walk.cases.get()
    house.lead("use-cases/", "number", case.pk)
    house.lead("walks", "number", walk.pk)
    house.lead("walks", "case", case.pk)


def _outside(house: House) -> None:
    now = house.now
    webhook = comms.add_webhook(SYSTEM, url="https://hooks.harbor.example/x", secret="whsec_" + "c2Vj" * 8, now=now)
    house.lead("webhooks", "webhook_id", webhook.pk)
    house.lead("webhooks", "webhook", webhook.pk)
    comms.link_chat_account(SYSTEM, adapter="slack", account="U1", username="responder", now=now)
    house.lead("chat/accounts", "adapter", "slack")
    house.lead("chat/accounts", "account", "U1")
    alerts.add_integration(SYSTEM, kind="alertmanager", service=NAME, name="Prometheus", now=now)
    row = Integration.objects.get(name="Prometheus")
    house.lead("integrations", "integration_id", row.pk)
    house.lead("sources", "integration", row.pk)
    matchers = [{"name": "alertname", "value": "Down", "isRegex": False, "isEqual": True}]
    silence = alerts.add_silence(
        SYSTEM, matchers=matchers, starts_at=now, ends_at=now + timedelta(hours=1), comment="x", now=now
    )
    house.lead("silence", "uuid", silence.uuid)


def _names(house: House) -> None:
    """What is reached by a word."""
    last = Incident.objects.get(number=1)
    for route, name, to in (
        ("people/<name>", "name", "responder"),
        ("teams/", "name", TEAM),
        ("", "name", NAME),
        ("", "team", TEAM),
        ("", "service", NAME),
        ("", "slo", NAME),
        ("groups", "code", "management"),
        ("adapters", "code", "email"),
        ("adherence", "code", "AC01"),
        ("", "check", "AC01"),
        ("role-schemes", "code", "six-role"),
        ("checklist", "code", "B1"),
        ("", "code", "summary"),
        ("", "section", "summary"),
        ("postmortem/state", "state", "in_review"),
        ("", "state", "mitigated"),
        ("", "role", COORDINATOR),
        ("", "regime", "nis2"),
        ("", "subject", "severity"),
        ("briefing", "verb", "done"),
        ("", "verb", "publish"),
        ("wiring|matrix", "ending", "svg"),
        ("", "ending", "md"),
        ("^teams", "picture", "budgets"),
        ("", "picture", "burn-down"),
        ("views.<", "form", "svg"),
        ("", "form", "svg"),
        ("", "ref", last.ref),
        ("", "secret", "nobodys"),
        ("", "token", "nobodys"),
    ):
        house.lead(route, name, to)
