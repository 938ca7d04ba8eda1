"""The ledger's words, as a person says them."""

from functions.escalate.outcome import Reason

REASONS: dict[str, str] = {
    Reason.DISPOSITION_LISTED: "this disposition is one of those to alert on",
    Reason.DISPOSITION_FAMILY: "the word is new, and begins like one to alert on",
    Reason.DISPOSITION_BELOW_THE_LINE: "this disposition is not one of those to alert on",
    Reason.DISPOSITION_NOT_GIVEN: "Cloudflare gave no disposition",
    Reason.NO_DETECTION: "Cloudflare had no detection for this id, also not at the last look",
    Reason.MALFORMED_BODY: "the request was malformed",
    Reason.INVALID_ID: "the request named no id that can be asked about",
    Reason.ACCOUNT_NOT_CONFIGURED: "the request named another account",
    Reason.INVALID_ANSWER: "what the decision needs was not in Cloudflare's answer as its contract says",
    Reason.UNKNOWN_DISPOSITION: "Cloudflare gave a disposition that nobody knows",
    Reason.REFUSED_BY_CLOUDFLARE: "Cloudflare refused the question, and would refuse it again",
    Reason.DEFERRED_TOO_LONG: "it could not be answered for days",
}
"""Those that are ever recorded; a later release may have others."""

OUTCOMES = {
    "ESCALATED": "to alert",
    "CLOSED": "to tell those who were alerted that it has changed",
    "NOT_ESCALATED": "not to alert",
    "NOT_FOUND": "to give up looking",
    "REJECTED": "to reject the request: it went to the dead-letter queue",
}
DELIVERED = {
    "true": "in an inbox",
    "false": "in no inbox",
    "unknown": "whether it is in an inbox is not known",
}


def counted(count: int, one: str, many: str | None = None) -> str:
    """`1 link`, `2 links`."""
    return f"{count:,} {one if count == 1 else many or one + 's'}"


def duration(seconds: float) -> str:
    """A length of time, as finely as it matters: `0.3 s`, `12 s`, `4 min 10 s`, `2 h 5 min`, `3 d 4 h`."""
    if seconds < 10:
        return f"{seconds:.1f} s"
    units = (("d", 86400), ("h", 3600), ("min", 60), ("s", 1))
    whole = round(seconds)
    parts: list[str] = []
    for unit, size in units:
        if whole >= size or parts:
            parts.append(f"{whole // size} {unit}")
            whole %= size
    return " ".join(part for part in parts[:2] if not part.startswith("0 "))
