"""The process changes by proposal, a review everybody can see, and a publication that may take effect later."""

from __future__ import annotations

import copy
from datetime import datetime, timedelta
from typing import Any

import pytest

from tests.domains import slo_worlds, worlds
from tests.domains.worlds import NOW
from tests.edges.api_client import Caller
from tests.edges.test_cli import Shell, shell
from tests.edges.web_client import has, read, signed_in, words
from tocsin.audit.models import Entry
from tocsin.core.access import SYSTEM, Role
from tocsin.core.errors import Conflict, Invalid, NotAllowed, NotFound, Refused
from tocsin.core.facts import Kind
from tocsin.engine import turns
from tocsin.incidents import actions as incidents
from tocsin.platform import clock as clocks
from tocsin.platform.clock import WoundClock
from tocsin.process import actions as process
from tocsin.process import proposal_actions as actions
from tocsin.process import queries
from tocsin.process.defaults import default_document
from tocsin.process.models import ProcessVersion, VersionState
from tocsin.slo.models import Breach

__all__ = ["shell"]

pytestmark = pytest.mark.django_db

DAY = timedelta(days=1)


def sections(name: str = "Drop everything") -> dict[str, Any]:
    """The catalogue with another name for its first priority."""
    found = copy.deepcopy(default_document()["priorities"])
    found["priorities"][0]["name"] = name
    return {"priorities": found}


def people() -> tuple[Any, Any, Any]:
    """A coach who proposes, a process owner who publishes, a responder of operations who reviews."""
    worlds.process()
    return (
        worlds.actor("cora", role=Role.COACH.value),
        worlds.actor("olga", role=Role.PROCESS_OWNER.value),
        worlds.actor("ops"),
    )


def reviewed(now: datetime = NOW, **changed: Any) -> tuple[int, Any]:
    """A proposal that operations agreed to, and its author."""
    coach, _, ops = people()
    row = actions.propose(coach, sections(**changed), note="Clearer", now=now)
    actions.ask_for_review(coach, row.number, now=now)
    actions.remark(ops, row.number, text="", agrees=True, now=now)
    return row.number, coach


def first_name() -> str:
    return queries.current().catalogue.priorities[0].name


@pytest.mark.req("R-9.2.3-20")
def test_a_change_is_draft_in_review_published_with_a_time_of_effect_and_supersedes_the_former() -> None:
    coach, owner, ops = people()
    row = actions.propose(coach, sections(), note="Clearer", now=NOW)
    assert (row.state, row.number, row.based_on) == (VersionState.DRAFT, 2, 1)
    with pytest.raises(Refused):
        actions.publish(owner, 2, now=NOW)
    actions.ask_for_review(coach, 2, now=NOW)
    with pytest.raises(Refused, match="Nobody else has agreed"):
        actions.publish(owner, 2, now=NOW)
    actions.remark(ops, 2, text="We can work with it", agrees=True, now=NOW)
    row = actions.publish(owner, 2, effective_at=NOW + 7 * DAY, now=NOW)
    assert (row.state, first_name()) == (VersionState.SCHEDULED, "Act now")
    assert turns.process_versions(now=NOW + 7 * DAY - timedelta(seconds=1)) == 0
    assert first_name() == "Act now"
    assert turns.process_versions(now=NOW + 7 * DAY) == 1
    assert first_name() == "Drop everything"
    states = dict(ProcessVersion.objects.values_list("number", "state"))
    assert states == {1: VersionState.SUPERSEDED, 2: VersionState.PUBLISHED}
    kinds = list(Entry.objects.order_by("seq").values_list("kind", flat=True))
    told = [kind for kind in kinds if kind.startswith("process.")]
    assert told == [
        Kind.PROCESS_PUBLISHED,
        Kind.PROCESS_PROPOSED,
        Kind.PROCESS_REVIEW_ASKED,
        Kind.PROCESS_REMARKED,
        Kind.PROCESS_SCHEDULED,
        Kind.PROCESS_PUBLISHED,
    ]


