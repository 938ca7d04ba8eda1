"""`escalator feed`: the state of the feed, Cloudflare's list against the ledger, and what the ledger lacks."""

from collections.abc import Iterator
from datetime import UTC, datetime
from typing import Any

import click

from functions.domain.record import moment
from ops.escalator.feed.comparison import Compared, Comparison, Place, Totals
from ops.escalator.feed.options import FeedPlace, feed_options
from ops.escalator.feed.status import FeedStatus, read_status
from ops.escalator.options import time_range_options
from ops.escalator.output.console import Output
from ops.escalator.records.time_range import TimeRange
from ops.escalator.text.labels import counted

RUN_COLUMNS = ("at", "result", "requests", "rows", "queued", "late", "unresolved", "detail")
PLACE_COLUMNS = ("disposition", *(it.value for it in Place), "only_here")
json_option = click.option("--json", "form", flag_value="json", help="Write JSON.")


@click.group()
def feed() -> None:
    """Watch the feed, compare Cloudflare's list with the records, and queue what is missing.

    \b
    Example:
      escalator feed status --stack cloudflare-email-alerts
      escalator feed reconcile --since 7d --stack cloudflare-email-alerts
    """  # noqa: D301  # click\'s \b keeps the lines as they are


@feed.command("status")
@feed_options
@click.option("--probe", is_flag=True, help="Find out what Cloudflare does not document about its search.")
@json_option
def status(place: FeedPlace, form: str | None, *, probe: bool) -> None:
    """Show how far the feed has come, its last runs and its counts.

    It reads the table only. The exit status is 1 if the feed has not run yet. With --probe, the feed's function sends up to
    four requests to Cloudflare instead, and the answer says how the search of this account behaves. It has no content of
    an email, so you can send it to us.

    \b
    Example:
      escalator feed status --stack cloudflare-email-alerts
      escalator feed status --probe --stack cloudflare-email-alerts
    """  # noqa: D301  # click\'s \b keeps the lines as they are
    output = Output(form)
    if probe:
        output.record(place.function().probe())
        return
    found = read_status(place.reader, place.account_id, datetime.now(UTC))
    if output.form == "json":
        output.record(found.as_json())
        return
    output.record(found.lines())
    if found.runs:
        output.note("\nLast runs")
        output.rows(RUN_COLUMNS, _runs(found), prose=["detail"])


def _runs(found: FeedStatus) -> Iterator[dict[str, Any]]:
    for run in found.runs:
        counts = {name: run.counts[name] or "" for name in RUN_COLUMNS if name in run.counts}
        yield {"at": moment(run.at), "result": run.result, "detail": run.detail, **counts}


@feed.command("reconcile")
@feed_options
@time_range_options
@click.option(
    "--limit",
    type=click.IntRange(0),
    default=20,
    show_default=True,
    metavar="N",
    help="Show at most N missing deliveries. All are counted.",
)
@json_option
def reconcile(place: FeedPlace, time_range: TimeRange, limit: int, form: str | None) -> None:
    """Compare Cloudflare's list with the records, and change nothing.

    The exit status is 1 if a delivery that escalates has no alert here. The feed's function lists, within its share of the
    rate limit: 5,000 deliveries take up to a minute, and a longer list waits for its requests.

    \b
    Example:
      escalator feed reconcile --since 7d --stack cloudflare-email-alerts
    """  # noqa: D301  # click\'s \b keeps the lines as they are
    output, comparison, totals = Output(form), Comparison(place.reader, place.account_id), Totals()
    missing: list[Compared] = []
    count = 0
    for part in place.function().slices(time_range):
        totals.unreadable += part.unreadable
        for compared in comparison.compare(part.rows, datetime.now(UTC)):
            totals.add(compared)
            if compared.is_missing:
                count += 1
                if len(missing) < limit:
                    missing.append(compared)
    for _, disposition in comparison.only_here(totals.listed, time_range):
        totals.only_here[disposition] += 1
    _show(output, time_range, totals, missing, count)
    raise click.exceptions.Exit(1 if count else 0)


