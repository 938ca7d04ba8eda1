"""`escalator`, the operator's command line: `ops/bin/escalator`, or `python -m ops.escalator`.

    cli.py          the command: its global options, errors and exit codes
    options.py      options that several commands share: table, queues, time range, record values
    aws.py          AWS clients, stack outputs, AWS errors in one line
    commands/       one module for each command
    records/        queries of the table, and items parsed into dataclasses
    views/          a record as a row or a timeline; statistics over records
    report/         the HTML report
    dead_letters/   the dead-letter queue: read, select, send back, delete
    feed/           the feed: its state, its function, Cloudflare's list against the ledger
    output/         console, export formats, resumable files, progress
    text/           labels; text safe for terminals, CSV safe for spreadsheets

A new command is a module in commands/ and one line in cli.py.
"""
