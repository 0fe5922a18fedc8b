"""The people of the process: reviewers out of the rotations, notices that are read, surveys, trainings, briefings."""

from __future__ import annotations

from datetime import date, datetime, timedelta
from typing import Any

import pytest

from tests.domains import worlds
from tests.domains.test_process_proposals import sections
from tests.domains.worlds import NOW
from tests.edges.api_client import Caller
from tocsin.audit.models import Entry
from tocsin.core.access import SYSTEM, Role
from tocsin.core.errors import Invalid, NotAllowed, NotFound, Refused
from tocsin.core.facts import Kind
from tocsin.engine import turns
from tocsin.insights import process_people
from tocsin.oncall import actions as oncall
from tocsin.people import actions as people
from tocsin.platform.clock import WoundClock
from tocsin.platform.models import OutboxMessage
from tocsin.process import actions as process
from tocsin.process import briefing_actions, proposal_actions, queries, review_actions, survey_actions
from tocsin.process.models import ProcessVersion

pytestmark = pytest.mark.django_db

DAY = timedelta(days=1)
ROLE = "incident_coordinator"


def rotation(*names: str, name: str = "first", start: datetime = NOW - 30 * DAY, role: str = ROLE) -> Any:
    """A rotation of one person a day since `start`."""
    for one in names:
        worlds.person(one)
    turn = {"unit": "day", "every": 1}
    layer = {"name": "a", "start": start.isoformat(), "rotation": turn, "users": [[one] for one in names]}
    document = {"name": name, "time_zone": "UTC", "layers": [layer], "role": role}
    return oncall.save_rotation(SYSTEM, document, now=NOW)


def coach() -> Any:
    worlds.process()
    return worlds.actor("cora", role=Role.COACH.value)


def drafted(author: Any) -> int:
    return proposal_actions.propose(author, sections(), note="Clearer", now=NOW).number


def mails(kind: str = "process") -> list[tuple[str, str]]:
    rows = OutboxMessage.objects.filter(kind=kind).order_by("pk")
    return [(row.address, row.payload["subject"]) for row in rows]


class TestReview:
    @pytest.mark.req("R-9.3.10-6")
    def test_reviewers_are_everyone_who_has_been_on_call_so_far(self) -> None:
        author = coach()
        rotation("ann", "bob")
        rotation("cem", "dan", name="second", start=NOW - DAY / 2)  # only cem's turn has begun
        rotation("eve", "ann")  # the first one is replaced: bob is in no rotation any more
        oncall.add_override(
            SYSTEM, rotation="second", users=["dan"], starts_at=NOW + DAY, ends_at=NOW + 2 * DAY, now=NOW
        )
        assert process_people.ever_on_call(author, now=NOW) == ["ann", "bob", "cem", "eve"]
        assert process_people.ever_on_call(author, now=NOW + DAY) == ["ann", "bob", "cem", "dan", "eve"]
        people.disable_person(SYSTEM, username="bob", now=NOW)
        assert process_people.ever_on_call(author, now=NOW) == ["ann", "cem", "eve"]

    @pytest.mark.req("R-9.3.10-6")
    def test_publishing_wants_every_answer_or_the_end_of_the_time_to_answer(self, clock: WoundClock) -> None:
        author = coach()
        rotation("ann", "bob")
        number = drafted(author)
        reviewers = process_people.ever_on_call(author, now=NOW)
        row = proposal_actions.ask_for_review(author, number, reviewers=reviewers, now=NOW)
        assert row.review_ends_at == NOW + 7 * DAY
        assert {address for address, _ in mails()} == {"ann@harbor.example", "bob@harbor.example"}
        ann = worlds.actor("ann")
        proposal_actions.remark(ann, number, text="Yes", agrees=True, now=NOW)
        with pytest.raises(Refused, match="bob have not answered yet") as refused:
            proposal_actions.publish(author, number, now=NOW + DAY)
        assert refused.value.reason == "review_not_over"
        shown = Caller("rita").must("GET", f"/api/v1/process/versions/{number}/people")
        assert shown["invited"] == [{"person": "ann", "answered": True}, {"person": "bob", "answered": False}]
        # Everybody sees what was said, whoever they are.
        remarks = Caller("rita").must("GET", f"/api/v1/process/versions/{number}")["remarks"]
        assert [(one["author"], one["text"]) for one in remarks] == [("ann", "Yes")]
        proposal_actions.publish(author, number, now=NOW + 7 * DAY)
        assert queries.current_version().number == number
        assert [name for name, _ in queries.approvers(queries.current_version())] == ["ann"]

    def test_all_answers_end_a_review_before_its_time_and_the_author_is_not_invited(self) -> None:
        author = coach()
        rotation("ann", "cora")
        number = drafted(author)
        proposal_actions.ask_for_review(
            author, number, reviewers=process_people.ever_on_call(author, now=NOW), ends_at=NOW + DAY, now=NOW
        )
        assert [person.username for person in queries.not_answered(queries.version(author, number))] == ["ann"]
        proposal_actions.remark(worlds.actor("ann"), number, text="", agrees=True, now=NOW)
        proposal_actions.publish(author, number, now=NOW)

    def test_a_time_to_answer_that_has_passed_is_refused(self) -> None:
        author = coach()
        number = drafted(author)
        with pytest.raises(Invalid):
            proposal_actions.ask_for_review(author, number, ends_at=NOW, now=NOW)


