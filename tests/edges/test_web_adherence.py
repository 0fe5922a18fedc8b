"""The scorecard, a rule of it, and the checks of an incident, as people see and press them."""

from __future__ import annotations

from datetime import timedelta

import pytest

from tests.domains import worlds
from tests.edges.web_client import read, signed_in, words
from tocsin.catalog import actions as catalog
from tocsin.core.access import SYSTEM
from tocsin.core.adherence import CHECKS
from tocsin.core.report_periods import quarter_of
from tocsin.incidents import actions
from tocsin.incidents.models import Incident
from tocsin.insights import scorecard
from tocsin.platform import clock as clocks

pytestmark = pytest.mark.django_db

HOUR = timedelta(hours=1)


@pytest.fixture
def house() -> None:
    scorecard.MEMORY.forget()
    now = clocks.now()
    worlds.process(now=now - 9 * HOUR)
    worlds.administrator("ada", now=now - 9 * HOUR)
    worlds.actor("ben", now=now - 9 * HOUR)
    catalog.add_service(SYSTEM, name="log-on", now=now - 9 * HOUR)


def late(ago: timedelta = 5 * HOUR, **fields: object) -> Incident:
    """An incident that nobody told anybody about."""
    now = clocks.now() - ago
    fields = {"title": "38% of log-ons fail", "priority": 2, "severity": "warning"} | fields
    row = actions.declare(worlds.actor("ben"), service="log-on", now=now, **fields)  # type: ignore[arg-type]
    actions.acknowledge(worlds.actor("ben"), row.ref, now=now + timedelta(minutes=2))
    return row


@pytest.mark.usefixtures("house")
def test_a_quarter_without_incidents_says_so_and_still_names_every_rule() -> None:
    page = read(signed_in(), "/process/adherence?quarter=2020-Q1")
    assert "No incidents in 2020-Q1." in words(page, "adherence-empty")
    assert all(f'data-testid="rule-{code}"' in page for code in CHECKS)
    assert "None was made." in words(page, "exceptions-empty")


@pytest.mark.usefixtures("house")
def test_each_rule_says_x_of_y_and_each_tick_leads_to_its_evidence() -> None:
    row = late()
    page = read(signed_in(), "/process/adherence")
    assert "0 of 1" in words(page, "quarter-AC10")
    assert "1 of 1" in words(page, "quarter-AC01")
    assert f'href="/i/{row.number}/adherence#AC10"' in page
    assert f'aria-label="INC-{row.number}: missed"' in page
    assert page.index('data-testid="rule-AC10"') < page.index('data-testid="rule-AC01"')


@pytest.mark.usefixtures("house")
def test_the_checks_of_an_incident_name_verdict_reason_and_entries() -> None:
    row = late()
    page = read(signed_in(), f"/i/{row.number}/adherence")
    assert words(page, "verdict-AC10") == "Missed."
    assert "was due at" in words(page, "check-AC10")
    assert words(page, "verdict-AC24") == "Does not apply."
    assert f'href="/i/{row.number}/timeline?after=' in page
    assert f'href="/i/{row.number}/adherence"' in read(signed_in(), f"/i/{row.number}")


@pytest.mark.usefixtures("house")
def test_an_exception_needs_a_reason_is_shown_apart_and_can_be_withdrawn() -> None:
    row, ada = late(), signed_in()
    address = f"/i/{row.number}/adherence/AC10/waive"
    refused = ada.post(address, {"reason": " "})
    assert refused.status_code == 422
    assert ada.post(address, {"reason": "A drill with the board"}).status_code == 302
    page = read(ada, f"/i/{row.number}/adherence")
    assert words(page, "verdict-AC10") == "Exception."
    assert "A drill with the board" in words(page, "check-AC10")
    found = read(ada, "/process/adherence")
    assert "A drill with the board" in words(found, "exceptions")
    assert "0 of" not in words(found, "quarter-AC10")
    again = ada.post(address, {"reason": "Twice"})
    assert (again.status_code, "is waived already" in again.content.decode()) == (422, True)
    assert ada.post(f"/i/{row.number}/adherence/AC10/withdraw", {"reason": "It was no drill"}).status_code == 302
    assert words(read(ada, f"/i/{row.number}/adherence"), "verdict-AC10") == "Missed."


@pytest.mark.usefixtures("house")
def test_who_responds_sees_no_button_and_is_refused() -> None:
    row, ben = late(), signed_in("ben")
    assert 'data-testid="waive-AC10"' not in read(ben, f"/i/{row.number}/adherence")
    assert ben.post(f"/i/{row.number}/adherence/AC10/waive", {"reason": "It was night"}).status_code == 403


@pytest.mark.usefixtures("house")
@pytest.mark.parametrize("address", ["/process/adherence/AC99", "/i/1/adherence/AC99/waive", "/i/77/adherence"])
def test_what_is_not_there_is_not_found(address: str) -> None:
    late()
    read(signed_in(), address, 404)


@pytest.mark.usefixtures("house")
def test_a_rule_lists_its_incidents_misses_first_and_by_verdict_and_page() -> None:
    rows = [late() for _ in range(26)]
    fine = late(ago=timedelta(minutes=1))
    ada = signed_in()
    page = read(ada, "/process/adherence/AC10")
    assert "26" in words(page, "tab-fail")
    assert f'data-testid="finding-{rows[-1].number}"' in page
    assert f'data-testid="finding-{fine.number}"' not in page
    assert "26 to 27 of 27" in (last := read(ada, "/process/adherence/AC10?from=25"))
    assert f'data-testid="finding-{fine.number}"' in last
    assert f'data-testid="finding-{fine.number}"' in read(ada, "/process/adherence/AC10?verdict=not_due")
    assert "None of these." in words(read(ada, "/process/adherence/AC10?verdict=waived"), "findings-empty")
    assert "1 to 25 of 27" in read(ada, "/process/adherence/AC10?from=99999999999")


@pytest.mark.usefixtures("house")
def test_one_can_go_to_the_quarter_before_and_not_into_the_future() -> None:
    page = read(signed_in(), "/process/adherence?quarter=nonsense")
    here = quarter_of(clocks.now())
    before = quarter_of(here.start - HOUR)
    assert f'href="?quarter={before.name}"' in page
    assert 'data-testid="quarter-after"' not in page
    assert f'href="?quarter={here.name}"' in read(signed_in(), f"/process/adherence?quarter={before.name}")
