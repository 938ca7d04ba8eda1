"""What waits, since when and why, and whether anything is lost: one screen.

part.py      a part that is known, or why it is not
log.py       outcomes and the rate limit, from the log
waiting.py   requests that wait, by reason
letters.py   dead letters, by reason
alerts.py    alerts of the last hour and day
overview.py  all parts, each read for itself
cause.py     what keeps alerts from being sent, and since when
verdict.py   the first lines: what is wrong, since when, is anything lost
screen.py    the text, at most 80 columns wide
facts.py     the same for programs
"""
