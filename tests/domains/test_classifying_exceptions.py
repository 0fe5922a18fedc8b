"""Deciding against the rule is possible, with a reason, and stays visible; going back never leads where nobody went."""

from __future__ import annotations

import pytest

from tests.core.process_samples import document_with
from tests.domains import incident_worlds as world
from tests.domains.incident_worlds import MINUTE, House
from tocsin.audit.models import Entry
from tocsin.core.access import SYSTEM
from tocsin.core.errors import Invalid, Refused
from tocsin.core.facts import Kind
from tocsin.incidents import actions
from tocsin.incidents.models import Page, Suggestion
from tocsin.insights import adherence
from tocsin.platform.models import OutboxMessage, OutboxState
from tocsin.process import actions as processes

pytestmark = pytest.mark.django_db


@pytest.fixture
def house() -> House:
    return House()


class TestAgainstTheFacts:
    @pytest.mark.req("R-9.3.5-1")
    def test_one_important_customer_and_one_team_may_be_critical_as_an_exception_with_a_reason(
        self, house: House
    ) -> None:
        incident = house.declare(priority=1)
        actions.state_scope(house.ada, incident.ref, {"users_share": "0.01", "teams_needed": 1}, now=house.now)
        with pytest.raises(Invalid) as wrong:
            actions.change_severity(house.ada, incident.ref, severity="critical", now=house.now)
        assert "reason" in wrong.value.fields
        assert world.fresh(incident).severity == "warning"
        actions.change_severity(
            house.ada, incident.ref, severity="critical", reason="our first customer", now=house.now
        )
        [told] = world.entries(incident, Kind.SEVERITY_CHANGED)
        assert (told["exception"], told["against"], told["rule_says"]) == (True, ["criteria"], "warning")
        assert told["reason"] == "our first customer"

    def test_in_doubt_the_higher_one_is_no_exception(self, house: House) -> None:
        incident = house.declare(priority=1)
        actions.change_severity(house.ada, incident.ref, severity="critical", now=house.now)
        [told] = world.entries(incident, Kind.SEVERITY_CHANGED)
        assert "exception" not in told

    def test_keeping_one_team_while_two_are_needed_is_an_exception_too(self, house: House) -> None:
        incident = house.declare(priority=1)
        actions.state_scope(house.ada, incident.ref, {"teams_needed": 2}, now=house.now)
        with pytest.raises(Invalid):
            actions.answer_suggestion(house.ada, incident.ref, "severity", accept=False, now=house.now)
        actions.answer_suggestion(
            house.ada, incident.ref, "severity", accept=False, reason="for a minute only", now=house.now
        )
        [told] = world.entries(incident, Kind.SEVERITY_CONFIRMED)
        assert (told["severity"], told["exception"], told["rule_says"]) == ("warning", True, "error")
        assert Suggestion.objects.get(subject="severity").state == "declined"


class TestNeverPairs:
    def test_without_the_word_it_is_refused_with_the_nearest_pairs_and_with_it_it_is_kept(self, house: House) -> None:
        incident = house.declare(priority=3)
        with pytest.raises(Refused, match=r"P2 and critical, P3 and error.*exception"):
            actions.change_severity(house.ada, incident.ref, severity="critical", reason="wide", now=house.now)
        with pytest.raises(Invalid):
            actions.change_severity(house.ada, incident.ref, severity="critical", exception=True, now=house.now)
        actions.change_severity(
            house.ada, incident.ref, severity="critical", reason="a drill", exception=True, now=house.now
        )
        [told] = world.entries(incident, Kind.SEVERITY_CHANGED)
        assert (told["exception"], told["against"]) == (True, ["matrix"])

    def test_the_check_of_the_process_counts_it_and_tells_the_reason(self, house: House) -> None:
        incident = house.declare(priority=3)
        house.pass_time(MINUTE)
        actions.change_severity(
            house.ada, incident.ref, severity="critical", reason="a drill", exception=True, now=house.now
        )
        house.pass_time(MINUTE)
        found = adherence.of_incident(house.admin, incident.number, now=house.now).outcomes["AC04"]
        assert found.why == "P3 and critical do not go together in this process. Set as an exception: a drill."

    def test_a_priority_enters_one_in_the_same_way(self, house: House) -> None:
        incident = house.declare(priority=2, severity="critical")
        with pytest.raises(Refused):
            actions.change_priority(house.ada, incident.ref, priority=3, reason="few", now=house.now)
        actions.change_priority(house.ada, incident.ref, priority=3, reason="few", exception=True, now=house.now)
        [told] = world.entries(incident, Kind.PRIORITY_CHANGED)
        assert told["exception"] is True

    def test_a_process_that_grants_no_exceptions_refuses_them(self, house: House) -> None:
        document = document_with("matrix.exceptions", "none")
        processes.publish_version(SYSTEM, document, note="no exceptions", now=house.now)
        incident = house.declare(priority=3)
        with pytest.raises(Refused) as no:
            actions.change_severity(
                house.ada, incident.ref, severity="critical", reason="x", exception=True, now=house.now
            )
        assert "exception" not in no.value.message


