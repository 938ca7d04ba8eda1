"""`escalator`, the operator's command line: `ops/bin/escalator`, or `python -m ops.escalator`.

    cli.py           the command and its options for all, what an error looks like, the exit codes
    connection.py    AWS: clients, the outputs of a stack, and its errors in one line
    whereabouts.py   the options that say where AWS is
    output.py        rows and records as a table, tab-separated text, JSON or CSV; text.py makes their text safe
    redrive.py       `escalator redrive`: what lies on the dead-letter queue, sent back or deleted
      queues.py        which queues are meant
      choice.py        which messages are meant
      deed.py          asking, acting, and telling what was done
      dead_letter.py   one message of the dead-letter queue
      dead_letters.py  all of them: the edge to SQS, which loses none

    tables.py        which table is meant; trail.py asks it, and is the edge to DynamoDB
      span.py          from when until when
      question.py      what is asked for, and which index has the answer
      filters.py       the options for both
      cursor.py        where an answer was left
    history.py       `escalator history`: what was decided, newest first; columns.py makes a record a row
    explain.py       `escalator explain`: the whole story of one mail; story.py tells it, in the words of words.py
    stats.py         `escalator stats`: how many and how fast; figures.py counts
    export.py        `escalator export`: records into a file, in one of formats.py
      unfinished.py    a file that goes on after an interruption
    page.py          `escalator report`: a page to be read and sent on; report/ makes it
    progress.py      the bar of the last two

A group of commands is a module like redrive.py, and one line in cli.py.
"""
