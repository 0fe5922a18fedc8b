"""The chapter's own story, step by step with its exact minutes: from a burning SLO over five hours of response to the end.

Minutes count from the first failed event. What is not asserted here is not claimed here.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from typing import Any

import pytest

from tests.domains import slo_worlds, worlds
from tests.domains.incident_worlds import entries, fresh, kinds_of, obligation, owed
from tests.scenarios.stage import Stage
from tocsin.audit import queries as audit
from tocsin.audit.models import Entry
from tocsin.channels.protocol import Message
from tocsin.comms import actions as comms
from tocsin.core.access import SYSTEM, Actor
from tocsin.core.adherence_outcomes import Verdict
from tocsin.core.errors import NotAllowed
from tocsin.core.facts import Kind
from tocsin.incidents import actions
from tocsin.incidents.models import Incident, Obligation, ObligationState, Page, ResponseChannel, RoleHeld
from tocsin.insights import adherence, wellbeing
from tocsin.oncall import actions as oncall
from tocsin.platform.clock import WoundClock
from tocsin.process import actions as processes
from tocsin.process import proposal_actions as proposals
from tocsin.process import queries as process
from tocsin.process.models import ProcessRemark, StakeholderGroup
from tocsin.slo import actions as slo
from tocsin.slo.models import Breach, PriorityAssignment

pytestmark = pytest.mark.django_db(transaction=True)
COORDINATOR, COMMUNICATOR, EXPERT = "incident_coordinator", "incident_communicator", "technical_expert"
GROUPS = ["management", "product-owners", "consumer-teams"]
GRID = timedelta(minutes=5)
START = datetime(2026, 11, 24, 9, 0, tzinfo=UTC)
"""Minute 0, a Tuesday morning, in the third week of every rotation."""
USE_CASES = (
    ("delivery", 2),
    ("get-data", 2),
    ("preferences", 3),
    ("history", None),
    ("export", None),
)


class Postbox:
    """Takes every message, and says to whom which kind went."""

    def __init__(self) -> None:
        self.taken: list[Message] = []

    def send(self, message: Message, *, deadline: timedelta) -> str:
        self.taken.append(message)
        return "received"

    def to(self, name: str, kind: str) -> int:
        return sum(one.address == f"{name}@harbor.example" and one.kind == kind for one in self.taken)


@dataclass
class Chapter:
    """The stage with the chapter's team, its rotations and its five use cases."""

    stage: Stage
    box: Postbox = field(default_factory=Postbox)
    people: dict[str, Actor] = field(default_factory=dict)

    def __post_init__(self) -> None:
        self.stage.mail = self.box
        for name in ("abe", "bea", "cid", "dot", "eve", "finn", "gus"):
            self.people[name] = worlds.actor(name, in_team="notify", now=self.stage.now)
        self.people["nia"] = worlds.actor("nia", in_team="network", is_owner=True, now=self.stage.now)
        self.people["vic"] = worlds.actor("vic", now=self.stage.now)
        self.people["root"] = worlds.administrator("root", now=self.stage.now)

    @property
    def incident(self) -> Incident:
        return Incident.objects.get(number=1)

    @property
    def now(self) -> datetime:
        return self.stage.now

    def minute(self, at: datetime) -> int:
        return int((at - START) / timedelta(minutes=1))

    def to(self, minute: int, *, bad: int = 10) -> None:
        """Let a thousand events a minute come in, of which `bad` fail, and the engine look every five minutes."""
        goal = START + timedelta(minutes=minute)
        while self.now < goal:
            following = min(self.now + GRID - (self.now - START) % GRID, goal)
            begun = [self.now + timedelta(minutes=n) for n in range(int((following - self.now) / timedelta(minutes=1)))]
            rows = [{"slo": "get-data", "good": 1000 - bad, "bad": bad, "at": at.isoformat()} for at in begun]
            self.stage.clock.wind_to(following)
            if rows:
                self.stage.send("sli", rows)

    def rotation(self, name: str, role: str, *turns: str) -> None:
        layer: dict[str, Any] = {
            "name": "main",
            "priority": 1,
            "start": (START - timedelta(days=15)).isoformat(),
            "rotation": {"unit": "week", "every": 1},
            "users": [[one] for one in turns],
        }
        document = {"name": name, "time_zone": "UTC", "layers": [layer]}
        oncall.save_rotation(SYSTEM, document, team="notify", role=role, now=self.now)

    def due(self, audience: str) -> int:
        """The minute at which the next word to that audience is due."""
        row = Obligation.objects.get(
            incident=self.incident, audience=audience, kind="update_progress", state=ObligationState.OPEN
        )
        assert row.due_at is not None
        return self.minute(row.due_at)

    def tell(self, who: str, text: str, *, kind: str | None = None) -> None:
        draft = comms.draft_update(self.people[who], 1, now=self.now)
        comms.send_update(
            self.people[who],
            1,
            text=text,
            kind=kind,
            next_update_at=None if kind == "closing" else draft.next_update_at,
            now=self.now,
        )


