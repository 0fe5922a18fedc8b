"""The pages one reaches in the middle of something: a response with people, the process being changed, lessons learnt."""

from __future__ import annotations

import copy
from collections.abc import Callable
from dataclasses import dataclass
from datetime import timedelta

import pytest

from tests.browser.conftest import Visitor
from tests.browser.test_desk import busy
from tests.browser.wholeness import assert_whole
from tests.browser.world import World
from tests.domains import worlds
from tocsin.core.access import SYSTEM
from tocsin.core.process_definition import to_document
from tocsin.incidents import actions as incidents
from tocsin.people import actions as people
from tocsin.postmortems.models import ActionItem
from tocsin.process import actions as process
from tocsin.process import proposal_actions, queries, survey_actions
from tocsin.slo.models import Breach

pytestmark = [pytest.mark.browser, pytest.mark.timeout(300)]

MINUTE = timedelta(minutes=1)
DAY = timedelta(days=1)
LOG_ON = "/slos/log-on/log-on-availability"


@dataclass(frozen=True, slots=True)
class Middle:
    """Numbers of what is under way."""

    world: World
    busy: int
    major: int
    asked: int
    draft: int
    survey: int
    item: int


@pytest.fixture
def middle(world: World) -> Middle:
    number = busy(world)
    ana, gus = worlds.actor("ana"), worlds.actor("gus")
    asked = incidents.ask_take_over(
        gus, number, role="incident_coordinator", reason="I know the session store", now=world.now
    )
    major = _major(world)
    draft, survey = _drafted(world)
    people.record_training(
        ana,
        username="gus",
        subject="Incident coordinator",
        on=(world.now - 30 * DAY).date(),
        valid_until=(world.now + 300 * DAY).date(),
        note="Two exercises",
        now=world.now,
    )
    item = ActionItem.objects.latest("pk").pk
    incidents.note_people_issue(ana, world.learned, text="Two of us do not speak any more", now=world.now)
    return Middle(world, number, major, asked.pk, draft, survey, item)


def _major(world: World) -> int:
    """An incident that an authority wants to hear of: found to be major, its first report sent."""
    now, ana = world.now, worlds.actor("ana")
    document = to_document(queries.current())
    document["regulatory_clocks"]["dora"]["on"] = True
    process.publish_version(SYSTEM, document, note="We fall under it now", now=now)
    row = incidents.declare(ana, title="Payments fail", service="log-on", priority=1, severity="error", now=now)
    met = ["critical_services", "malicious_access"]
    incidents.classify_for_authority(ana, row.ref, "dora", major=True, met=met, now=now)
    incidents.report_to_authority(ana, row.ref, "dora", report="initial", reference="A-7", now=now)
    return row.number


def _drafted(world: World) -> tuple[int, int]:
    """A draft of the process with a survey that Ana has not answered yet and Gus has."""
    ana, gus, now = worlds.actor("ana"), worlds.actor("gus"), world.now
    catalogue = copy.deepcopy(to_document(queries.current())["priorities"])
    catalogue["criteria_texts"]["postmortem"] = "A postmortem follows each incident of the first two priorities."
    row = proposal_actions.propose(ana, {"priorities": catalogue}, note="Say when one follows", now=now)
    survey = survey_actions.open_survey(ana, row.number, respondents=["ana", "gus"], closes_at=now + 14 * DAY, now=now)
    said = {str(one["code"]): "The second call came late, at night." for one in survey.questions[:2]}
    survey_actions.answer_survey(gus, survey.pk, answers=said, now=now)
    return row.number, survey.pk


def pages_of_a_response(middle: Middle) -> dict[str, str]:
    here, learned = f"/i/{middle.busy}", f"/i/{middle.world.learned}"
    return {
        "busy": here,
        "desk": f"{here}/desk",
        "timeline": f"{here}/timeline",
        "summary": f"{here}/summary",
        "role-ask": f"/i/{middle.busy}/roles/ask",
        "role-answer": f"{here}/roles/asks/{middle.asked}",
        "pull-in": f"{here}/pull-in",
        "groups": f"{here}/groups",
        "sub-team": f"{here}/sub-teams",
        "people": f"{here}/people",
        "thanks": f"{learned}/people/thanks",
        "tensions": f"{learned}/people/tensions",
        "tensions-none": f"{here}/people/tensions",
        "sort": f"{here}/sort",
        "merge": f"{here}/merge",
        "cancel": f"{here}/cancel",
        "snooze": f"{here}/snooze",
        "pass-on": f"{here}/pass-on",
        "note": f"{here}/note",
        "ask": f"{here}/ask",
        "known": f"{here}/known",
        "impact": f"{here}/impact",
        "customer-report": f"{here}/customer-report",
        "close": f"{learned}/close",
        "learned-people": f"{learned}/people",
    }


def pages_of_the_process(middle: Middle) -> dict[str, str]:
    draft = middle.draft
    return {
        "major": f"/i/{middle.major}",
        "authorities": f"/i/{middle.major}/authorities",
        "authorities-none": f"/i/{middle.busy}/authorities",
        "authority-finding": f"/i/{middle.major}/authorities/dora/finding",
        "authority-report": f"/i/{middle.major}/authorities/dora/report",
        "process": "/process",
        "process-document": "/process/document",
        "process-check": "/process/check",
        "process-itil": "/process/itil",
        "process-frameworks": "/process/frameworks",
        "process-diff": f"/process/diff?from=1&to={draft}",
        "process-same": "/process/diff?from=1&to=1",
        "process-preparation": "/process/preparation",
        "process-training": "/process/preparation/training",
        "process-draft": f"/process/versions/{draft}",
        "process-survey": f"/process/surveys/{middle.survey}",
        "process-answers": f"/process/drafts/{draft}/survey",
        "process-sizing": f"/process/drafts/{draft}/sizing",
    }


def pages_of_learning(middle: Middle) -> dict[str, str]:
    learned = f"/i/{middle.world.learned}"
    return {
        "review": f"{learned}/review",
        "review-explain": f"{learned}/review/checklist/B2/explain",
        "action-review": f"/actions/{middle.item}/review",
        "wellbeing": "/wellbeing",
        "adapters": "/setup/adapters",
        "adapters-none-shown": "/setup/adapters?show=pagerduty",
        "slo-explain": f"{LOG_ON}/explain",
        "slo-whatif": f"{LOG_ON}/whatif",
        "breach": f"/breaches/{Breach.objects.latest('pk').pk}",
    }


@pytest.mark.parametrize("part", [pages_of_a_response, pages_of_the_process, pages_of_learning])
def test_every_page_in_the_middle_is_whole(
    visitor: Visitor, middle: Middle, part: Callable[[Middle], dict[str, str]]
) -> None:
    assert_whole(visitor, {f"mid-{name}": ("ana", path) for name, path in part(middle).items()})
