"""What an alert says in plain words: headline, summary and next steps.

No sentence quotes the email, so all of them are safe in a subject line or a title.
"""

from functions.alert import campaign
from functions.alert.lure import Lure, is_unexplained, lure_of
from functions.domain.header_fields import HeaderFields
from functions.domain.message_details import Delivery, EmailKind
from functions.domain.record import Activity, Record

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
_UNEXPLAINED = "Cloudflare's verdict: suspicious, without a reason."
_NOT_RECEIVED = (Delivery.HELD, Delivery.REJECTED)
_LOCATE = (
    "Find out where it is: search for its postfix ID in Cloudflare. If it is in an inbox, move it to the deleted items."
)
_FIRST_STEPS = {
    Delivery.DELIVERED: "Remove it from every inbox: search for its postfix ID in Cloudflare, then move it to the deleted items.",
    Delivery.MOVED: "Ask each recipient whether they opened it.",
    Delivery.HELD: "Leave it in quarantine. Do not release it, even if a recipient asks.",
    Delivery.REJECTED: "Nothing to remove: no mailbox has it.",
    Delivery.UNDER_WAY: _LOCATE,
    Delivery.UNKNOWN: _LOCATE,
}
_IF_OPENED = {
    Lure.PAYMENT: "If a recipient replied or paid, stop the payment or change: phone the bank, and the person named on a"
    " number that you know.",
    Lure.CALL: "If a recipient called the number, find out what they disclosed, paid or installed.",
    Lure.BOTH: "If a recipient opened a file or a link, isolate the machine from the network. Reset the password and end all"
    " sessions.",
    Lure.MACHINE: "If a recipient opened a file, isolate the machine from the network before you examine it.",
    Lure.CREDENTIALS: "If a recipient entered a password, reset the password and end that account's sessions.",
    Lure.REPLY: "If a recipient replied, find out what they disclosed and inform the people affected.",
}
_LOOK = "Look at the email in Cloudflare before you take action: search for its postfix ID."
_IF_HARMFUL = {
    Delivery.DELIVERED: "If it is harmful, remove it from every inbox. If not, report it to Cloudflare as a false positive.",
    Delivery.MOVED: "If it is harmful, ask each recipient whether they opened it.",
    Delivery.HELD: "If it is harmless, release it. If not, leave it in quarantine.",
}
_ASK_ABOUT_SIMULATION = "Ask the team that runs your phishing simulations whether this email is theirs."
_MODES = {
    "RETRO_SCAN": "A retro scan found it: the email is older than this alert.",
    "SIMULATION_SUBMISSION": "It was submitted as a simulation, so it is probably no attack. People are not notified.",
    "REVIEW_SUBMISSION": "It was submitted for review. Where this copy is says nothing about the email itself.",
    "THREAT_INTEL_SUBMISSION": "It was submitted as threat intelligence. Where this copy is says nothing about the email itself.",
}
"""By Cloudflare's delivery mode: the emails that did not arrive just now."""
_REPORTED = "A user has reported it: it was in at least one mailbox."
_KINDS = {
    EmailKind.ORDINARY: "",
    EmailKind.REPORTED: "Reported by a user: ",
    EmailKind.SUBMITTED: "Submitted: ",
    EmailKind.SIMULATION: "Simulation: ",
}


def headline(record: Record) -> str:
    """Describe the alert in one line of printable ASCII."""
    if record.activity is Activity.CLOSE:
        previous = record.previous.disposition if record.previous else "escalated"
        return f"Email is now {record.disposition}, no longer {previous}"
    return f"{_KINDS[record.kind]}{record.disposition} email, {record.location}"


def summary(record: Record, fields: HeaderFields) -> list[str]:
    """Return verdict, change, delivery and what is unusual about the email, as sentences."""
    disposition, previous = record.disposition or "", record.previous
    if record.activity is Activity.CLOSE:
        change = f" The previous alert said {previous.disposition}." if previous else ""
        return [f"Cloudflare now classifies this email as {disposition}, which does not raise an alert.{change}"]
    unexplained = disposition.startswith("SUSPICIOUS") and is_unexplained(record)
    sentences = [_UNEXPLAINED if unexplained else _by_family(_VERDICTS, disposition)]
    sentences += filter(None, [_MODES.get(_mode(record)), _REPORTED if record.kind is EmailKind.REPORTED else ""])
    if previous and previous.disposition != disposition:
        sentences.append(f"Cloudflare changed its verdict. The previous alert said {previous.disposition}.")
    return [
        *sentences,
        f"{record.location[0].upper()}{record.location[1:]}." if _is_mixed(record) else _DELIVERY[record.delivery],
        *campaign.sentences(record),
        *(f"It has several {name} headers: recipients may see another one than you do." for name in fields.repeated),
    ]


def next_steps(record: Record, fields: HeaderFields) -> tuple[str, str, str]:
    """Return what to do, in three steps."""
    if record.activity is Activity.CLOSE:
        return (
            "Stop any response to the previous alert that is still in progress.",
            "Undo what was done: release the email if its recipients need it.",
            "Keep the record of the previous alert: it shows what was known at the time.",
        )
    first, similar = _FIRST_STEPS[record.delivery], _find_similar(record, fields)
    if record.kind is EmailKind.SIMULATION:
        return _ASK_ABOUT_SIMULATION, f"If it is not, treat it as an attack. {first}", similar
    if (record.disposition or "").startswith("SUSPICIOUS") and is_unexplained(record):
        return _LOOK, _IF_HARMFUL.get(record.delivery, first), similar
    if record.delivery in _NOT_RECEIVED:
        return (
            first,
            f"{similar} One of them may have been delivered.",
            "If it is harmless, report it to Cloudflare as a false positive.",
        )
    return first, _IF_OPENED[lure_of(record)], similar


def _mode(record: Record) -> str:
    """Cloudflare's delivery mode; empty if it is not known."""
    source = record.details or record.feed
    return ((source.delivery_mode if source else None) or "").strip().upper()


def _find_similar(record: Record, fields: HeaderFields) -> str:
    """The step of looking for other emails, by what this one has and the search finds."""
    detection = record.detection
    parts = [
        "same sender",
        *(["same reply address"] if fields.other_reply_to else []),
        *(["same links"] if detection and detection.links else []),
        *(["same files"] if detection and any(it.md5 or it.sha1 or it.sha256 for it in detection.attachments) else []),
    ]
    return f"Look for similar emails: {', '.join(parts)}."


def _is_mixed(record: Record) -> bool:
    """Whether the recipients of the email differ in where it is."""
    return record.location != record.delivery.label


def _by_family(table: dict[str, str], disposition: str) -> str:
    return next(text for family, text in table.items() if disposition.startswith(family))