def _show(output: Output, time_range: TimeRange, totals: Totals, missing: list[Compared], count: int) -> None:
    dispositions = sorted({*totals.counts, *totals.only_here})
    rows = [
        {
            "disposition": it,
            **{place.value: totals.counts[it][place] for place in Place},
            "only_here": totals.only_here[it],
        }
        for it in dispositions
    ]
    listed = [{"id": it.row.id.value, "disposition": it.row.disposition, "why": it.why} for it in missing]
    if output.form == "json":
        output.record(
            {
                "since": moment(time_range.since),
                "until": moment(time_range.until),
                "dispositions": rows,
                "missing_count": count,
                "missing": listed,
                "not_closed": totals.not_closed,
                "unreadable": totals.unreadable,
            }
        )
        return
    output.rows(PLACE_COLUMNS, rows)
    if listed:
        output.note("Missing here")
        output.rows(("id", "disposition", "why"), listed, prose=["why"])
    if more := count - len(listed):
        click.echo(f"and {counted(more, 'more delivery', 'more deliveries')}", err=True)
    if totals.not_closed:
        click.echo(
            f"{counted(totals.not_closed, 'delivery does', 'deliveries do')} not escalate any more, and the alert is not"
            " closed; the hourly or daily sweep closes it",
            err=True,
        )
    if totals.unreadable:
        click.echo(f"{counted(totals.unreadable, 'row')} of the list had no usable id", err=True)
    verdict = f"{counted(count, 'delivery', 'deliveries')} that should have an alert: missing here" if count else ""
    click.echo(verdict or "No delivery that escalates is missing here.", err=True)


@feed.command("backfill")
@feed_options
@time_range_options
@click.option("--disposition", "dispositions", multiple=True, metavar="WORD", help="Only this disposition. Repeatable.")
@click.option("--notify", is_flag=True, required=True, help="Publish an alert for each email, as for a new one.")
@click.option("--send", is_flag=True, help="Queue the deliveries. Without it, the command only counts them.")
@click.option(
    "--per-minute",
    type=click.IntRange(1, 150),
    default=60,
    show_default=True,
    metavar="N",
    help="Deliveries a minute. Each takes two requests of the function, which has 184 a minute by default.",
)
def backfill(
    place: FeedPlace, *, time_range: TimeRange, dispositions: tuple[str, ...], notify: bool, send: bool, per_minute: int
) -> None:
    """Queue the deliveries that `reconcile` reports as missing. Without --send, it only counts them.

    The feed's function queues them at a steady pace. After an interruption, run the same command again: what has an alert, or
    was queued in the last 15 minutes, is not queued again.

    \b
    Example:
      escalator feed backfill --since 30d --disposition malicious --notify --stack cloudflare-email-alerts
    """  # noqa: D301  # click\'s \b keeps the lines as they are
    del notify  # the only way so far; it must be given, so that alerts are never a surprise
    function, comparison = place.function(), Comparison(place.reader, place.account_id)
    wanted = {it.upper() for it in dispositions}
    size, found, emails, queued = min(10, per_minute), 0, set[str](), 0
    for part in function.slices(time_range):
        compared = comparison.compare(part.rows, datetime.now(UTC))
        rows = [it.row for it in compared if it.is_missing and (not wanted or it.row.disposition in wanted)]
        found += len(rows)
        emails |= {row.id.email for row in rows}
        for first in range(0, len(rows) if send else 0, size):
            chunk = rows[first : first + size]
            queued += len(function.queue(chunk))
            click.echo(f"Queued {queued:,} of {found:,} so far.", err=True)
            function.sleep(60 * len(chunk) / per_minute)
    alerts = f"{counted(found, 'delivery', 'deliveries')} of {counted(len(emails), 'email')} without an alert"
    if send:
        click.echo(f"{alerts}; {queued:,} queued")
        raise click.exceptions.Exit(0 if queued == found else 1)
    click.echo(
        f"{alerts}: up to {len(emails):,} alerts, in about {-(-found // per_minute):,} min. Pass --send to queue them."
    )
