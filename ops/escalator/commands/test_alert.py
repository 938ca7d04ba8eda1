"""`escalator test-alert`: send a marked test through the topics to every subscriber."""

from datetime import UTC, datetime

import click

from functions.alert.alert import describe
from functions.alert.notice import Notice
from functions.domain.severity import Severity
from ops.escalator.alerts.publish import alert_options, publish, receivers, topics_of, with_notification
from ops.escalator.alerts.sample import sample_record
from ops.escalator.aws import Connection
from ops.escalator.options import Word, connection_options
from ops.escalator.output.console import Output, output_option
from ops.escalator.text.labels import counted

COLUMNS = ("topic", "protocol", "endpoint", "result", "why")


@click.command("test-alert")
@connection_options
@click.option("--stack", required=True, metavar="NAME", help="CloudFormation stack whose subscribers get the test.")
@click.option(
    "--severity",
    type=Word(Severity),
    default=Severity.CRITICAL.value,
    show_default=True,
    help="Severity of the test. Filters and NotifySeverity treat it as that of an alert.",
)
@output_option
def test_alert(connection: Connection, stack: str, severity: str, form: str | None) -> None:
    """Send a test alert to every subscriber, and list which subscriptions it reaches.

    Its subject begins with [TEST], its attribute `activity` is Test, and its finding has `is_alert` false. It is about an
    email that does not exist. Nothing is recorded. A subscription whose filter asks for another activity does not get it.
    The exit status is 1 if no subscription gets it.

    \b
    Example:
      escalator test-alert --stack cloudflare-email-alerts
      escalator test-alert --severity High --stack cloudflare-email-alerts
    """  # noqa: D301  # click's \b keeps the lines as they are
    described = connection.stack(stack)
    topics, account_id = topics_of(described), described.parameters.get("CloudflareAccountId", "")
    record = with_notification(sample_record(account_id, Severity(severity.title()), datetime.now(UTC)), described)
    alert = describe(record, alert_options(described), notice=Notice.TEST)
    found = list(receivers(connection, topics, alert))
    publish(connection, topics, alert)
    Output(form).rows(COLUMNS, (it.row() for it in found), prose=["why"])
    reached = sum(it.gets_it for it in found)
    click.echo(f"Sent: {alert.subject}", err=True)
    verdict = f"{counted(reached, 'subscription')} of {len(found)} gets it" if reached == 1 else ""
    click.echo(verdict or f"{reached} of {counted(len(found), 'subscription')} get it", err=True)
    raise click.exceptions.Exit(0 if reached else 1)