def published(author: Any, *, effective_at: datetime | None = None) -> int:
    number = drafted(author)
    proposal_actions.ask_for_review(author, number, now=NOW)
    proposal_actions.remark(worlds.actor("ops"), number, text="", agrees=True, now=NOW)
    told = process_people.responders(author, now=NOW)
    proposal_actions.publish(author, number, effective_at=effective_at, responders=told, now=NOW)
    return number


class TestNotices:
    @pytest.mark.req("R-9.3.10-8")
    def test_responders_are_told_before_a_version_applies_and_the_list_says_who_has_read_it(
        self, clock: WoundClock
    ) -> None:
        author = coach()
        rotation("ann", "bob")
        number = published(author, effective_at=NOW + 7 * DAY)
        assert queries.current_version().number == 1  # it does not apply yet, and they know
        assert {address for address, _ in mails()} == {"ann@harbor.example", "bob@harbor.example"}
        assert all("from 2026-11-30 02:12 UTC" in subject for _, subject in mails())
        clock.wind_to(NOW + DAY)
        Caller("ann", now=NOW).must("POST", f"/api/v1/process/versions/{number}/acknowledge")
        clock.wind_to(NOW + 2 * DAY)
        Caller("ann", now=NOW).must("POST", f"/api/v1/process/versions/{number}/acknowledge")  # the first time stays
        shown = Caller("rita").must("GET", f"/api/v1/process/versions/{number}/people")["notices"]
        assert [(one["person"], one["read_at"]) for one in shown] == [("ann", "2026-11-24T02:12:00Z"), ("bob", None)]
        assert Caller("rita").ask("POST", f"/api/v1/process/versions/{number}/acknowledge")[0] == 404
        assert Entry.objects.filter(kind=Kind.PROCESS_ACKNOWLEDGED).count() == 1

    def test_nobody_is_told_twice(self) -> None:
        author = coach()
        rotation("ann")
        published(author, effective_at=NOW + DAY)
        turns.process_versions(now=NOW + DAY)
        assert len(mails()) == 1


class TestYearlyLook:
    @pytest.mark.req("R-9.8-1")
    def test_the_engine_reminds_after_a_year_once_and_a_look_starts_the_year_anew(self) -> None:
        owner = worlds.actor("olga", role=Role.PROCESS_OWNER.value)
        worlds.process()
        year = timedelta(days=365)
        assert turns.process_versions(now=NOW + year - timedelta(seconds=1)) == 0
        assert turns.process_versions(now=NOW + year) == 1
        assert turns.process_versions(now=NOW + year + DAY) == 0
        assert mails() == [("olga@harbor.example", "Our process is due for its yearly review (version 1)")]
        looked = review_actions.look_again(
            owner, note="Went through it with operations; it fits.", now=NOW + year + DAY
        )
        assert looked.version.review_due_at == NOW + 2 * year + DAY
        assert turns.process_versions(now=NOW + 2 * year + DAY) == 1
        assert len(mails()) == 2
        with pytest.raises(Invalid):
            review_actions.look_again(owner, note=" ", now=NOW)
        with pytest.raises(NotAllowed):
            review_actions.look_again(worlds.actor("ops"), note="Fits", now=NOW)

    def test_a_superseded_version_reminds_of_nothing(self) -> None:
        worlds.process()
        document = {**queries.version(SYSTEM, 1).document, **sections()}
        process.publish_version(SYSTEM, document, note="Clearer", now=NOW + 300 * DAY)
        assert turns.process_versions(now=NOW + 366 * DAY) == 0


