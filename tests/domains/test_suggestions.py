"""What is known of the size of an incident suggests a severity and a priority; people answer, and both are kept."""

from __future__ import annotations

from typing import Any

import pytest

from tests.core.process_samples import document_with
from tests.domains import incident_worlds as world
from tests.domains import worlds
from tests.domains.incident_worlds import House
from tocsin.core.access import SYSTEM
from tocsin.core.errors import Invalid, NotFound, Refused
from tocsin.core.facts import Kind
from tocsin.incidents import actions, known_facts
from tocsin.incidents.models import Incident, Page, Suggestion
from tocsin.process import actions as processes

pytestmark = pytest.mark.django_db


@pytest.fixture
def house() -> House:
    return House()


def waiting(incident: Incident) -> dict[str, str]:
    return {subject: row.value for subject, row in known_facts.open_suggestions(incident).items()}


class TestScope:
    @pytest.mark.req("R-9.3.4-4")
    def test_the_worst_criterion_is_suggested_with_the_arithmetic_of_each(self, house: House) -> None:
        incident = house.declare(priority=1)
        actions.state_scope(house.ada, incident.ref, {"users_share": "0.10", "teams_needed": 3}, now=house.now)
        row = Suggestion.objects.get(subject="severity")
        assert (row.value, row.state) == ("critical", "open")
        assert row.basis == [
            "Users affected: 10 % is less than 40 %, so warning",
            "Teams needed: 3 is 3 or more, so critical",
        ]
        told = world.entries(incident, Kind.SUGGESTION_MADE)[0]
        assert (told["subject"], told["value"]) == ("severity", "critical")

    def test_what_is_stated_changes_that_only_and_none_takes_it_back(self, house: House) -> None:
        incident = house.declare(priority=1)
        actions.state_scope(house.ada, incident.ref, {"users_share": "0.45"}, now=house.now)
        actions.state_scope(house.ada, incident.ref, {"teams_needed": 3}, now=house.now)
        assert waiting(incident) == {"severity": "critical", "complex": "yes"}
        actions.state_scope(house.ada, incident.ref, {"teams_needed": None}, now=house.now)
        assert waiting(incident) == {"severity": "error"}
        actions.state_scope(house.ada, incident.ref, {"users_share": None}, now=house.now)
        assert waiting(incident) == {}
        states = Suggestion.objects.order_by("id").values_list("value", "state")
        assert ("critical", "overtaken") in list(states)

    @pytest.mark.parametrize(
        "stated",
        [
            {"users_share": "1.2"},
            {"users_share": "-0.1"},
            {"users_share": "NaN"},
            {"users_share": "half"},
            {"teams_needed": 0},
            {"teams_needed": "two"},
            {"teams_needed": 100},
            {"signs": {"customer_tier": True}},
            {"signs": {"crowded_call": "yes"}},
            {"signs": ["crowded_call"]},
            {"customer_tier": "gold"},
        ],
    )
    def test_anything_else_is_refused_by_its_place_and_nothing_is_written(
        self, house: House, stated: dict[str, Any]
    ) -> None:
        incident = house.declare(priority=1)
        with pytest.raises(Invalid):
            actions.state_scope(house.ada, incident.ref, stated, now=house.now)
        assert world.entries(incident, Kind.SCOPE_STATED) == []
        assert known_facts.known(incident).users_share is None

    @pytest.mark.req("R-9.3.1-2")
    def test_any_yes_to_a_sign_suggests_that_it_is_complex_and_nothing_more(self, house: House) -> None:
        incident = house.declare(priority=2)
        actions.state_scope(house.ada, incident.ref, {"signs": {"crowded_call": False}}, now=house.now)
        assert waiting(incident) == {}
        for sign in ("crowded_call", "several_experts", "several_symptoms"):
            actions.state_scope(house.ada, incident.ref, {"signs": {sign: True}}, now=house.now)
            assert waiting(incident) == {"complex": "yes"}
            assert world.fresh(incident).complex is False


class TestAnswers:
    @pytest.mark.req("R-9.3.1-3")
    @pytest.mark.parametrize(("accept", "rank", "state"), [(True, 1, "accepted"), (False, 2, "declined")])
    def test_the_highest_priority_is_suggested_for_what_is_complex_and_not_forced(
        self, house: House, accept: bool, rank: int, state: str
    ) -> None:
        incident = house.declare(priority=2)
        actions.mark_complex(house.ada, incident.ref, is_complex=True, now=house.now)
        assert waiting(incident) == {"priority": "1"}
        assert world.fresh(incident).priority == 2
        actions.answer_suggestion(house.ada, incident.ref, "priority", accept=accept, now=house.now)
        assert world.fresh(incident).priority == rank
        row = Suggestion.objects.get(subject="priority")
        assert (row.state, row.answered_by, row.answered_at) == (state, "ada", house.now)
        [told] = world.entries(incident, Kind.SUGGESTION_ANSWERED)
        assert (told["subject"], told["value"], told["accepted"]) == ("priority", "P1", accept)

    def test_what_was_declined_comes_back_only_with_other_facts(self, house: House) -> None:
        incident = house.declare(priority=1)
        actions.state_scope(house.ada, incident.ref, {"teams_needed": 2}, now=house.now)
        actions.answer_suggestion(house.ada, incident.ref, "severity", accept=False, reason="brief", now=house.now)
        actions.state_scope(house.ada, incident.ref, {"signs": {"crowded_call": True}}, now=house.now)
        assert "severity" not in waiting(incident)
        actions.state_scope(house.ada, incident.ref, {"teams_needed": 3}, now=house.now)
        assert waiting(incident)["severity"] == "critical"

    def test_setting_what_is_suggested_accepts_it(self, house: House) -> None:
        incident = house.declare(priority=1)
        actions.state_scope(house.ada, incident.ref, {"teams_needed": 2}, now=house.now)
        actions.change_severity(house.ada, incident.ref, severity="error", now=house.now)
        assert Suggestion.objects.get(subject="severity").state == "accepted"

    def test_nothing_waits_is_said(self, house: House) -> None:
        incident = house.declare(priority=1)
        with pytest.raises(NotFound, match="severity"):
            actions.answer_suggestion(house.ada, incident.ref, "severity", accept=True, now=house.now)


