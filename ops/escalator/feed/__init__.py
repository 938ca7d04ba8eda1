"""The feed as an operator sees it.

    status.py      what the table says about its runs
    function.py    the edge to the feed's function: invoke it, and list the search through it
    comparison.py  Cloudflare's list against the ledger
    options.py     options of the commands

The commands are in commands/feed.py. The function's side is in functions/feed/commands.py.
"""
