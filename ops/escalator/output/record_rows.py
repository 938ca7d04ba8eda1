"""Write records as rows: in the format that was asked for, as they arrive."""

from collections.abc import Iterable

from ops.escalator.output.console import Output
from ops.escalator.records.stored_record import AnyRecord
from ops.escalator.views.row import CSV_COLUMNS, PIPE_COLUMNS, STYLES, fit_columns, flat_row, table_row


def write_records(output: Output, pages: Iterable[Iterable[AnyRecord]]) -> None:
    """Write pages of records. On a terminal each page is a table, because its columns depend on the width of its texts."""
    records = (record for page in pages for record in page)
    match output.form:
        case "json":
            output.rows((), (record.item for record in records))
        case "csv":
            output.rows(CSV_COLUMNS, map(flat_row, records))
        case "plain":
            output.rows(PIPE_COLUMNS, map(flat_row, records))
        case _:
            for page in pages:
                if rows := [table_row(it) for it in page]:
                    columns, rows = fit_columns(rows, output.width)
                    output.rows(columns, rows, styles=STYLES)