class TestSurvey:
    @pytest.mark.req("R-9.3.2-3")
    def test_everyone_who_has_been_on_call_is_asked_for_a_draft_before_its_answers_are_fixed(
        self, clock: WoundClock
    ) -> None:
        author = coach()
        rotation("ann", "bob")
        number = drafted(author)
        cora = Caller("cora")
        until = (NOW + 5 * DAY).isoformat()
        made = cora.must("POST", f"/api/v1/process/proposals/{number}/survey", {"closes_at": until})
        assert (made["number"], made["asked"], made["replies"]) == (number, ["ann", "bob"], [])
        assert len(mails()) == 2
        code = made["questions"][0]["code"]
        said = {"answers": {code: "Whoever shouted loudest"}}
        Caller("ann").must("POST", f"/api/v1/process/surveys/{made['id']}", said)
        assert Caller("rita").ask("POST", f"/api/v1/process/surveys/{made['id']}", said)[0] == 404
        found = cora.must("GET", f"/api/v1/process/proposals/{number}/survey")["replies"]
        assert [(one["person"], one["answers"]) for one in found] == [("ann", {code: "Whoever shouted loudest"})]
        # What people said about colleagues is not in the log that everybody may ask for.
        entry = Entry.objects.get(kind=Kind.SURVEY_ANSWERED)
        assert "shouted" not in str(entry.data)
        clock.wind_to(NOW + 5 * DAY)
        assert Caller("bob").ask("POST", f"/api/v1/process/surveys/{made['id']}", said)[0] == 409

    def test_a_survey_is_refused_for_what_is_fixed_for_nobody_and_twice(self) -> None:
        author = coach()
        later = NOW + DAY
        with pytest.raises(Refused, match="fixed"):
            survey_actions.open_survey(author, 1, respondents=["ann"], closes_at=later, now=NOW)
        number = drafted(author)
        with pytest.raises(Refused, match="nobody to ask"):
            survey_actions.open_survey(author, number, respondents=[], closes_at=later, now=NOW)
        worlds.person("ann")
        survey = survey_actions.open_survey(author, number, respondents=["ann"], closes_at=later, now=NOW)
        with pytest.raises(Refused, match="already"):
            survey_actions.open_survey(author, number, respondents=["ann"], closes_at=later, now=NOW)
        for answers in ({"nothing": "x"}, {}, {"who-decided": " "}, {"who-decided": "x" * 2001}):
            with pytest.raises(Invalid):
                survey_actions.answer_survey(worlds.actor("ann"), survey.pk, answers=answers, now=NOW)
        with pytest.raises(NotFound):
            survey_actions.answer_survey(worlds.actor("ann"), 99, answers={"who-decided": "x"}, now=NOW)


class TestSizing:
    @pytest.mark.req("R-9.3.2-5")
    def test_a_draft_keeps_what_the_organisation_is_like_and_why_its_roles_fit(self, clock: WoundClock) -> None:
        author = coach()
        number = drafted(author)
        body = {"answers": {"teams": 40, "existing": "A duty phone"}, "scheme": "six-role", "reason": "Hours of calls"}
        cora = Caller("cora")
        cora.must("PUT", f"/api/v1/process/proposals/{number}/sizing", body)
        kept = cora.must("GET", f"/api/v1/process/versions/{number}/people")["sizing"]
        assert (kept["answers"], kept["scheme"]) == ({"teams": "40", "existing": "A duty phone"}, "six-role")
        assert (kept["reason"], kept["by"]) == ("Hours of calls", "cora")
        row = ProcessVersion.objects.get(number=number)
        before = row.sizing
        for wrong in (
            {**body, "reason": " "},
            {**body, "scheme": "nine-role"},
            {**body, "answers": {"teams": "many"}},
            {**body, "answers": {"weather": "fine"}},
        ):
            assert cora.ask("PUT", f"/api/v1/process/proposals/{number}/sizing", wrong)[0] == 422
        row.refresh_from_db()
        assert row.sizing == before