class TestTeams:
    @pytest.mark.req("R-9.3.1-1")
    def test_paging_a_second_team_makes_it_complex_and_asks_for_the_severity(self, house: House) -> None:
        worlds.person("dana", in_team="payments", now=house.now)
        incident = house.declare(priority=2)
        actions.escalate_to_team(house.ada, incident.ref, team="payments", reason="your queue", now=house.now)
        assert world.fresh(incident).complex is True
        assert waiting(incident) == {"severity": "error", "priority": "1"}

    def test_naming_a_second_team_does_the_same_and_wakes_nobody_while_one_team_responds(self, house: House) -> None:
        worlds.person("dana", in_team="payments", now=house.now)
        incident = house.declare(priority=2)
        actions.name_team(house.ada, incident.ref, "payments", now=house.now)
        actions.name_team(house.ada, incident.ref, "payments", now=house.now)
        assert world.fresh(incident).complex is True
        assert len(world.entries(incident, Kind.TEAM_NAMED)) == 1
        assert not Page.objects.filter(person__username="dana").exists()
        with pytest.raises(Invalid):
            actions.name_team(house.ada, incident.ref, "nobody", now=house.now)

    @pytest.mark.req("R-9.3.4-3")
    def test_the_gravest_severity_asks_coordinator_communicator_and_the_experts_of_all_named_teams_at_once(
        self, house: House
    ) -> None:
        house.rotation("coordinators", "incident_coordinator", "cora")
        house.rotation("communicators", "incident_communicator", "mia")
        for name, team in (("dana", "payments"), ("eli", "billing")):
            worlds.person(name, in_team=team, now=house.now)
        incident = house.declare(priority=1)
        for team in ("payments", "billing"):
            actions.name_team(house.ada, incident.ref, team, now=house.now)
        already = set(Page.objects.values_list("person__username", flat=True))
        actions.answer_suggestion(house.ada, incident.ref, "severity", accept=True, now=house.now)
        asked = Page.objects.exclude(person__username__in=already)
        assert set(asked.values_list("person__username", flat=True)) == {"cora", "mia", "dana", "eli"}
        assert {page.created_at for page in asked} == {house.now}
        assert {mail.payload["to_name"] for mail in world.mails("role")} == {"cora", "mia", "dana", "eli"}
        assert all(mail.not_before == house.now for mail in world.mails("role"))

    def test_a_team_named_while_the_response_is_coordinated_is_asked_at_once(self, house: House) -> None:
        worlds.person("dana", in_team="payments", now=house.now)
        incident = house.declare(priority=1, severity="error")
        actions.name_team(house.ada, incident.ref, "payments", now=house.now)
        assert Page.objects.filter(person__username="dana", kind="role").count() == 1
        actions.change_severity(house.ada, incident.ref, severity="critical", now=house.now)
        assert Page.objects.filter(person__username="dana").count() == 1

    def test_whoever_comes_from_another_team_holds_the_role_for_it(self, house: House) -> None:
        worlds.person("dana", in_team="payments", now=house.now)
        incident = house.declare(priority=1, severity="error")
        actions.name_team(house.ada, incident.ref, "payments", now=house.now)
        [mail] = [one for one in world.mails("role") if one.payload["to_name"] == "dana"]
        actions.take_page(world.token_of(mail), now=house.now)
        held = incident.roles_held.get(person__username="dana")
        assert held.team is not None
        assert (held.role, held.team.name) == ("technical_expert", "payments")


class TestWithoutSeverities:
    @pytest.fixture
    def off(self, house: House) -> None:
        processes.publish_version(SYSTEM, document_with("severities.switched_off", True), note="without", now=house.now)

    @pytest.mark.req("R-9.3.3-2")
    @pytest.mark.usefixtures("off")
    def test_every_incident_is_as_the_mildest_and_a_coordinator_comes_when_asked_by_hand(self, house: House) -> None:
        house.rotation("coordinators", "incident_coordinator", "cora")
        for priority in (1, 2, 3, 4):
            incident = house.declare(priority=priority)
            assert incident.severity == "warning"
            with pytest.raises(Refused) as no:
                actions.change_severity(house.ada, incident.ref, severity="critical", reason="x", now=house.now)
            assert no.value.reason == "severities_off"
        with pytest.raises(Refused):
            house.declare(priority=1, severity="critical")
        assert not Page.objects.filter(kind="role").exists()
        assert "fill_role:incident_coordinator" not in world.owed(incident)
        actions.ask_role(house.ada, incident.ref, "incident_coordinator", now=house.now)
        assert Page.objects.get(kind="role").person == worlds.person("cora")
        with pytest.raises(Refused, match="on call"):
            actions.ask_role(house.ada, incident.ref, "incident_communicator", now=house.now)
        with pytest.raises(Invalid):
            actions.ask_role(house.ada, incident.ref, "wizard", now=house.now)

    @pytest.mark.usefixtures("off")
    def test_nothing_is_suggested_about_it(self, house: House) -> None:
        incident = house.declare(priority=1)
        actions.state_scope(house.ada, incident.ref, {"users_share": "0.9"}, now=house.now)
        assert waiting(incident) == {}
