"""The only writers of incidents, obligations, roles held, escalations and pages."""

from tocsin.incidents.actions.alert_changes import take_alert_changes
from tocsin.incidents.actions.answering import acknowledge, escalate, pass_page, snooze, take_page
from tocsin.incidents.actions.answering_suggestions import answer_suggestion, ask_role
from tocsin.incidents.actions.authorities import classify_for_authority, report_to_authority
from tocsin.incidents.actions.caring import (
    answer_prompt,
    introduce,
    note_conflict,
    post_ground_rules,
    settle_conflict,
)
from tocsin.incidents.actions.categorizing import categorize
from tocsin.incidents.actions.channel import channel_failed, channel_opened, open_channel, tell_channels
from tocsin.incidents.actions.classifying import change_priority, change_severity, choose_groups
from tocsin.incidents.actions.closing import close
from tocsin.incidents.actions.deciding import acknowledge_decision, record_decision, report_decision
from tocsin.incidents.actions.depending import link_upstream
from tocsin.incidents.actions.engine_faces import advance_escalations, page_failed
from tocsin.incidents.actions.escalating import (
    acknowledge_escalation,
    escalate_to_management,
    escalate_to_team,
)
from tocsin.incidents.actions.excusing import waive_check, withdraw_waiver
from tocsin.incidents.actions.knowing import change_impact, report_by_customer, state_known
from tocsin.incidents.actions.late_reports import tell_late_reports
from tocsin.incidents.actions.merging import merge, unmerge
from tocsin.incidents.actions.moving import cancel, move, reopen, resolve
from tocsin.incidents.actions.noting import annotate
from tocsin.incidents.actions.opening import declare
from tocsin.incidents.actions.outside_changes import note_change
from tocsin.incidents.actions.promising import fulfil_obligation, tell_late_obligations, waive_obligation
from tocsin.incidents.actions.pulling_in import press_unfilled_roles, pull_in
from tocsin.incidents.actions.questioning import answer_question, ask_question
from tocsin.incidents.actions.quick import enter_line
from tocsin.incidents.actions.reminding import remind_of_decisions
from tocsin.incidents.actions.staffing import assign_role, release_role
from tocsin.incidents.actions.still_burning import reopen_still_burning
from tocsin.incidents.actions.suggesting import mark_complex, name_team, state_scope
from tocsin.incidents.actions.taking_over import (
    accept_take_over,
    ask_take_over,
    decline_take_over,
    settle_take_overs,
)
from tocsin.incidents.actions.tasking import (
    end_sub_team,
    end_task,
    form_sub_team,
    give_task,
    report_condition,
)
from tocsin.incidents.actions.team_end import (
    accept_hand_over,
    dissolve_team,
    offer_hand_over,
    withdraw_hand_over,
)
from tocsin.incidents.actions.tense import note_people_issue, settle_people_issue
from tocsin.incidents.actions.undoing import undo
from tocsin.incidents.actions.updates import record_update

__all__ = [
    "accept_hand_over",
    "accept_take_over",
    "acknowledge",
    "acknowledge_decision",
    "acknowledge_escalation",
    "advance_escalations",
    "annotate",
    "answer_prompt",
    "answer_question",
    "answer_suggestion",
    "ask_question",
    "ask_role",
    "ask_take_over",
    "assign_role",
    "cancel",
    "categorize",
    "change_impact",
    "change_priority",
    "change_severity",
    "channel_failed",
    "channel_opened",
    "choose_groups",
    "classify_for_authority",
    "close",
    "declare",
    "decline_take_over",
    "dissolve_team",
    "end_sub_team",
    "end_task",
    "enter_line",
    "escalate",
    "escalate_to_management",
    "escalate_to_team",
    "form_sub_team",
    "fulfil_obligation",
    "give_task",
    "introduce",
    "link_upstream",
    "mark_complex",
    "merge",
    "move",
    "name_team",
    "note_change",
    "note_conflict",
    "note_people_issue",
    "offer_hand_over",
    "open_channel",
    "page_failed",
    "pass_page",
    "post_ground_rules",
    "press_unfilled_roles",
    "pull_in",
    "record_decision",
    "record_update",
    "release_role",
    "remind_of_decisions",
    "reopen",
    "reopen_still_burning",
    "report_by_customer",
    "report_condition",
    "report_decision",
    "report_to_authority",
    "resolve",
    "settle_conflict",
    "settle_people_issue",
    "settle_take_overs",
    "snooze",
    "state_known",
    "state_scope",
    "take_alert_changes",
    "take_page",
    "tell_channels",
    "tell_late_obligations",
    "tell_late_reports",
    "undo",
    "unmerge",
    "waive_check",
    "waive_obligation",
    "withdraw_hand_over",
    "withdraw_waiver",
]