class TestTraining:
    @pytest.mark.req("R-9.3.7-6")
    def test_entering_somebody_into_a_rotation_warns_when_training_or_a_skill_is_missing(
        self, clock: WoundClock
    ) -> None:
        worlds.process()
        root = Caller("root", role=Role.ADMIN.value)
        for name in ("ann", "bob", "cem"):
            worlds.person(name)
        people.record_training(SYSTEM, username="ann", subject=ROLE, on=date(2026, 5, 4), now=NOW)
        people.record_training(
            SYSTEM, username="cem", subject=ROLE, on=date(2025, 5, 4), valid_until=date(2026, 5, 3), now=NOW
        )
        turn = {"unit": "day", "every": 1}
        layer = {"name": "a", "start": NOW.isoformat(), "rotation": turn, "users": [["ann"], ["bob"], ["cem"]]}
        document = {"name": "first", "time_zone": "UTC", "layers": [layer], "role": ROLE}
        answer = root.must("POST", "/api/v1/oncall", document)
        assert answer["warnings"] == [
            "bob has no training date as Incident coordinator.",
            "cem: the training as Incident coordinator ran out on 2026-05-03.",
        ]
        skills = queries.current().roles.by_code(ROLE).skills  # type: ignore[union-attr]
        for skill in skills[:-1]:
            people.record_training(SYSTEM, username="bob", subject=skill, on=date(2026, 5, 4), now=NOW)
        [first, _] = root.must("POST", "/api/v1/oncall", document)["warnings"]
        assert first == f"bob lacks for Incident coordinator: {skills[-1]}."
        people.record_training(SYSTEM, username="bob", subject=skills[-1].upper(), on=date(2026, 5, 4), now=NOW)
        assert len(root.must("POST", "/api/v1/oncall", document)["warnings"]) == 1

    def test_days_that_do_not_fit_and_people_who_may_not_are_refused(self) -> None:
        worlds.process()
        owner = worlds.actor("tom", in_team="tickets", is_owner=True)
        worlds.person("ann", in_team="tickets")
        people.record_training(owner, username="ann", subject=ROLE, on=NOW.date(), team="tickets", now=NOW)
        with pytest.raises(NotAllowed):
            people.record_training(owner, username="ann", subject=ROLE, on=NOW.date(), now=NOW)
        for wrong in ({"on": date(2026, 12, 24)}, {"on": NOW.date(), "valid_until": NOW.date()}, {"subject": " "}):
            given: Any = {"subject": ROLE, "on": NOW.date(), **wrong}
            with pytest.raises(Invalid):
                people.record_training(SYSTEM, username="ann", now=NOW, **given)
        assert Entry.objects.filter(kind=Kind.TRAINING_RECORDED).count() == 1


class TestBriefing:
    @pytest.mark.req("R-9.3.5-7")
    def test_leaders_are_listed_with_their_acknowledgement_and_those_who_miss_it_are_reported(
        self, clock: WoundClock
    ) -> None:
        author = coach()
        for name in ("vera", "walt"):
            process.add_group_member(SYSTEM, group="management", email=f"{name}@harbor.example", name=name, now=NOW)
        worlds.person("vera")
        found = Caller("rita").must("GET", "/api/v1/process/briefings")
        assert found["missing"] == ["vera@harbor.example", "walt@harbor.example"]
        briefing_actions.brief(author, email="vera@harbor.example", now=NOW)
        Caller("vera").must("POST", "/api/v1/process/briefings/acknowledge", {"email": "vera@harbor.example"})
        found = Caller("rita").must("GET", "/api/v1/process/briefings")
        assert [(one["name"], one["acknowledged_at"]) for one in found["items"]] == [
            ("walt", None),
            ("vera", "2026-11-23T02:12:00Z"),
        ]
        assert found["missing"] == ["walt@harbor.example"]
        body = {"email": "walt@harbor.example"}
        assert Caller("rita").ask("POST", "/api/v1/process/briefings/acknowledge", body)[0] == 403
        assert Caller("cora").ask("POST", "/api/v1/process/briefings/acknowledge", body)[0] == 404
        assert Caller("cora").ask("POST", "/api/v1/process/briefings", {"email": "rita@harbor.example"})[0] == 404
        briefing_actions.brief(author, email="vera@harbor.example", now=NOW + DAY)  # the next briefing wants its own
        assert len(Caller("rita").must("GET", "/api/v1/process/briefings")["missing"]) == 2
