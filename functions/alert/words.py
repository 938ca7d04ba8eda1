"""What an alert says in plain words: what was found, where the mail is, and what to do about it.

Nothing here quotes the mail. The words are ours, so that a subject line or a title can be made of them.
"""

from functions.cloudflare.context import Delivery
from functions.ledger.record import Activity, Record

_PLACES = {
    Delivery.DELIVERED: "in an inbox",
    Delivery.MOVED: "moved out",
    Delivery.HELD: "held",
    Delivery.REJECTED: "rejected",
    Delivery.UNDER_WAY: "under way",
    Delivery.UNKNOWN: "delivery unknown",
}
_DELIVERY = {
    Delivery.DELIVERED: "It is in an inbox.",
    Delivery.MOVED: "It was in an inbox and has been moved out of it. Somebody may have read it.",
    Delivery.HELD: "It is held in quarantine: nobody has it.",
    Delivery.REJECTED: "It was rejected: nobody has it.",
    Delivery.UNDER_WAY: "It is still under way: it may arrive yet.",
    Delivery.UNKNOWN: "Whether it was delivered is unknown.",
}
_FOUND = {
    "MALICIOUS-BEC": "Cloudflare is sure: it is malicious, business e-mail compromise. Such a mail asks for money or data in"
    " the name of somebody you know.",
    "MALICIOUS": "Cloudflare is sure: it is malicious, part of an active campaign.",
    "SUSPICIOUS": "Cloudflare is not sure yet: it looks like phishing, and is still under analysis.",
    "": "Cloudflare does not call it malicious. This deployment alerts on it all the same.",
}
_NOBODY_HAS_IT = (Delivery.HELD, Delivery.REJECTED)
_FIND_OUT = "Find out where it is: look it up in Cloudflare by its id. Move it if it is in an inbox."
_FIRST_STEPS = {
    Delivery.DELIVERED: "Take it out of the inboxes: look it up in Cloudflare by its id, and move it.",
    Delivery.MOVED: "Ask whoever got it whether they opened it.",
    Delivery.HELD: "Leave it where it is, and release it for nobody who asks.",
    Delivery.REJECTED: "Nothing has to be taken back.",
    Delivery.UNDER_WAY: _FIND_OUT,
    Delivery.UNKNOWN: _FIND_OUT,
}
_IF_OPENED = {
    "payment": "If anybody has answered, stop the payment or the change that the mail asks for, by telephone.",
    "both": "If anybody has opened a file or a link, take the machine off the network, and reset password and sessions.",
    "file": "If anybody has opened a file, take the machine off the network before you look at it.",
    "link": "If anybody has typed in a password, reset it, and end that account's sessions.",
    "none": "If anybody has answered, find out what was said, and tell those whom it concerns.",
}
_FIND_ALIKE = "Look for others like it: same sender, same links, same files."


def headline(record: Record) -> str:
    """What an alert is about, in one line of printable ASCII."""
    if record.activity is Activity.CLOSE:
        before = record.previous.disposition if record.previous else "worse"
        return f"Mail is {record.disposition} now, no longer {before}"
    return f"{record.disposition} mail, {_PLACES[record.delivery]}"


def found(record: Record) -> list[str]:
    """What was found, how sure Cloudflare is, and where the mail is: a sentence each."""
    disposition, previous = record.disposition or "", record.previous
    if record.activity is Activity.CLOSE:
        before = f" Before, it said {previous.disposition}." if previous else ""
        return [f"Cloudflare now calls this mail {disposition}, which is nothing to alert on.{before}"]
    said = [_by_family(_FOUND, disposition)]
    if previous and previous.disposition != disposition:
        said.append(f"Cloudflare has changed its mind: before, it said {previous.disposition}.")
    return [*said, _DELIVERY[record.delivery]]


def next_steps(record: Record) -> tuple[str, str, str]:
    """What to do, in three steps."""
    if record.activity is Activity.CLOSE:
        return (
            "Stop what the earlier alert began, where it is not done yet.",
            "Give back what was taken: release the mail if people need it.",
            "Keep the earlier alert's record: it says what was known at the time.",
        )
    first = _FIRST_STEPS[record.delivery]
    if record.delivery in _NOBODY_HAS_IT:
        return (
            first,
            f"{_FIND_ALIKE} One of them may have come through.",
            "If it is harmless after all, tell Cloudflare so, and it learns.",
        )
    return first, _IF_OPENED[_lure(record)], _FIND_ALIKE


def _lure(record: Record) -> str:
    """What the mail wants opened."""
    detection = record.detection
    if (record.disposition or "").startswith("MALICIOUS-BEC"):
        return "payment"
    files, links = (bool(detection and detection.counts[name]) for name in ("attachments", "links"))
    if files and links:
        return "both"
    return "file" if files else "link" if links else "none"


def _by_family(table: dict[str, str], disposition: str) -> str:
    return next(words for family, words in table.items() if disposition.startswith(family))