@pytest.fixture
def chapter(clock: WoundClock) -> Chapter:
    clock.wind_to(START - timedelta(hours=2))
    return Chapter(Stage(clock))


def test_the_chapters_scenario(chapter: Chapter) -> None:
    step_1_the_process_is_published_after_its_review(chapter)
    step_2_the_team_maps_its_five_use_cases(chapter)
    step_3_one_incident_with_its_occurrences(chapter)
    step_4_taken_told_and_organised(chapter)
    step_5_raised_and_told_late(chapter)
    step_6_graver_and_another_to_speak(chapter)
    step_7_rank_does_not_direct(chapter)
    step_9_over(chapter)
    assert audit.verify().ok


def step_1_the_process_is_published_after_its_review(chapter: Chapter) -> None:
    chapter.rotation("coordinators", COORDINATOR, "abe", "abe", "bea", "bea")
    chapter.rotation("communicators", COMMUNICATOR, "cid", "cid", "dot", "dot")
    chapter.rotation("experts", EXPERT, "eve", "finn", "gus", "eve")
    root, document = chapter.people["root"], process.current().document
    row = proposals.propose(
        root, {"messages": _reworded(document["messages"])}, note="Words of our own", now=chapter.now
    )
    invited = ["bea", "gus"]
    proposals.ask_for_review(root, row.number, reviewers=invited, now=chapter.now)
    for name in invited:
        proposals.remark(chapter.people[name], row.number, text="", agrees=True, now=chapter.now)
    published = proposals.publish(root, row.number, now=chapter.now)
    assert published.state == "published"
    assert ProcessRemark.objects.filter(version=row).count() >= len(invited)


def _reworded(messages: Any) -> dict[str, Any]:
    """The section with one list changed, so that there is something to review."""
    changed: dict[str, Any] = dict(messages)
    changed["ambiguous"] = [*changed.get("ambiguous", []), "soonish"]
    return changed


def step_2_the_team_maps_its_five_use_cases(chapter: Chapter) -> None:
    now = chapter.now
    worlds.service("notify", of_team="notify", now=now)
    steps = [{"wait_minutes": 5, "targets": [f"role:{EXPERT}"]}]
    oncall.save_policy(SYSTEM, {"name": "notify-chain", "steps": steps}, now=now)
    oncall.set_service_escalation(SYSTEM, service="notify", policy="notify-chain", now=now)
    for code in GROUPS:
        if not StakeholderGroup.objects.filter(code=code).exists():
            processes.add_group(SYSTEM, code=code, name=code, ring=1, now=now)
        processes.add_group_member(SYSTEM, group=code, email=f"{code}@harbor.example", now=now)
    for name, priority in USE_CASES:
        row = slo_worlds.objective(name, now=now, service="notify", target=Decimal("0.997"), rule={"name": "depletion"})
        decision = "none" if priority is None else "set"
        told = GROUPS if priority else []
        slo.assign_priority(
            SYSTEM, objective=row, decision=decision, priority=priority, groups=told, reason="Agreed", now=now
        )
    decided = PriorityAssignment.objects.order_by("pk").values_list("decision", "priority")
    assert list(decided) == [("set", 2), ("set", 2), ("set", 3), ("none", None), ("none", None)]


