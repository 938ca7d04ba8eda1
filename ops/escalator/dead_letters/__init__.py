"""The dead-letter queue: select messages, act on them, report the results."""
