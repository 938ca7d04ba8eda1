"""The report: one HTML file about the records of a period. It needs no network and runs no script but its own.

    page.py         records in, the file out, in one pass: the template, its content security policy, the data block
    page.html       the template, with slots for page.css and page.js
    period.py       the time range, and the bars of its chart
    record_view.py  what the page shows of one record: a line of the list, and its details
    formatting.py   values as text that is safe to show
    counts.py       counts over all records
    summary.py      the counts as figures, charts and tables
    charts.py       bar charts as SVG
    escape.py       escaping for HTML and for the data block

Text that a sender may have written is defanged in `formatting.py`. HTML is escaped where it is written, and the script
only ever creates text from the data.
"""
