"""Check a deployment end to end: one module for each area, with pure checks of facts that are read before.

check.py      one line of the result
examine.py    all areas, in the order in which a message travels
stack.py      the CloudFormation stack and its outputs
function.py   functions, the trigger of the queue, the schedule of the feed
probe.py      what the function says of secret, token, permission, rate limit and clock
queue.py      the requests queue and the dead-letter queue
table.py      the table, also after a restore
topic.py      topics, subscriptions and their filters
alarms.py     alarms, and who gets them
log_group.py  logs
feed.py       how far the feed has come
"""
