"""Cloudflare's Email Security API, as far as escalation needs it.

message_id.py   the three forms in which a mail is named
client.py       the investigate endpoints: a mail's detection, by whichever form of its id, and its context
credentials.py  the secret: cached, and looked up again when it is refused
pace.py         how fast we may ask, and when not at all
transport.py    one GET, with a total deadline and a cap on size
envelope.py     status, headers and body -> a result, or one of the errors
contract.py     the answer against schemas/detection.schema.json
found.py        a result, read at once and held against the contract
detection.py    a detection, as data
context.py      who got the mail, and where it is
values.py       how their values are read
recipients.py   whom a mail was for, as far as anything in it says so
excerpt.py      either of them, made to fit
errors.py       what can go wrong, by what is to be done about it
"""
