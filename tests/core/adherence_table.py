"""Each check of the process with logs that lead to each of its verdicts."""

from __future__ import annotations

from collections.abc import Callable

from tests.core.adherence_logs import Log, moment
from tests.core.process_samples import (
    COORDINATOR,
    CRITICAL,
    ERROR,
    EXPERT,
    P1,
    P2,
    P3,
    P4,
    PROCESS,
    WARNING,
    document_with,
)
from tocsin.core.adherence_outcomes import Verdict
from tocsin.core.facts import Kind
from tocsin.core.process_definition import parse_process

GROUPS, MANAGEMENT = "groups", "management"
BOTH = (GROUPS, MANAGEMENT)
PASSED, FAILED, NA, WAIVED = Verdict.PASSED, Verdict.FAILED, Verdict.NOT_APPLICABLE, Verdict.WAIVED
OPENING, CLOSING = "opening", "closing"
CLOCKS = parse_process(
    document_with("questions", PROCESS.document["questions"])
    | {"regulatory_clocks": {"dora": {"initial": {"after_classification_hours": 4, "cap_after_aware_hours": 24}}}}
)
LIFECYCLE = [item.code for item in PROCESS.postmortem.lifecycle]


def p1() -> Log:
    return Log().began(groups=["product-owners"]).taken("10:02")


def told_well() -> Log:
    return p1().told("10:05", *BOTH, kind=OPENING, promised="12:05")


def coordinated() -> Log:
    return Log().began(severity=ERROR).taken("10:02")


def postmortem() -> Log:
    return p1().resolved("11:00").add("11:01", Kind.POSTMORTEM_DRAFTED, meeting_due_at=moment("5 11:00").isoformat())


def action(log: Log, clock: str = "11:10", *, driver: str = "ada", review: str = "2026-03-09") -> Log:
    return log.add(clock, Kind.ACTION_ADDED, action=7, title="Add a fuse", driver=driver, review=review)


def changed(log: Log, clock: str, **data: object) -> Log:
    return log.add(clock, Kind.ACTION_CHANGED, **({"action": 7, "title": "Add a fuse"} | data))


def decision(log: Log, addressees: list[str]) -> Log:
    return log.add("10:20", "decision.recorded", text="Roll back", addressees=addressees)


def handed(log: Log, **data: object) -> Log:
    said = {"role_code": EXPERT, "from": "ada", "to": "ben", "done": "a", "open": "b", "risks": "c"}
    return log.add("10:31", "handover.recorded", **(said | {"next_update": "12:05", "accepted": True} | data))


def hands() -> Log:
    return p1().role("10:02", EXPERT).released("10:30", EXPERT).role("10:30", EXPERT, "ben")


def outside(log: Log) -> Log:
    return log.told("10:30", GROUPS, codes=["status-page-subscribers"], rings=[4], update=3)


def clocks() -> Log:
    log = Log(CLOCKS).began().taken("10:02")
    return log.add("12:00", "regulatory.classified", regime="dora", aware_at=moment("10:00").isoformat())


def items_done() -> Log:
    log = postmortem()
    for code in LIFECYCLE:
        log.add("5 10:00", "postmortem.item_done", item=code)
    return log


Case = tuple[Callable[[], Log], str, Verdict]
"""How the log is written, up to when one looks, and what the check says."""