@pytest.mark.req("R-9.2.3-20")
def test_breaches_and_incidents_keep_the_version_of_their_time(clock: WoundClock) -> None:
    number, coach = reviewed()
    made = slo_worlds.objective(now=NOW - DAY)
    Breach.objects.create(objective=made, at=NOW, window=timedelta(hours=1), valid=10, bad=9, priority_state="unset")
    old = incidents.declare(SYSTEM, title="Slow", service="checkout", priority=1, now=NOW)
    actions.publish(coach, number, effective_at=NOW + DAY, now=NOW)
    turns.process_versions(now=NOW + DAY)
    later = NOW + 2 * DAY
    Breach.objects.create(objective=made, at=later, window=timedelta(hours=1), valid=10, bad=9, priority_state="unset")
    new = incidents.declare(SYSTEM, title="Slow again", service="checkout", priority=1, now=later)
    old.refresh_from_db()
    assert (old.process_version.number, new.process_version.number) == (1, 2)
    clock.wind_to(later)
    found = Caller("root", role=Role.ADMIN.value).must("GET", "/api/v1/slos/checkout-availability")["breaches"]
    assert [one["process_version"] for one in found] == [2, 1]
    assert queries.numbers_at([NOW - DAY, NOW + DAY, NOW + DAY - timedelta(seconds=1)]) == [None, 2, 1]


@pytest.mark.req("R-9.2.3-20")
def test_only_coaches_and_process_owners_propose_and_everybody_may_review() -> None:
    number, _ = reviewed()
    reader = worlds.actor("rea", role=Role.READER.value)
    actions.remark(reader, number, text="What about P2?", agrees=None, now=NOW)
    with pytest.raises(NotAllowed):
        actions.remark(worlds.actor("aud", role=Role.AUDITOR.value), number, text="", agrees=True, now=NOW)
    team_owner = worlds.actor("mara", in_team="tickets", is_owner=True, role=Role.TEAM_OWNER.value)
    for actor in (reader, team_owner):
        with pytest.raises(NotAllowed):
            actions.propose(actor, sections("x"), note="Mine", now=NOW)
        with pytest.raises(NotAllowed):
            actions.publish(actor, number, now=NOW)


def test_one_s_own_agreement_counts_for_nothing_and_an_objection_stands_until_it_is_taken_back() -> None:
    number, coach = reviewed()
    ops = worlds.actor("ops")
    with pytest.raises(Refused, match="somebody else"):
        actions.remark(coach, number, text="", agrees=True, now=NOW)
    with pytest.raises(Invalid):
        actions.remark(ops, number, text=" ", agrees=False, now=NOW)
    actions.remark(ops, number, text="Too loud at night", agrees=False, now=NOW)
    with pytest.raises(Refused, match="ops objects"):
        actions.publish(coach, number, now=NOW)
    actions.remark(ops, number, text="Fine after all", agrees=True, now=NOW)
    assert actions.publish(coach, number, now=NOW).state == VersionState.PUBLISHED


def test_a_proposal_that_changed_wants_new_agreement() -> None:
    number, coach = reviewed()
    changed = actions.propose(coach, sections("Stop everything"), note="Clearer still", number=number, now=NOW)
    assert (changed.number, changed.state) == (number, VersionState.DRAFT)
    actions.ask_for_review(coach, number, now=NOW)
    with pytest.raises(Refused, match="Nobody else has agreed"):
        actions.publish(coach, number, now=NOW)


def test_a_proposal_on_a_former_basis_and_a_second_one_that_waits_are_refused() -> None:
    number, coach = reviewed()
    process.publish_version(SYSTEM, {**default_document(), **sections("Other")}, note="Other", now=NOW)
    with pytest.raises(Conflict, match="came into force meanwhile"):
        actions.publish(coach, number, now=NOW)
    with pytest.raises(Invalid):
        actions.publish(coach, number, effective_at=NOW - DAY, now=NOW)


def test_what_waits_for_its_time_can_be_withdrawn_and_never_enters_force() -> None:
    number, coach = reviewed()
    actions.publish(coach, number, effective_at=NOW + DAY, now=NOW)
    with pytest.raises(Invalid):
        actions.withdraw(coach, number, reason=" ", now=NOW)
    actions.withdraw(coach, number, reason="Too soon", now=NOW)
    assert turns.process_versions(now=NOW + 2 * DAY) == 0
    assert first_name() == "Act now"
    with pytest.raises(Refused):
        actions.withdraw(coach, number, reason="again", now=NOW)


def test_faults_unknown_sections_and_no_change_leave_no_draft() -> None:
    coach, _, _ = people()
    broken = sections()
    broken["priorities"]["priorities"][0]["criteria"]["update_every_minutes"] = "soon"
    for wrong in (broken, {"nonsense": {}}):
        with pytest.raises(Invalid):
            actions.propose(coach, wrong, note="x", now=NOW)
    with pytest.raises(Invalid):
        actions.propose(coach, sections(), note=" ", now=NOW)
    with pytest.raises(Refused):
        actions.propose(coach, {"priorities": default_document()["priorities"]}, note="x", now=NOW)
    with pytest.raises(NotFound):
        actions.ask_for_review(coach, 9, now=NOW)
    assert ProcessVersion.objects.count() == 1


