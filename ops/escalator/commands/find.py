"""`escalator find`: find records by any text that an operator has."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from heapq import merge
from itertools import islice

import click

from functions.domain.search_values import SearchKind
from ops.escalator.options import table_options, whole_retention
from ops.escalator.output.completeness import period, report_limit
from ops.escalator.output.console import Output, output_option
from ops.escalator.output.record_rows import write_records
from ops.escalator.output.unreadable import UnreadableCounter
from ops.escalator.records.query import RecordQuery
from ops.escalator.records.reader import RecordReader
from ops.escalator.records.reading import Reading, readings, subject_reading
from ops.escalator.records.stored_record import AnyRecord
from ops.escalator.records.time_range import TimeRange
from ops.escalator.text.labels import counted
from ops.escalator.text.sanitize import one_line

LIMIT = 100


@click.command()
@click.argument("text", nargs=-1, required=True)
@table_options
@click.option(
    "--limit", type=click.IntRange(1), default=LIMIT, show_default=True, metavar="N", help="Maximum number of records."
)
@output_option
def find(reader: RecordReader, text: tuple[str, ...], limit: int, form: str | None) -> None:
    """Find records by any text: an id, an indicator, or words of the subject.

    TEXT is the `alert_id` of an alert (32 hexadecimal digits), an email id in any form, a Message-ID, an address, a host,
    a URL, an IP address, a hash of an attachment, or words of the subject. It can be pasted from an alert, a mail client
    or a browser, also defanged, or be one field of a log line. Put it in quotes.

    The command searches all records, newest first. Stderr says what the text was taken for, and what was searched.
    If nothing is found, the exit status is 0. `history` searches by named options, which can be combined, in a time
    range.

    \b
    Examples:
      escalator find "hxxps[://]login[.]evil[.]example/a" --stack cloudflare-email-alerts
      escalator find 57708d0808cb77fc74398f15ab70feec --stack cloudflare-email-alerts
      escalator find "overdue invoice" --json --stack cloudflare-email-alerts
    """  # noqa: D301  # click's \b keeps the lines as they are
    searches = [Search(it) for it in readings(" ".join(text))]
    if not searches:
        raise click.UsageError("the text is empty. Pass an id, an address, a host, a hash or words of the subject.")
    output, time_range, unreadable = Output(form), whole_retention(), UnreadableCounter()
    found = unreadable.watch(find_records(reader, searches, time_range))
    write_records(output, [islice(found, limit)])
    is_cut = next(found, None) is not None
    unreadable.report("--json prints such records as recorded.")
    for search in searches:
        click.echo(search.result(is_cut=is_cut), err=True)
    click.echo(f"Searched the table {reader.table}, {period(time_range)}: all records that are kept.", err=True)
    if is_cut:
        click.echo(f"There are more records. Raise --limit {limit}, or use `escalator history`.", err=True)
    elif not any(search.count for search in searches):
        click.echo(
            "No records found. Records expire after RecordRetentionDays, and decisions not to alert are recorded only"
            " with RecordAll.",
            err=True,
        )
    for search in searches:
        if search.reading.name in {*SearchKind}:
            report_limit(reader, SearchKind(search.reading.name), time_range)


@dataclass(slots=True)
class Search:
    """The search for one reading of the text. count: records found so far."""

    reading: Reading
    count: int = 0

    def records(self, reader: RecordReader, time_range: TimeRange) -> Iterator[AnyRecord]:
        """Yield the records, newest first."""
        for record in self._records(reader, time_range):
            self.count += 1
            yield record

    def _records(self, reader: RecordReader, time_range: TimeRange) -> Iterator[AnyRecord]:
        if self.reading.id:
            yield from reversed(reader.email(self.reading.id).records)
            return
        query = RecordQuery(time_range, {self.reading.name: self.reading.value})
        limit = 1 if self.reading.name == "alert_id" else None
        for page in reader.pages(query, limit=limit):
            yield from page.records

    def result(self, *, is_cut: bool) -> str:
        """What the text was taken for, and how many records were found. is_cut: there may be more."""
        count = counted(self.count, "record") if self.count else "no records"
        count = f"at least {count}" if is_cut and self.count else count
        return f"Searched for {self.reading.what} {one_line(self.reading.value)}: {count}."


def find_records(reader: RecordReader, searches: list[Search], time_range: TimeRange) -> Iterator[AnyRecord]:
    """Yield the records of all searches, newest first, each once.

    A word with the form of an id can also be a word of a subject. If no email has it, the subjects are searched.
    """
    yield from _merged(reader, searches, time_range)
    if all(it.reading.id or it.reading.name == "alert_id" for it in searches) and not any(it.count for it in searches):
        searches.append(Search(subject_reading(searches[0].reading.value)))
        yield from _merged(reader, searches[-1:], time_range)


def _merged(reader: RecordReader, searches: Sequence[Search], time_range: TimeRange) -> Iterator[AnyRecord]:
    seen = set()
    found = (it.records(reader, time_range) for it in searches)
    for record in merge(*found, key=lambda it: it.position.decided_at, reverse=True):
        if (key := (record.position.pk, record.position.sk)) not in seen:
            seen.add(key)
            yield record