def step_3_one_incident_with_its_occurrences(chapter: Chapter) -> None:
    chapter.to(0, bad=0)
    chapter.to(35)
    assert not Incident.objects.exists()
    assert [chapter.minute(one.at) for one in Breach.objects.order_by("at")] == [20, 25, 30, 35]
    chapter.to(40)
    incident = chapter.incident
    assert chapter.minute(incident.created_at) == 40
    assert (incident.priority, incident.severity, incident.origin) == (2, "warning", "slo")
    assert Page.objects.get(incident=incident).person == _person("gus")
    assert incident.breach_links.count() == 5


def _person(name: str) -> Any:
    return worlds.person(name)


def step_4_taken_told_and_organised(chapter: Chapter) -> None:
    chapter.to(42)
    actions.acknowledge(chapter.people["gus"], 1, now=chapter.now)
    chapter.to(50)
    opening = obligation(chapter.incident, "update_opening:groups:0")
    assert opening.due_at is not None
    assert chapter.minute(opening.due_at) == 55
    chapter.tell("gus", "Some data cannot be read.")
    chapter.stage.cycle()
    assert {chapter.due("groups"), chapter.due("management")} == {290}
    assert [chapter.box.to(code, "update") for code in GROUPS] == [1, 1, 1]
    chapter.to(55)
    actions.escalate_to_team(chapter.people["gus"], 1, team="network", reason="Packets are lost", now=chapter.now)
    assert fresh(chapter.incident).complex
    actions.change_severity(chapter.people["gus"], 1, severity="error", reason="Two teams are needed", now=chapter.now)
    asked = Page.objects.filter(incident=chapter.incident, kind="role", reason=COORDINATOR)
    assert [one.person for one in asked] == [_person("bea")]
    actions.assign_role(chapter.people["bea"], 1, role=COORDINATOR, username="bea", now=chapter.now)
    assert ResponseChannel.objects.filter(incident=chapter.incident).exists()
    assert not RoleHeld.objects.filter(incident=chapter.incident, role=COMMUNICATOR).exists()
    assert {row.owner_role for row in _updates(chapter)} == {COORDINATOR}


def _updates(chapter: Chapter) -> list[Obligation]:
    rows = Obligation.objects.filter(incident=chapter.incident, kind="update_progress", state=ObligationState.OPEN)
    return list(rows)


def step_5_raised_and_told_late(chapter: Chapter) -> None:
    chapter.to(280)
    assert Incident.objects.count() == 1
    repeats = audit_minutes(chapter, Kind.ALERT_REPEATED)
    assert repeats == [160, 280]
    assert [chapter.minute(one.at) for one in Breach.objects.order_by("at")] == list(range(20, 281, 5))
    step_8_time_to_hand_over(chapter)
    chapter.to(300)
    assert audit_minutes(chapter, Kind.OBLIGATION_LATE) == []
    chapter.to(301)
    assert audit_minutes(chapter, Kind.OBLIGATION_LATE) == [301, 301]
    chapter.to(305)
    chapter.tell("bea", "We found a lossy link.")
    assert {chapter.due("groups"), chapter.due("management")} == {545}
    chapter.to(310)
    actions.change_priority(
        chapter.people["bea"], 1, priority=1, state="set", reason="All tenants feel it", now=chapter.now
    )
    assert {chapter.due("groups"), chapter.due("management")} == {425}
    assert {"hotfix", "postmortem"} <= set(owed(chapter.incident))
    assert kinds_of(chapter.incident).count(Kind.UPDATE_SENT) == 2
    found = adherence.of_incident(SYSTEM, 1, now=chapter.now).outcomes["AC11"]
    assert found.verdict is Verdict.FAILED


