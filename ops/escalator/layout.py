"""How the ledger's table lies: its keys, its indexes, and the pointers that make lists searchable. (Stand-in.)"""

BY_TIME, BY_DISPOSITION, BY_SEVERITY = "by_time", "by_disposition", "by_severity"
BY_SENDER_DOMAIN, BY_SENDER_IP, PENDING = "by_sender_domain", "by_sender_ip", "pending"
POINTERS = ("link_host", "attachment_sha256", "category", "recipient")
SEVERITIES = ("Critical", "High", "Medium", "Low", "Informational")
IN_PROGRESS = "yes"


def facet_value(text: str) -> str:
    """A value as it is compared: without regard to case and to blanks around it."""
    return text.strip().lower()[:500]


def pointer_about(facet: str, value: str) -> str:
    """The partition of the pointers to all records with this value."""
    return f"{facet}={facet_value(value)}"


def pointer_entry(decided_at: str, record_entry: str) -> str:
    """The sort key of the pointer to one record."""
    return f"{decided_at} {record_entry}"
