"""`escalator`, the operator's command line: `ops/bin/escalator`, or `python -m ops.escalator`.

    cli.py           the command and its options for all, what an error looks like, the exit codes
    connection.py    AWS: clients, the outputs of a stack, and its errors in one line
    output.py        rows and records as a table, tab-separated text, JSON or CSV; text.py makes their text safe
    redrive.py       `escalator redrive`: what lies on the dead-letter queue, sent back or deleted
      queues.py        which queues are meant
      choice.py        which messages are meant
      deed.py          asking, acting, and telling what was done
      dead_letter.py   one message of the dead-letter queue
      dead_letters.py  all of them: the edge to SQS, which loses none

A group of commands is a module like redrive.py, and one line in cli.py.
"""