class TestGoingBack:
    def test_taking_back_never_leads_to_a_pair_that_never_stood(self, house: House) -> None:
        incident = house.declare(priority=3)
        actions.change_severity(house.ada, incident.ref, severity="error", reason="two teams", now=house.now)
        actions.change_priority(house.ada, incident.ref, priority=2, reason="worse", now=house.now)
        seq = _seq(incident.ref, Kind.PRIORITY_CHANGED)
        actions.change_severity(house.ada, incident.ref, severity="critical", reason="three", now=house.now)
        with pytest.raises(Refused, match="P3 and critical"):
            actions.undo(house.ada, incident.ref, seq, now=house.now)
        assert (world.fresh(incident).priority, world.fresh(incident).severity) == (2, "critical")

    def test_taking_back_leads_back_into_an_exception_that_stood(self, house: House) -> None:
        incident = house.declare(priority=3)
        actions.change_severity(
            house.ada, incident.ref, severity="critical", reason="a drill", exception=True, now=house.now
        )
        actions.change_priority(house.ada, incident.ref, priority=2, reason="worse", now=house.now)
        back = actions.undo(house.ada, incident.ref, _seq(incident.ref, Kind.PRIORITY_CHANGED), now=house.now)
        assert (back.priority, back.severity) == (3, "critical")
        assert world.entries(incident, Kind.PRIORITY_CHANGED)[-1]["exception"] is True

    def test_who_was_asked_hears_that_it_was_taken_back_and_the_entry_says_what_had_left(self, house: House) -> None:
        house.rotation("coordinators", "incident_coordinator", "cora")
        house.rotation("communicators", "incident_communicator", "mia")
        incident = house.declare(priority=1)
        house.pass_time(MINUTE)
        actions.change_severity(house.ada, incident.ref, severity="critical", now=house.now)
        cora = OutboxMessage.objects.filter(subject_kind="page", payload__to_name="cora", kind="role")
        cora.update(state=OutboxState.SENT, sent_at=house.now)
        house.pass_time(MINUTE / 6)
        actions.undo(house.ada, incident.ref, _seq(incident.ref, Kind.SEVERITY_CHANGED), now=house.now)
        [mail] = world.mails("stand_down")
        assert (mail.payload["to_name"], "not needed" in mail.payload["subject"]) == ("cora", True)
        assert not OutboxMessage.objects.filter(kind="role", state=OutboxState.QUEUED).exists()
        assert set(Page.objects.filter(kind="role").values_list("answer", flat=True)) == {"called_off"}
        [told] = world.entries(incident, Kind.INCIDENT_UNDONE)
        assert told["sent_to"] == ["cora"]


class TestLate:
    @pytest.mark.req("R-9.2.2-4")
    def test_lowering_after_the_end_or_twice_is_flagged_and_not_blocked(self, house: House) -> None:
        twice, after = house.declare(priority=1), house.declare(priority=1)
        for rank in (2, 3):
            actions.change_priority(house.ada, twice.ref, priority=rank, reason="fewer", now=house.now)
        assert [told.get("late") for told in world.entries(twice, Kind.PRIORITY_CHANGED)] == [None, "more_than_once"]
        actions.acknowledge(house.ada, after.ref, now=house.now)
        actions.resolve(house.ada, after.ref, category="deploy", now=house.now + MINUTE)
        lowered = actions.change_priority(
            house.ada, after.ref, priority=2, reason="it was small", now=house.now + 2 * MINUTE
        )
        assert lowered.priority == 2
        assert world.entries(after, Kind.PRIORITY_CHANGED)[0]["late"] == "after_the_end"

    def test_what_was_taken_back_does_not_count(self, house: House) -> None:
        incident = house.declare(priority=1)
        actions.change_priority(house.ada, incident.ref, priority=2, reason="fewer", now=house.now)
        actions.undo(house.ada, incident.ref, _seq(incident.ref, Kind.PRIORITY_CHANGED), now=house.now)
        actions.change_priority(house.ada, incident.ref, priority=2, reason="fewer", now=house.now)
        assert "late" not in world.entries(incident, Kind.PRIORITY_CHANGED)[-1]


def _seq(ref: str, kind: Kind) -> int:
    return Entry.objects.filter(incident=ref, kind=kind).order_by("-seq").values_list("seq", flat=True)[0]


class TestDeclaring:
    def test_a_pair_that_never_goes_together_needs_the_word_and_the_reason(self, house: House) -> None:
        pair = {"priority": 4, "severity": "critical"}
        with pytest.raises(Refused, match="Nearest allowed"):
            house.declare(**pair, reason="they insist")
        with pytest.raises(Invalid) as wrong:
            house.declare(**pair, exception=True)
        assert "reason" in wrong.value.fields
        incident = house.declare(**pair, exception=True, reason="they insist")
        [told] = world.entries(incident, Kind.INCIDENT_DECLARED)
        assert (told["exception"], told["against"], told["reason"]) == (True, ["matrix"], "they insist")
        assert (incident.priority, incident.severity) == (4, "critical")

    def test_a_process_without_exceptions_refuses_it_always(self, house: House) -> None:
        processes.publish_version(SYSTEM, document_with("matrix.exceptions", "none"), note="No", now=house.now)
        with pytest.raises(Refused):
            house.declare(priority=4, severity="critical", exception=True, reason="they insist")

    @pytest.mark.parametrize("words", [{"reason": "a drill"}, {"description": "a drill"}])
    def test_a_pair_with_a_condition_takes_a_reason_or_else_the_description(
        self, house: House, words: dict[str, str]
    ) -> None:
        pair = {"priority": 4, "severity": "error"}
        with pytest.raises(Refused, match="Give the reason"):
            house.declare(**pair)
        incident = house.declare(**pair, **words)
        [told] = world.entries(incident, Kind.INCIDENT_DECLARED)
        assert told["reason"] == "a drill"
        assert "exception" not in told
