"""What an alert says in plain words: headline, summary and next steps.

No sentence quotes the email, so all of them are safe in a subject line or a title.
"""

from functions.domain.message_details import Delivery
from functions.domain.record import Activity, Record

_LOCATIONS = {
    Delivery.DELIVERED: "in an inbox",
    Delivery.MOVED: "moved out of inbox",
    Delivery.HELD: "quarantined",
    Delivery.REJECTED: "rejected",
    Delivery.UNDER_WAY: "not delivered yet",
    Delivery.UNKNOWN: "delivery unknown",
}
_DELIVERY = {
    Delivery.DELIVERED: "It is in an inbox.",
    Delivery.MOVED: "It was moved out of an inbox. A recipient may have read it.",
    Delivery.HELD: "Quarantined. No recipient has it.",
    Delivery.REJECTED: "Rejected. No recipient has it.",
    Delivery.UNDER_WAY: "It is not delivered yet, but may still arrive.",
    Delivery.UNKNOWN: "It is not known whether it was delivered.",
}
_VERDICTS = {
    "MALICIOUS-BEC": "Cloudflare's verdict: malicious, business email compromise. Such an email asks for money or data in the"
    " name of someone you know.",
    "MALICIOUS": "Cloudflare's verdict: malicious, part of an active campaign.",
    "SUSPICIOUS": "Cloudflare's verdict: suspicious. It looks like phishing and is still under analysis.",
    "": "Cloudflare does not call it malicious, but this deployment alerts on this disposition.",
}
_NOT_RECEIVED = (Delivery.HELD, Delivery.REJECTED)
_LOCATE = "Find out where it is: search for its ID in Cloudflare. If it is in an inbox, move it."
_FIRST_STEPS = {
    Delivery.DELIVERED: "Remove it from every inbox: search for its ID in Cloudflare, then move it.",
    Delivery.MOVED: "Ask each recipient whether they opened it.",
    Delivery.HELD: "Leave it in quarantine. Do not release it, even if a recipient asks.",
    Delivery.REJECTED: "Nothing to remove: no mailbox has it.",
    Delivery.UNDER_WAY: _LOCATE,
    Delivery.UNKNOWN: _LOCATE,
}
_IF_OPENED = {
    "payment": "If a recipient replied, phone to stop the requested payment or change.",
    "both": "If a recipient opened a file or a link, disconnect the machine from the network. Reset the password and end all"
    " sessions.",
    "file": "If a recipient opened a file, disconnect the machine from the network before you examine it.",
    "link": "If a recipient entered a password, reset it and end that account's sessions.",
    "none": "If a recipient replied, find out what they disclosed and inform the people affected.",
}
_FIND_SIMILAR = "Look for similar emails: same sender, same links, same files."


def headline(record: Record) -> str:
    """Describe the alert in one line of printable ASCII."""
    if record.activity is Activity.CLOSE:
        previous = record.previous.disposition if record.previous else "escalated"
        return f"Email is now {record.disposition}, no longer {previous}"
    return f"{record.disposition} email, {_LOCATIONS[record.delivery]}"


def summary(record: Record) -> list[str]:
    """Return verdict, change and delivery of the email, as sentences."""
    disposition, previous = record.disposition or "", record.previous
    if record.activity is Activity.CLOSE:
        change = f" The previous alert said {previous.disposition}." if previous else ""
        return [f"Cloudflare now classifies this email as {disposition}, which does not raise an alert.{change}"]
    sentences = [_by_family(_VERDICTS, disposition)]
    if previous and previous.disposition != disposition:
        sentences.append(f"Cloudflare changed its verdict. The previous alert said {previous.disposition}.")
    return [*sentences, _DELIVERY[record.delivery]]


def next_steps(record: Record) -> tuple[str, str, str]:
    """Return what to do, in three steps."""
    if record.activity is Activity.CLOSE:
        return (
            "Stop any response to the previous alert that is still in progress.",
            "Undo what was done: release the email if its recipients need it.",
            "Keep the record of the previous alert: it shows what was known at the time.",
        )
    first = _FIRST_STEPS[record.delivery]
    if record.delivery in _NOT_RECEIVED:
        return (
            first,
            f"{_FIND_SIMILAR} One of them may have been delivered.",
            "If it is harmless, report it to Cloudflare as a false positive.",
        )
    return first, _IF_OPENED[_lure_type(record)], _FIND_SIMILAR


def _lure_type(record: Record) -> str:
    """Return what the recipient is lured to open: a key of `_IF_OPENED`."""
    detection = record.detection
    if (record.disposition or "").startswith("MALICIOUS-BEC"):
        return "payment"
    files, links = (bool(detection and detection.counts[name]) for name in ("attachments", "links"))
    if files and links:
        return "both"
    return "file" if files else "link" if links else "none"


def _by_family(table: dict[str, str], disposition: str) -> str:
    return next(text for family, text in table.items() if disposition.startswith(family))
