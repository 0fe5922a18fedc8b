"""Error budget policies on pages, over JSON and by words."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
import yaml

from tests.domains import slo_worlds, worlds
from tests.domains.test_budget_policies import BY_PEOPLE, MINUTE, burn, house, look, policy, slo
from tests.domains.worlds import NOW
from tests.edges.api_client import Caller
from tests.edges.test_cli import Shell, shell
from tests.edges.web_client import has, read, signed_in, words
from tocsin.audit.models import Entry
from tocsin.core.access import Role
from tocsin.platform import clock as clocks
from tocsin.platform.clock import WoundClock
from tocsin.slo.defaults import default_policy
from tocsin.slo.models import ErrorBudgetPolicy, PolicyConsequence

__all__ = ["house", "shell"]

pytestmark = pytest.mark.django_db

PAGE = "/teams/identity/policy"


def document(**changed: Any) -> dict[str, Any]:
    return {**default_policy(), "next_review": "2027-05-23", **changed}


def test_a_team_begins_with_the_shipped_policy_and_only_its_owners_may(clock: WoundClock) -> None:
    page = read(signed_in("olga"), PAGE)
    assert has(page, "policy-begin")
    assert not has(read(signed_in("tom"), PAGE), "policy-begin")
    read(signed_in("tom"), f"{PAGE}/edit", status=403)
    form = read(signed_in("olga"), f"{PAGE}/edit")
    assert "next_review: &#x27;2027-05-24&#x27;" in form
    text = yaml.safe_dump(document(scope="Log-on"))
    answer = signed_in("olga").post(f"{PAGE}/edit", {"text": text, "based_on": "0"})
    assert (answer.status_code, answer["Location"]) == (302, PAGE)
    assert "Log-on" in words(read(signed_in("tom"), PAGE), "agreed")
    assert signed_in("tom").post(f"{PAGE}/edit", {"text": text, "based_on": "1"}).status_code == 403


@pytest.mark.req("R-10-1")
def test_the_page_shows_the_seven_parts_what_holds_and_what_followed(clock: WoundClock) -> None:
    made, _ = slo(), policy()
    incident = burn(made, NOW, 400)
    clock.wind_to(NOW + 11 * MINUTE)
    look(NOW + 11 * MINUTE)
    page = read(signed_in("tom"), PAGE)
    agreed = words(page, "agreed")
    for part in ("Scope", "Purpose", "If people disagree", "Agreed by", "Next review 23 May 2027"):
        assert part in agreed
    assert "EB2 holds" in words(page, "clause-EB2")
    assert "EB1 does not hold" in words(page, "clause-EB1")
    row = PolicyConsequence.objects.get(clause="EB2")
    told = words(page, f"consequence-{row.pk}")
    for said in (incident.ref, "Told: Olga", "In force", "A postmortem with at least one action item"):
        assert said in told
    assert not has(page, f"done-{row.pk}")


def test_what_was_done_is_said_on_the_page_and_mistakes_keep_what_was_typed(clock: WoundClock) -> None:
    made, _ = slo(), policy()
    burn(made, NOW, 400)
    clock.wind_to(NOW + 11 * MINUTE)
    look(NOW + 11 * MINUTE)
    row = PolicyConsequence.objects.get(clause="EB2")
    address = f"{PAGE}/consequences/{row.pk}"
    wrong = signed_in("olga").post(address, {"note": "Done <b>", "url": "ftp://x"})
    assert wrong.status_code == 422
    assert "Done &lt;b&gt;" in wrong.content.decode()
    assert "http:// or https://" in words(wrong.content.decode(), "problems")
    assert signed_in("tom").post(address, {"note": "x"}).status_code == 403
    assert signed_in("olga").post(address, {"note": "Postmortem held"}).status_code == 302
    assert "Postmortem held Olga" in words(read(signed_in("tom"), PAGE), f"consequence-{row.pk}")


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("scope: [", "Line 1"),
        ("- a", "Begin with the names of the parts"),
        ("[" * 5000, "no YAML"),
        ("!!python/object/apply:os.system [ls]", "Line 1"),
        ("scope: x", "purpose: is missing"),
        (yaml.safe_dump(document(scoop=1)), "scoop"),
        ("x" * 20_001, "20000"),
    ],
)
def test_a_policy_that_is_wrong_is_shown_again_with_its_mistakes(text: str, said: str, clock: WoundClock) -> None:
    before = Entry.objects.count()
    answer = signed_in("olga").post(f"{PAGE}/edit", {"text": text, "based_on": "0"})
    assert answer.status_code == 422
    assert said in answer.content.decode()
    assert (ErrorBudgetPolicy.objects.count(), Entry.objects.count()) == (0, before)


def test_two_who_change_it_at_once_do_not_overwrite_each_other(clock: WoundClock) -> None:
    policy()
    text = yaml.safe_dump(document(scope="Mine"))
    assert signed_in("olga").post(f"{PAGE}/edit", {"text": text, "based_on": "1"}).status_code == 302
    late = signed_in("olga").post(f"{PAGE}/edit", {"text": yaml.safe_dump(document(scope="Yours")), "based_on": "1"})
    assert late.status_code == 409 or late.status_code == 422
    assert "changed the policy meanwhile" in late.content.decode()


def test_the_policy_over_json(clock: WoundClock) -> None:
    slo()
    root = Caller("root", role=Role.ADMIN.value)
    assert root.ask("GET", "/api/v1/teams/identity/budget-policy")[0] == 404
    saved = root.must("PUT", "/api/v1/teams/identity/budget-policy", {"policy": document()})
    assert (saved["revision"], saved["next_review"]) == (1, "2027-05-23")
    found = root.must("GET", "/api/v1/teams/identity/budget-policy")
    assert {one["clause"]: one["verdict"] for one in found["findings"]} == dict.fromkeys(
        ("EB1", "EB2", "EB3", "EB4", "EB5"), "does_not_hold"
    )
    assert [one["team"] for one in root.must("GET", "/api/v1/budget-policies")["items"]] == ["identity"]
    status, wrong = root.ask("PUT", "/api/v1/teams/identity/budget-policy", {"policy": {"scope": "x"}})
    assert (status, "purpose" in wrong["fields"]) == (422, True)
    assert (
        Caller("rea", role=Role.READER.value).ask(
            "PUT", "/api/v1/teams/identity/budget-policy", {"policy": document()}
        )[0]
        == 403
    )
    assert root.ask("POST", "/api/v1/budget-policies/consequences/99/answer", {"note": "x"})[0] == 404


@pytest.mark.django_db(transaction=True)
@pytest.mark.req("R-10-1")
def test_a_policy_is_started_set_shown_and_checked_by_words(shell: Shell, tmp_path: Path) -> None:
    worlds.team("tills", now=clocks.now())
    file = tmp_path / "policy.yaml"
    file.write_text(shell.run("policy", "start").stdout, encoding="utf-8")
    assert shell.json("policy", "set", "tills", str(file))["revision"] == 1
    again = tmp_path / "again.yaml"
    again.write_text(shell.run("policy", "show", "tills").stdout, encoding="utf-8")
    assert shell.json("policy", "set", "tills", str(again))["revision"] == 1
    assert shell.json("policy", "check", "tills") == {"items": [], "holding": 0}
    assert shell.run("policy", "check", "tills", "--fail").exit_code == 0
    assert [one["team"] for one in shell.json("policy", "list")["items"]] == ["tills"]
    assert shell.json("policy", "consequences", "tills")["items"] == []
    file.write_text("scope: x\n", encoding="utf-8")
    wrong = shell.run("policy", "set", "tills", str(file))
    assert (wrong.exit_code, wrong.stdout) == (1, "")
    assert "purpose" in wrong.stderr
    file.write_text("- x\n", encoding="utf-8")
    assert shell.run("policy", "set", "tills", str(file)).exit_code == 1
    assert shell.run("policy", "show", "nobody").exit_code == 1
    assert shell.run("policy", "answer", "1", "--note", "x").exit_code == 1


@pytest.mark.req("R-10-1")
def test_the_page_shows_both_pictures_and_gives_them_as_files(clock: WoundClock) -> None:
    made, _ = slo(), policy()
    burn(made, NOW, 2_000)
    clock.wind_to(NOW + 11 * MINUTE)
    look(NOW + 11 * MINUTE)
    reader = signed_in("tom")
    page = read(reader, PAGE)
    assert "in force" in words(page, "policy-decisions-finding")
    assert "so EB1 holds" in words(page, "policy-budgets-finding")
    assert has(page, "policy-budgets-table")
    for name in ("budgets", "decisions"):
        svg = reader.get(f"{PAGE}/{name}.svg?size=phone&theme=dark")
        assert svg["Content-Type"].startswith("image/svg+xml")
        assert "EB1" in svg.content.decode()
        assert reader.get(f"{PAGE}/{name}.png").content[:8] == b"\x89PNG\r\n\x1a\n"
    for wrong in ("pie.svg", "budgets.gif"):
        read(reader, f"{PAGE}/{wrong}", status=404)


def test_data_that_stopped_are_hatched_and_a_team_without_slos_has_its_strip_alone(clock: WoundClock) -> None:
    policy()
    page = read(signed_in("tom"), PAGE)
    assert has(page, "policy-decisions")
    assert not has(page, "policy-budgets")
    read(signed_in("tom"), f"{PAGE}/budgets.svg", status=404)
    made = slo()
    later = NOW + 300 * MINUTE
    clock.wind_to(later)
    slo_worlds.judge(made, later)
    page = read(signed_in("tom"), PAGE)
    assert "Nothing is known" in words(page, "policy-budgets-finding")
    assert 'fill="url(#policy-budgets-unknown)"' in page


def test_a_clause_is_begun_and_ended_and_the_policy_ended_on_the_page(clock: WoundClock) -> None:
    slo()
    odd = {**BY_PEOPLE, "code": "EB 9/<b>"}
    policy(clauses=[*default_policy()["clauses"], odd])
    olga = signed_in("olga")
    assert has(read(olga, PAGE), "hold-EB 9/&lt;b&gt;")
    assert 'name="slo"' not in read(signed_in("tom"), PAGE)
    wrong = olga.post(f"{PAGE}/begin", {"clause": odd["code"], "slo": "log-on", "why": " "})
    assert wrong.status_code == 422
    assert "Say in a sentence why" in words(wrong.content.decode(), "problems")
    given = {"clause": odd["code"], "slo": "log-on", "why": "A <i>sale</i> comes"}
    assert signed_in("tom").post(f"{PAGE}/begin", given).status_code == 403
    assert olga.post(f"{PAGE}/begin", given).status_code == 302
    again = olga.post(f"{PAGE}/begin", given)
    assert (again.status_code, PolicyConsequence.objects.count()) == (422, 1)
    row = PolicyConsequence.objects.get()
    shown = words(read(signed_in("tom"), PAGE), f"consequence-{row.pk}")
    assert "begun by Olga" in shown
    assert "A &lt;i&gt;sale&lt;/i&gt; comes" in shown or "A <i>sale</i> comes" in shown
    assert olga.post(f"{PAGE}/consequences/{row.pk}/over", {"why": ""}).status_code == 422
    assert olga.post(f"{PAGE}/consequences/{row.pk}/over", {"why": "Done"}).status_code == 302
    assert "Over: Done" in words(read(olga, PAGE), f"consequence-{row.pk}")
    assert olga.post(f"{PAGE}/end", {"reason": ""}).status_code == 422
    assert olga.get(f"{PAGE}/end").status_code == 405
    assert olga.post(f"{PAGE}/end", {"reason": "We join another team"}).status_code == 302
    page = read(olga, PAGE)
    assert "We join another team" in words(page, "policy-ended")
    assert "no longer in force" in words(page, "policy-finding")
    assert not has(page, "policy-decisions")
    assert not has(page, "policy-end")
    read(signed_in("tom"), f"{PAGE}/budgets.svg", status=404)


@pytest.mark.django_db(transaction=True)
def test_a_policy_is_begun_judged_and_ended_by_words(shell: Shell, tmp_path: Path) -> None:
    slo_worlds.objective("till", service="log-on", now=clocks.now())
    file = tmp_path / "policy.yaml"
    file.write_text(yaml.safe_dump(document(clauses=[BY_PEOPLE])))
    shell.run("policy", "set", "identity", str(file))
    made: Any = shell.json("policy", "begin", "identity", "EB9", "till", "--why", "A sale comes")
    assert (made["clause"], made["why"], bool(made["began_by"])) == ("EB9", "A sale comes", True)
    assert shell.run("policy", "check", "identity", "--fail").exit_code == 1
    twice = shell.run("policy", "begin", "identity", "EB9", "till", "--why", "again")
    assert (twice.exit_code, "in force" in twice.stderr) == (1, True)
    over: Any = shell.json("policy", "over", str(made["id"]), "--why", "It is over")
    assert over["ended_because"] == "It is over"
    ended: Any = shell.json("policy", "end", "identity", "--reason", "We join another team")
    assert ended["ended_at"]
    assert shell.run("policy", "end", "identity", "--reason", "again").exit_code == 1