def audit_minutes(chapter: Chapter, kind: Kind) -> list[int]:
    rows = Entry.objects.filter(incident=chapter.incident.ref, kind=kind).order_by("seq")
    return [chapter.minute(row.at) for row in rows]


def step_6_graver_and_another_to_speak(chapter: Chapter) -> None:
    actions.change_severity(
        chapter.people["bea"], 1, severity="critical", reason="A third team is needed", now=chapter.now
    )
    asked = Page.objects.filter(incident=chapter.incident, kind="role", reason=COMMUNICATOR)
    assert [one.person for one in asked] == [_person("dot")]
    actions.assign_role(chapter.people["dot"], 1, role=COMMUNICATOR, username="dot", now=chapter.now)
    assert {row.owner_role for row in _updates(chapter)} == {COMMUNICATOR}
    taken = [one["username"] for one in entries(chapter.incident, Kind.ROLE_TAKEN)]
    assert taken == ["gus", "bea", "dot"]


def step_7_rank_does_not_direct(chapter: Chapter) -> None:
    pages = Page.objects.count()
    with pytest.raises(NotAllowed):
        actions.escalate_to_management(chapter.people["vic"], 1, to="eve", reason="She knows it best", now=chapter.now)
    assert Page.objects.count() == pages
    [refused] = entries(chapter.incident, "rank.refused")
    assert refused
    assert audit_actors(chapter, "rank.refused") == ["vic"]


def audit_actors(chapter: Chapter, kind: str) -> list[str]:
    return list(Entry.objects.filter(incident=chapter.incident.ref, kind=kind).values_list("actor", flat=True))


def step_8_time_to_hand_over(chapter: Chapter) -> None:
    """Four hours after the coordinator came, which is before the priority is raised."""
    chapter.to(294)
    assert not _hand_over_prompts(chapter)
    chapter.to(295)
    assert len(_hand_over_prompts(chapter)) == 1


def _hand_over_prompts(chapter: Chapter) -> list[str]:
    view = wellbeing.people_of(chapter.people["bea"], 1, now=chapter.now)
    return [one.text for one in view.prompts if one.about == "bea" and ":handover:" in one.key]


def step_9_over(chapter: Chapter) -> None:
    chapter.to(360)
    actions.move(chapter.people["gus"], 1, "mitigated", now=chapter.now)
    chapter.to(390, bad=0)
    fix = obligation(chapter.incident, "hotfix")
    actions.fulfil_obligation(
        chapter.people["gus"], fix.pk, reference="release 42", deployed_at=chapter.now, now=chapter.now
    )
    actions.resolve(chapter.people["bea"], 1, category="network", note="The link was replaced.", now=chapter.now)
    chapter.tell("dot", "Data can be read again.", kind="closing")
    actions.dissolve_team(chapter.people["bea"], 1, thanks="Thank you all for a calm day.", now=chapter.now)
    row = chapter.incident
    assert (row.state, chapter.minute(row.mitigated_at or START), chapter.minute(row.resolved_at or START)) == (
        "resolved",
        360,
        390,
    )
    assert audit_minutes(chapter, Kind.UPDATE_SENT) == [50, 305, 390]
    assert not RoleHeld.objects.filter(incident=row, until_at=None).exists()
    assert kinds_of(row).count(Kind.TEAM_DISSOLVED) == 1
    assert set(owed(row)) == {"postmortem"}
    found = adherence.of_incident(SYSTEM, 1, now=chapter.now).outcomes
    assert {code: found[code].verdict for code in ("AC09", "AC10", "AC12", "AC13")} == dict.fromkeys(
        ("AC09", "AC10", "AC12", "AC13"), Verdict.PASSED
    )
    assert found["AC11"].verdict is Verdict.FAILED