@pytest.mark.req("R-9.2.3-18")
def test_an_ambiguous_word_in_a_criterion_is_shown_to_those_who_review(clock: WoundClock) -> None:
    coach, _, _ = people()
    changed = copy.deepcopy(default_document()["priorities"])
    changed["criteria_texts"]["postmortem"] = "A postmortem follows serious incidents."
    row = actions.propose(coach, {"priorities": changed}, note="Wording", now=NOW)
    page = read(signed_in("ops"), f"/process/versions/{row.number}")
    assert "'serious'" in words(page, "advice")
    found = Caller("rita").must("GET", f"/api/v1/process/versions/{row.number}")["advice"]
    assert [one["where"] for one in found] == ["priorities.criteria_texts.postmortem"]


@pytest.mark.req("R-9.2.3-20")
def test_a_proposal_lives_its_life_on_pages(clock: WoundClock) -> None:
    people()
    coach = signed_in("cora")
    page = read(coach, "/process/propose/priorities")
    assert "Act now" in page
    assert not has(read(signed_in("ops"), "/process"), "propose")
    text = page.split('data-testid="proposal-text-input"')[0]
    assert text
    from html import unescape

    body = unescape(page.split("<textarea")[1].split(">", 1)[1].split("</textarea>")[0])
    wrong = coach.post("/process/propose/priorities", {"note": "x", "text": body.replace("rank: 1", "rank: one")})
    assert wrong.status_code == 422
    made = coach.post("/process/propose/priorities", {"note": "Louder", "text": body.replace("Act now", "Run")})
    assert made["Location"] == "/process/versions/2"
    coach.post("/process/versions/2/review")
    page = read(signed_in("ops"), "/process/versions/2")
    assert has(page, "agree")
    assert "Act now → Run" in words(page, "changes")
    assert not has(read(coach, "/process/versions/2"), "agree")
    signed_in("ops").post("/process/versions/2/remark", {"side": "agree", "text": "Good <b>"})
    assert "Good &lt;b&gt;" in read(coach, "/process/versions/2")
    coach.post("/process/versions/2/publish", {"effective_at": "2026-12-01T09:00"})
    assert "In force from" in words(read(coach, "/process/versions/2"), "proposal")
    assert ProcessVersion.objects.get(number=2).effective_at == datetime.fromisoformat("2026-12-01T09:00:00+00:00")
    assert "Version 1" in words(read(coach, "/process"), "process-version")
    turns.process_versions(now=datetime.fromisoformat("2026-12-01T09:00:00+00:00"))
    assert "Run" in words(read(coach, "/priorities"), "priority-P1")
    refused = coach.post("/process/versions/2/withdraw", {"reason": "x"}, follow=True)
    assert "is published, not" in refused.content.decode()
    assert signed_in("ops").post("/process/versions/2/publish").status_code == 403


@pytest.mark.django_db(transaction=True)
@pytest.mark.req("R-9.2.3-20")
def test_a_proposal_lives_its_life_by_words(shell: Shell, tmp_path: Any) -> None:
    import yaml

    from tocsin.people import actions as persons

    file = tmp_path / "change.yaml"
    file.write_text(yaml.safe_dump(sections()), encoding="utf-8")
    assert shell.json("process", "propose", str(file), "--note", "Clearer")["state"] == "draft"
    assert shell.json("process", "review", "2")["state"] == "in_review"
    refused = shell.run("process", "publish", "2")
    assert (refused.exit_code, refused.stdout) == (1, "")
    now = clocks.now()
    worlds.person("ops", now=now)
    _, token = persons.create_token(SYSTEM, username="ops", name="t", now=now)
    other = Shell(shell._environment["TOCSIN_URL"], token)
    assert other.json("process", "remark", "2", "--agree")["agrees"] is True
    later = (now + DAY).isoformat()
    assert shell.json("process", "publish", "2", "--at", later)["state"] == "scheduled"
    assert [one["state"] for one in shell.json("process", "versions")["items"]] == ["scheduled", "published"]
    assert shell.json("process", "version", "2")["changes"][0]["after"] == "Drop everything"
    assert shell.json("process", "withdraw", "2", "--reason", "Too soon")["state"] == "withdrawn"
    file.write_text("- x\n", encoding="utf-8")
    assert shell.run("process", "propose", str(file), "--note", "x").exit_code == 1
