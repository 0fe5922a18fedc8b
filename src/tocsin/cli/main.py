"""The command `tocsin`. Django, NumPy and the rest are imported by the verbs that need them: `tocsin ack` must be quick."""

from __future__ import annotations

import click

from tocsin.cli import (
    adoption,
    authorities,
    chat,
    consumer_views,
    desk,
    explain,
    imports,
    incident_course,
    incident_rank,
    incident_sorting,
    incidents,
    oncall,
    people,
    policies,
    postmortems,
    priorities,
    process_maps,
    process_people,
    process_reading,
    proposals,
    reports,
    server,
    slo_bench,
    slo_ledger,
    slo_lint,
    slos,
    teams,
    update_drafts,
    wellbeing,
    what_if,
    wiring,
)


@click.group(context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 100})
@click.version_option(package_name="tocsin")
def cli() -> None:
    """Incident response on top of SLOs.

    TOCSIN_URL says where the server is (default http://127.0.0.1:8080), TOCSIN_TOKEN who asks.
    """


for command in (
    adoption.coach,
    adoption.discover,
    adoption.explain,
    adoption.resource_alert,
    adoption.wish,
    chat.adapter,
    chat.chat,
    imports.import_group,
    incidents.now_command,
    incidents.incident,
    incidents.update,
    oncall.escalation,
    oncall.oncall,
    people.group,
    people.integration,
    people.service,
    people.subscriber,
    teams.team,
    people.token,
    people.user,
    people.webhook,
    policies.policy,
    postmortems.action,
    postmortems.postmortem,
    reports.report,
    server.audit,
    proposals.process,
    server.version,
    slos.apply_command,
    priorities.priority,
    slos.slo,
    wiring.wiring,
):
    cli.add_command(command)
slos.slo.add_command(slo_bench.bench)
for command in update_drafts.COMMANDS:
    incidents.update.add_command(command)
slos.slo.add_command(slo_ledger.ledger)
slos.slo.add_command(slo_lint.lint)
for command in consumer_views.COMMANDS:
    slos.priority.add_command(command)
for command in (*incident_course.COMMANDS, *incident_sorting.COMMANDS, *desk.COMMANDS):
    incidents.incident.add_command(command)
reports.report.add_command(incident_course.figures)
incidents.incident.add_command(reports.of_incident)
people.user.add_command(process_people.training)
adoption.explain.add_command(process_maps.explain_process)
for command in (*process_reading.COMMANDS, *process_people.COMMANDS):
    proposals.process.add_command(command)
for command in (*wellbeing.COMMANDS, *incident_rank.COMMANDS, *postmortems.OF_AN_INCIDENT, *authorities.COMMANDS):
    incidents.incident.add_command(command)
incidents.incident.add_command(reports.waive_check)
slos.slo.add_command(explain.explain_slo)
slos.slo.add_command(what_if.test_slo)
priorities.priority.add_command(what_if.what_if)
priorities.priority.add_command(what_if.fallback)
cli.add_command(incidents.ack, "ack")
cli.add_command(incidents.resolve, "res")
