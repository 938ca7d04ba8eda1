"""Build the alert about a decision, for machines, people and chats.

alert.py          one SNS message: a body for each protocol, attributes for filter policies, always within SNS's limits
guidance.py       what every body says in plain words: headline, summary, what to do
email_text.py     the text that an email subscriber reads
chat.py           the JSON that Amazon Q Developer shows in Slack and Teams
ocsf_finding.py   the JSON for machines: an OCSF 1.5 Detection Finding (schemas/alert.schema.json)
ocsf_evidence.py  the email in OCSF's terms
ocsf_codes.py     OCSF's numbers for Cloudflare's words
sanitize.py       text from the sender, made safe to show
notice.py         what a test or a repeat says of itself
telephones.py     telephone numbers that no phone dials when they are touched
mask.py           recipients' addresses, masked if the deployment asks for it
"""
