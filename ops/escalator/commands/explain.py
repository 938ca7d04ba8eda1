"""`escalator explain`: the history of one email."""

from collections.abc import Iterator, Sequence
from datetime import UTC, datetime

import click
from rich.console import Group, RenderableType
from rich.padding import Padding
from rich.table import Table
from rich.text import Text

from functions.domain.email_id import EmailId
from functions.domain.record import moment
from functions.ledger.keys import email_of
from ops.escalator.aws import CommandFailed
from ops.escalator.options import table_options, whole_retention
from ops.escalator.output.completeness import period
from ops.escalator.output.console import Output, output_option
from ops.escalator.output.unreadable import UnreadableCounter
from ops.escalator.records.query import RecordQuery
from ops.escalator.records.reader import EmailRecords, RecordReader
from ops.escalator.records.reading import Reading, email_id, id_readings
from ops.escalator.records.stored_record import StoredEmail, UnreadableRecord
from ops.escalator.text.sanitize import one_line
from ops.escalator.views.row import CSV_COLUMNS, STYLES, flat_row
from ops.escalator.views.timeline import Event, RecordTimeline, email_events, record_timeline


@click.command()
@click.argument("id")
@table_options
@output_option
def explain(reader: RecordReader, id: str, form: str | None) -> None:
    """Explain the decisions about one email as a timeline.

    The timeline says what was decided, by which rule, and which alert was sent. The last part has the email's last alert
    and each of its deliveries with its disposition. ID is the `alert_id` of an alert (32 hexadecimal digits), or an email
    id in any of Cloudflare's three forms: a postfix id, Cloudflare's alert id or an investigate id. Records under the
    other forms are included. If there is no record, the exit status is 1. Times are UTC.

    \b
    Example:
      escalator explain 4gZJ8d1HhYz7V2L --stack cloudflare-email-alerts
    """  # noqa: D301  # click's \b keeps the lines as they are
    ids = id_readings(id)
    if not ids:
        raise click.UsageError(
            f"{id!r} is not an email id. Pass an id as Cloudflare gives it, such as 4gZJ8d1HhYz7V2L or a longer form of it,"
            " or the `alert_id` of an alert. To search for anything else, use `escalator find`."
        )
    postfix_id, email = explained_email(reader, ids)
    if not email.records:
        kinds = " or ".join(it.what for it in reversed(ids))
        raise CommandFailed(
            f"no record of {postfix_id} in {reader.table}: check the id and the table. It was searched for as {kinds} in"
            f" all records, {period(whole_retention())}. Records expire after RecordRetentionDays, and decisions not to"
            " alert are recorded only with RecordAll"
        )
    unreadable = UnreadableCounter()
    records = list(unreadable.watch(email.records))
    output, timelines = Output(form), [record_timeline(it, datetime.now(UTC)) for it in records]
    emails = [(email_name(it), email_events(it)) for it in unreadable.watch(email.emails)]
    match output.form:
        case "json":
            items = [it.item for it in records]
            output.record({"id": id, "records": items, "emails": [it.item for it in email.emails]})
        case "csv":
            output.rows(CSV_COLUMNS, map(flat_row, records))
        case "plain":
            output.rows(("at", "what", "sentence"), _lines(timelines, emails))
        case _:
            output.show(*_headed(postfix_id, timelines), *_summed_up(emails))
    unreadable.report("--json prints such records as recorded.")


def explained_email(reader: RecordReader, ids: Sequence[Reading]) -> tuple[str, EmailRecords]:
    """The email that one of the ids belongs to, with its postfix id. An email id is looked up first: it costs one query."""
    postfix_id, email = ids[0].value, EmailRecords((), ())
    for reading in reversed(ids):
        known = reading.id or _email_of_alert(reader, reading.value)
        if known:
            postfix_id, email = known.postfix_id, reader.email(known)
        if email.records:
            break
    return postfix_id, email


def _email_of_alert(reader: RecordReader, alert_id: str) -> EmailId | None:
    query = RecordQuery(whole_retention(), {"alert_id": alert_id})
    found = next((record for page in reader.pages(query, limit=1) for record in page.records), None)
    return email_id(email_of(found.position.sk)) if found else None


Emails = Sequence[tuple[str, Sequence[Event]]]
"""What is known of each email now."""


def email_name(stored: StoredEmail | UnreadableRecord) -> str:
    """How a heading names an email."""
    return stored.position.sk if isinstance(stored, UnreadableRecord) else f"{stored.email} of {stored.account_id}"


def _lines(timelines: Sequence[RecordTimeline], emails: Emails) -> Iterator[dict[str, str]]:
    for record in timelines:
        title = " ".join(filter(None, (record.title, record.severity, record.state, record.id)))
        yield {"at": "", "what": "record", "sentence": title}
        yield from _sentences(record.events)
    for name, events in emails:
        yield {"at": "", "what": "email", "sentence": name}
        yield from _sentences(events)


def _sentences(events: Sequence[Event]) -> Iterator[dict[str, str]]:
    for event in events:
        for sentence in event.sentences:
            yield {"at": moment(event.at) if event.at else "", "what": event.what, "sentence": sentence}


def _headed(postfix_id: str, timelines: Sequence[RecordTimeline]) -> Iterator[RenderableType]:
    yield Text(f"Email {postfix_id}", "bold")
    for number, record in enumerate(timelines, 1):
        heading = Text.assemble((f"{number} of {len(timelines)}  " if len(timelines) > 1 else "", "dim"))
        heading.append(one_line(record.title), "bold").append("  ")
        heading.append(record.severity, STYLES["severity"].get(record.severity, "")).append("  ")
        heading.append(record.state, STYLES["state"].get(record.state, "green"))
        if record.id != postfix_id:
            heading.append(f"  {one_line(record.id)}", "dim")
        yield Group("", heading, Padding(_timeline(record.events), (0, 0, 0, 1)))


def _summed_up(emails: Emails) -> Iterator[RenderableType]:
    for name, events in emails:
        heading = Text.assemble(("Now  ", "bold"), (one_line(name) if len(emails) > 1 else "", "dim"))
        yield Group("", heading, Padding(_timeline(events), (0, 0, 0, 1)))


def _timeline(events: Sequence[Event]) -> Table:
    grid = Table.grid(padding=(0, 2, 0, 0))
    grid.add_column(no_wrap=True, min_width=len("06:38:34.602"))
    grid.add_column(no_wrap=True)
    grid.add_column(overflow="fold")
    day = ""
    for event in events:
        at = moment(event.at) if event.at else ""
        if at and at[:10] != day:
            day = at[:10]
            grid.add_row(Text(day, "bold"))
        sentences = Group(*(Text(one_line(it), "yellow" if event.urgent else "") for it in event.sentences))
        grid.add_row(Text(at[11:23], "dim"), Text(event.what, "bold yellow" if event.urgent else "cyan"), sentences)
    return grid
