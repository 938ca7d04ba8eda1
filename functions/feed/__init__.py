"""The feed: lists Cloudflare's search on a schedule, and queues what nothing else has queued.

Start with `runner.py`. The other modules:

    handler.py    what Lambda imports
    app.py        the composition root
    settings.py   the settings: environment variables, validated
    commands.py   what an operator asks for
    windows.py    pure: which period a loop lists next, and what a success or a failure changes
    selection.py  pure: which rows are queued
    budget.py     pure: the requests that the feed may send
    state.py      what the feed remembers between runs
    store.py      the table: the state with its lease, and an entry for each queued delivery
    queue.py      the requests queue
    details.py    emails whose alerts went out without message details
    telemetry.py  one log line and the metrics of a run
"""