TABLE: dict[str, list[Case]] = {
    "AC01": [
        (lambda: Log().began(rank=None).taken("10:02").priority("10:17", P2), "11:00", PASSED),
        (p1, "11:00", PASSED),
        (lambda: Log().began(rank=None).taken("10:02").priority("10:18", P2), "11:00", FAILED),
        (lambda: Log().began(rank=None).taken("10:02"), "10:18", FAILED),
        (lambda: Log().began(rank=None).resolved("10:20", by_person=False), "11:00", NA),
        (lambda: Log().began(rank=None).taken("10:02").waived_check("10:30", "AC01"), "11:00", WAIVED),
        (lambda: Log().began(rank=None).taken("10:02"), "10:17", Verdict.NOT_DUE),
    ],
    "AC02": [
        (lambda: p1().priority("10:10", P2, old=P1), "11:00", PASSED),
        (lambda: p1().priority("10:10", P2, reason=" ", old=P1), "11:00", FAILED),
        (p1, "11:00", NA),
        (lambda: p1().priority("10:10", P2, reason="").waived_check("10:30", "AC02"), "11:00", WAIVED),
        (lambda: p1().add("10:10", Kind.PRIORITY_CHANGED, removed=True), "11:00", Verdict.NOT_CHECKED),
    ],
    "AC03": [
        (lambda: p1().severity("10:17", ERROR), "11:00", PASSED),
        (lambda: p1().add("10:10", Kind.SEVERITY_CONFIRMED, severity=WARNING, by_person=True), "11:00", PASSED),
        (lambda: Log().began(by_person=True).taken("10:02"), "11:00", PASSED),
        (p1, "11:00", FAILED),
        (lambda: p1().severity("10:05", ERROR, by_person=False), "11:00", FAILED),
        (lambda: Log().began().resolved("10:20", by_person=False), "11:00", NA),
        (lambda: p1().resolved("10:10"), "11:00", NA),
        (lambda: p1().waived_check("10:30", "AC03"), "11:00", WAIVED),
        (p1, "10:16", Verdict.NOT_DUE),
    ],
    "AC04": [
        (lambda: Log().began(rank=P2), "11:00", PASSED),
        (lambda: Log().began(rank=P1).priority("10:20", P1, reason="Few users, lost data"), "11:00", PASSED),
        (lambda: Log().began(rank=P1, by_person=True, reason="Lost data"), "11:00", PASSED),
        (lambda: Log().began(rank=P1).resolved("10:30"), "11:00", FAILED),
        (lambda: Log().began(rank=P3, severity=CRITICAL), "11:00", FAILED),
        (lambda: Log().began(rank=None), "11:00", NA),
        (lambda: Log().began(rank=P1).resolved("10:30").waived_check("10:40", "AC04"), "11:00", WAIVED),
        (lambda: Log().began(rank=P1), "11:00", Verdict.NOT_DUE),
    ],
    "AC05": [
        (lambda: Log().began().add("10:00", Kind.PAGE_CREATED).taken("10:09"), "11:00", PASSED),
        (
            lambda: (
                Log().began().add("10:00", Kind.PAGE_CREATED).add("10:20", Kind.ESCALATION_EXHAUSTED).taken("10:21")
            ),
            "11:00",
            FAILED,
        ),
        (lambda: Log().began().taken("10:09"), "11:00", NA),
        (lambda: Log().began().add("10:00", Kind.PAGE_CREATED).resolved("10:03", by_person=False), "11:00", NA),
        (lambda: Log().began().add("10:20", Kind.ESCALATION_EXHAUSTED).waived_check("10:40", "AC05"), "11:00", WAIVED),
        (lambda: Log().began().add("10:00", Kind.PAGE_CREATED), "10:04", Verdict.NOT_DUE),
    ],
    "AC06": [
        (lambda: p1().role("10:15", EXPERT), "11:00", PASSED),
        (lambda: p1().role("10:16", EXPERT), "11:00", FAILED),
        (lambda: p1().role("10:02", EXPERT).severity("10:30", ERROR), "11:00", FAILED),
        (lambda: p1().role("10:02", EXPERT).severity("10:30", ERROR).role("10:50", COORDINATOR), "11:00", PASSED),
        (lambda: Log().began().resolved("10:05"), "11:00", NA),
        (lambda: p1().waived("10:05", f"fill_role:{EXPERT}"), "11:00", WAIVED),
        (p1, "10:15", Verdict.NOT_DUE),
    ],
    "AC07": [
        (lambda: p1().role("10:02", EXPERT), "11:00", PASSED),
        (lambda: coordinated().role("10:02", EXPERT).role("10:05", COORDINATOR), "11:00", FAILED),
        (lambda: coordinated().role("10:02", EXPERT).role("10:05", COORDINATOR, "ben"), "11:00", PASSED),
        (p1, "11:00", NA),
        (
            lambda: coordinated().role("10:02", EXPERT).role("10:05", COORDINATOR).waived_check("10:50", "AC07"),
            "11:00",
            WAIVED,
        ),
    ],
    "AC08": [
        (lambda: coordinated().add("10:03", "channel.opened"), "11:00", PASSED),
        (lambda: coordinated().resolved("10:50"), "11:00", FAILED),
        (lambda: p1().resolved("10:50"), "11:00", NA),
        (lambda: coordinated().resolved("10:50").waived_check("10:55", "AC08"), "11:00", WAIVED),
    ],
    "AC09": [
        (lambda: p1().told("10:25", *BOTH, kind=OPENING), "11:00", PASSED),
        (lambda: p1().told("10:26", *BOTH, kind=OPENING), "11:00", FAILED),
        (lambda: p1().resolved("10:40"), "11:00", FAILED),
        (lambda: Log().began(rank=P1), "11:00", FAILED),
        (lambda: Log().began(rank=P4), "11:00", NA),
        (lambda: p1().resolved("10:10").told("10:11", *BOTH, kind=CLOSING), "11:00", NA),
        (lambda: p1().waived("10:05", "update_opening:groups:0"), "11:00", WAIVED),
        (p1, "10:25", Verdict.NOT_DUE),
    ],
    "AC10": [
        (told_well, "11:00", PASSED),
        (lambda: p1().told("10:05", GROUPS, kind=OPENING, promised="12:05"), "11:00", FAILED),
        (lambda: Log().began(rank=P3), "11:00", NA),
        (lambda: p1().waived("10:05", "update_opening:management:0"), "11:00", WAIVED),
    ],
    "AC11": [
        (lambda: told_well().told("12:05", *BOTH, promised="14:05").resolved("13:00"), "15:00", PASSED),
        (lambda: told_well().told("12:16", *BOTH, promised="14:05").resolved("13:00"), "15:00", FAILED),
        (lambda: told_well().resolved("12:30").told("12:31", *BOTH, kind=CLOSING), "15:00", FAILED),
        (lambda: told_well().resolved("12:10").told("12:11", *BOTH, kind=CLOSING), "15:00", NA),
        (
            lambda: (
                told_well()
                .waived("11:00", "update_progress:groups:1")
                .waived("11:00", "update_progress:management:1")
                .resolved("13:00")
            ),
            "15:00",
            NA,
        ),
        (lambda: told_well().resolved("12:30").waived_check("13:00", "AC11"), "15:00", WAIVED),
        (told_well, "12:15", Verdict.NOT_DUE),
        (told_well, "12:16", FAILED),
    ],
    "AC12": [
        (lambda: told_well().resolved("11:00").told("11:40", *BOTH, kind=CLOSING), "12:00", PASSED),
        (lambda: told_well().resolved("11:00"), "12:00", FAILED),
        (lambda: Log().began(rank=P4).resolved("11:00"), "12:00", NA),
        (
            lambda: (
                told_well()
                .resolved("11:00")
                .waived("11:01", "update_closing:groups:1")
                .waived("11:01", "update_closing:management:1")
            ),
            "12:00",
            WAIVED,
        ),
        (lambda: told_well().resolved("11:00"), "11:10", Verdict.NOT_DUE),
    ],
    "AC13": [
        (lambda: p1().fulfilled("10:40", "hotfix", "release 42").resolved("11:00"), "12:00", PASSED),
        (lambda: p1().resolved("11:00"), "12:00", FAILED),
        (lambda: Log().began(rank=P2).resolved("11:00"), "12:00", NA),
        (lambda: p1().waived("10:40", "hotfix").resolved("11:00"), "12:00", WAIVED),
        (p1, "12:00", Verdict.NOT_DUE),
    ],
    "AC14": [
        (
            lambda: decision(p1(), ["ben"]).add("10:40", "decision.reported", decision=12).resolved("11:00"),
            "12:00",
            PASSED,
        ),
        (lambda: decision(p1(), ["ben"]).resolved("11:00"), "12:00", FAILED),
        (lambda: decision(p1(), []), "12:00", FAILED),
        (lambda: p1().add("10:20", Kind.INCIDENT_NOTED, kind="note", text="Looking"), "12:00", NA),
        (lambda: decision(p1(), []).waived_check("11:00", "AC14"), "12:00", WAIVED),
    ],
    "AC15": [
        (lambda: handed(hands()), "11:00", PASSED),
        (hands, "11:00", FAILED),
        (lambda: handed(hands(), risks=""), "11:00", FAILED),
        (lambda: handed(hands(), accepted=False), "11:00", FAILED),
        (lambda: p1().role("10:02", EXPERT), "11:00", NA),
        (lambda: hands().waived_check("10:50", "AC15"), "11:00", WAIVED),
    ],
    "AC16": [
        (lambda: coordinated().add("10:30", "wellbeing.answered").resolved("10:50"), "11:00", PASSED),
        (lambda: coordinated().resolved("10:50"), "11:00", FAILED),
        (lambda: p1().resolved("10:50"), "11:00", NA),
        (lambda: coordinated().resolved("10:50").waived_check("10:55", "AC16"), "11:00", WAIVED),
    ],
    "AC17": [
        (lambda: postmortem().add("5 11:00", Kind.POSTMORTEM_MOVED, new="reviewed"), "9 11:00", PASSED),
        (lambda: postmortem().add("5 11:11", Kind.POSTMORTEM_MOVED, new="reviewed"), "9 11:00", FAILED),
        (postmortem, "9 11:00", FAILED),
        (lambda: p1().resolved("11:00"), "28 11:00", FAILED),
        (lambda: Log().began(rank=P2).resolved("11:00"), "9 11:00", NA),
        (lambda: postmortem().waived("12:00", "postmortem"), "9 11:00", WAIVED),
        (postmortem, "4 11:00", Verdict.NOT_DUE),
    ],
    "AC18": [
        (items_done, "9 11:00", PASSED),
        (lambda: postmortem().add("5 11:00", Kind.POSTMORTEM_MOVED, new="closed"), "9 11:00", FAILED),
        (lambda: p1().resolved("11:00"), "9 11:00", NA),
        (lambda: postmortem().waived_check("6 10:00", "AC18"), "9 11:00", WAIVED),
    ],
    "AC19": [
        (lambda: action(postmortem()), "9 11:00", PASSED),
        (lambda: changed(action(postmortem(), driver=""), "12:00", driver="ben"), "9 11:00", PASSED),
        (lambda: action(postmortem(), driver=""), "9 11:00", FAILED),
        (
            lambda: action(postmortem(), review="").add("3 10:00", Kind.POSTMORTEM_MOVED, new="in_review"),
            "3 11:00",
            FAILED,
        ),
        (postmortem, "9 11:00", NA),
        (lambda: action(postmortem(), driver="").waived_check("3 10:00", "AC19"), "9 11:00", WAIVED),
        (lambda: action(postmortem(), driver=""), "3 11:00", Verdict.NOT_DUE),
    ],
    "AC20": [
        (lambda: changed(action(postmortem()), "9 17:00", status="done"), "20 11:00", PASSED),
        (lambda: changed(action(postmortem()), "9 17:00", review="2026-03-16"), "20 11:00", FAILED),
        (
            lambda: changed(changed(action(postmortem()), "9 17:00", review="2026-03-16"), "16 9:00", status="done"),
            "20 11:00",
            PASSED,
        ),
        (lambda: action(postmortem()), "10 12:01", FAILED),
        (lambda: changed(action(postmortem()), "11 09:00", review="2026-03-16"), "11 11:00", FAILED),
        (lambda: action(postmortem(), review=""), "9 11:00", NA),
        (lambda: action(postmortem()).waived_check("11 10:00", "AC20"), "20 11:00", WAIVED),
        (lambda: action(postmortem()), "10 12:00", Verdict.NOT_DUE),
    ],
    "AC21": [
        (lambda: outside(p1().add("10:29", "update.approved", actor="ben", update=3)), "11:00", PASSED),
        (lambda: outside(p1()), "11:00", FAILED),
        (lambda: outside(p1().add("10:29", "update.approved", update=3)), "11:00", FAILED),
        (told_well, "11:00", NA),
        (lambda: outside(p1()).waived_check("10:50", "AC21"), "11:00", WAIVED),
    ],
    "AC22": [
        (lambda: coordinated().add("10:30", "rank.refused").resolved("10:50"), "11:00", PASSED),
        (lambda: coordinated().add("10:30", "rank.overridden").resolved("10:50"), "11:00", FAILED),
        (lambda: p1().resolved("10:50"), "11:00", NA),
        (lambda: coordinated().add("10:30", "rank.overridden").waived_check("10:50", "AC22"), "11:00", WAIVED),
    ],
    "AC23": [
        (lambda: p1().add("10:30", Kind.INCIDENT_IDENTIFIED).resolved("10:50"), "12:00", PASSED),
        (lambda: p1().add("10:30", "incident.cause_stated", state="unknown").resolved("10:50"), "12:00", PASSED),
        (lambda: p1().resolved("10:50", category=""), "12:00", FAILED),
        (lambda: p1().resolved("10:50"), "12:00", FAILED),
        (lambda: p1().add("10:30", Kind.INCIDENT_CANCELLED, reason="A test"), "12:00", NA),
        (lambda: p1().resolved("10:50", category="").waived_check("11:30", "AC23"), "12:00", WAIVED),
        (p1, "12:00", Verdict.NOT_DUE),
    ],
    "AC24": [
        (
            lambda: clocks().add("15:59", "regulatory.reported", regime="dora", report="initial"),
            "16:30",
            Verdict.NOT_DUE,
        ),
        (
            lambda: (
                clocks()
                .add("15:59", "regulatory.reported", regime="dora", report="initial")
                .add("4 10:00", "regulatory.reported", regime="dora", report="intermediate")
                .add("20 10:00", "regulatory.reported", regime="dora", report="final")
            ),
            "28 10:00",
            PASSED,
        ),
        (clocks, "16:01", FAILED),
        (lambda: clocks().add("16:01", "regulatory.reported", regime="dora", report="initial"), "16:30", FAILED),
        (lambda: Log(CLOCKS).began(), "16:30", NA),
        (p1, "16:30", NA),
        (lambda: clocks().waived_check("16:20", "AC24"), "16:30", WAIVED),
    ],
}
