"""What is published about a decision: the same facts for machines, for people, and for a chat.

alert.py       one SNS message: a body for each kind of subscriber, attributes for filters; always small enough
finding.py     the JSON: an OCSF 1.5 Detection Finding      (schemas/alert.schema.json)
ocsf.py        OCSF's numbers for Cloudflare's words
evidence.py    the mail, in OCSF's terms
email_text.py  the text that an e-mail subscriber reads
chat.py        the JSON that Amazon Q Developer shows in Slack and Teams
words.py       what all of them say of a mail in plain words, and what to do about it
plain_text.py  text that an attacker wrote, made safe to show
mask.py        recipients' addresses made unreadable, where a deployment wants that
"""
