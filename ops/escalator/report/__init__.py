"""The report: one HTML file about the records of a period, which needs no network and runs no script but its own.

    page.py       records in, the file out, in one pass: the template, its content security policy, and the data block
    page.html     the template; page.css and page.js go into it
    period.py     which time it is about
    entry.py      what the page is told of one record: a line of the list, and its detail
    timeline.py   the times of one record, in their order
    shown.py      values of a record as text that is safe to show
    tally.py      what is counted over all records
    summary.py    what was counted, as figures, charts and tables
    bars.py       a table that draws a bar in each of its rows
    days.py       the chart of escalations over time; series.py says which dispositions it tells apart
    markup.py     text on its way into HTML and into the data block

Everything that a mail's sender may have written is defanged in `shown.py`, before anything else sees it; what is
written into HTML is escaped where it is written, and the script only ever makes text of it.
"""
