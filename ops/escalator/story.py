"""What the ledger knows about a mail, told in the order in which it happened: pure.

A record is told as events: a time, a word for what happened, and sentences. The text is as it was recorded, and still
has to be made safe for wherever it is shown.
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from ops.escalator.words import DELIVERED, OUTCOMES, REASONS, counted, duration

_LISTS = {
    "links": ("link", "links"),
    "attachments": ("attachment", "attachments"),
    "findings": ("finding", "findings"),
    "threat_categories": ("threat category", "threat categories"),
    "headers": ("header", "headers"),
}
_MOST = 5
"""Of a list, in a sentence."""


@dataclass(frozen=True, slots=True)
class Event:
    """at: as recorded; empty where it has no time of its own. urgent: whether somebody should act on it."""

    at: str
    what: str
    said: tuple[str, ...]
    urgent: bool = False


@dataclass(frozen=True, slots=True)
class Chapter:
    """One record: what was decided, and its events."""

    id: str
    title: str
    severity: str
    state: str
    events: tuple[Event, ...]


def chapters(records: Sequence[Mapping[str, Any]], now: datetime) -> list[Chapter]:
    """Records, in the order in which they were decided. now: by which a lease has run out or not."""
    return [
        Chapter(
            id=it["id"],
            title=it.get("disposition") or it["outcome"],
            severity=it.get("severity", ""),
            state=it["state"],
            events=tuple(_events(it, now)),
        )
        for it in records
    ]


def ending(standing: Mapping[str, Any]) -> str:
    """What was last told about a mail, in a sentence."""
    mail, word, alert = standing["entry"].partition("/")[2], standing["disposition"], standing["alert_id"]
    before = f", after {standing['previous_disposition']}" if "previous_disposition" in standing else ""
    closed = "" if standing["escalated"] else ", which is no longer one to alert on"
    return f"{mail} was last told about as {word}{before}{closed} (alert {alert})"


def _events(it: Mapping[str, Any], now: datetime) -> Iterator[Event]:
    yield from _mail(it)
    yield Event(it.get("queued_at", ""), "queued", (f"by SQS message {it.get('sqs_message_id', 'unknown')}",))
    if "fetched_at" in it and it["outcome"] != "REJECTED":
        yield Event(it["fetched_at"], "fetched", tuple(_fetched(it)))
    if drift := it.get("drift"):
        yield Event(
            "", "drift", ("the answer did not match Cloudflare's contract, which stopped nothing:", *_some(drift))
        )
    yield Event(it["decided_at"], "decided", tuple(_decided(it)), urgent=it["outcome"] == "REJECTED")
    if "claimed_at" in it:
        yield Event(it["claimed_at"], "claimed", tuple(_claimed(it)))
    yield _end(it, now)


def _mail(it: Mapping[str, Any]) -> Iterator[Event]:
    context, detection = it.get("context", {}), it.get("detection", {})
    sender, validation = detection.get("sender_info", {}), detection.get("validation", {})
    author = [context[name] for name in ("from", "from_name") if name in context]
    network = f"AS{sender['as_number']}" if "as_number" in sender else ""
    origin = (it.get("sender_domain"), it.get("sender_ip"), sender.get("as_name"), network, sender.get("geo"))
    checks = [f"{name.upper()} {validation[name]}" for name in ("spf", "dkim", "dmarc") if name in validation]
    facts = {
        "subject": context.get("subject", ""),
        "from": ", ".join(author),
        "to": _listed(_recipients(context)),
        "sent by": ", ".join(part for part in origin if part),
        "checks": ", ".join(checks),
    }
    yield from (Event("", what, (said,)) for what, said in facts.items() if said)


def _recipients(context: Mapping[str, Any]) -> list[str]:
    """By mailbox, by envelope, by header: each once."""
    lists = (context.get(name, ()) for name in ("client_recipients", "envelope_to", "to"))
    return list(dict.fromkeys(address for addresses in lists for address in addresses))


def _fetched(it: Mapping[str, Any]) -> Iterator[str]:
    if "detection" not in it:
        yield "Cloudflare had no detection"
        return
    action = it["detection"].get("action")
    yield f"Cloudflare says {it.get('disposition', 'no disposition')}" + (
        f"; its action was {action}" if action else ""
    )
    counts = it.get("detection_counts", {})
    found = [counted(counts[name], *words) for name, words in _LISTS.items() if counts.get(name)]
    yield f"found {', '.join(found) if found else 'no links, attachments or findings'}"
    categories = [it.get("name") for it in it["detection"].get("threat_categories", ())]
    if named := [name for name in categories if name]:
        yield f"threat: {_listed(named)}"
    if dropped := it.get("detection_dropped"):
        yield f"too long to be recorded whole: {', '.join(dropped)}"


def _decided(it: Mapping[str, Any]) -> Iterator[str]:
    outcome, reason = it["outcome"], it["reason"]
    why = f"{REASONS[reason]} ({reason})" if reason in REASONS else reason
    yield f"{OUTCOMES.get(outcome, outcome)}: {why}"
    if detail := it.get("detail"):
        yield detail
    if severity := it.get("severity"):
        status = f" ({', '.join(it['delivery_status'])})" if it.get("delivery_status") else ""
        delivered = it.get("delivered")
        yield f"severity {severity}" + (f"; {DELIVERED.get(delivered, delivered)}{status}" if delivered else "")
    if before := it.get("previous_disposition"):
        alert = f" by alert {it['previous_alert_id']}" if "previous_alert_id" in it else ""
        yield f"until then it had been told about as {before}{alert}"
    yield f"by the rule: alert on {', '.join(it.get('escalate_on', ())) or 'nothing'}"
    yield f"as read by schema {it.get('schema_version', 'unknown')} and release {it.get('release', 'unknown')}"


def _claimed(it: Mapping[str, Any]) -> Iterator[str]:
    yield f"by invocation {it.get('owner', 'unknown')}, to publish alert {it.get('alert_id', 'unknown')}"
    if it.get("claims", 1) > 1:
        yield f"for the {it['claims']}. time: who had claimed it before did not finish, or could not say so"


def _end(it: Mapping[str, Any], now: datetime) -> Event:
    """How far it came."""
    match it["state"]:
        case "SENT":
            return Event(it.get("published_at", ""), "published", tuple(_published(it)))
        case "PENDING":
            return Event("", "pending", tuple(_pending(it, now)), urgent=True)
        case _:
            told = it["outcome"] in ("ESCALATED", "CLOSED")
            said = "complete without an alert: there was no topic to tell" if told else "nobody was to be alerted"
            if it["outcome"] == "REJECTED":
                said = "nobody was alerted, for nobody could say whether to: look at the mail yourself"
            return Event("", "recorded", (said,), urgent=it["outcome"] == "REJECTED")


def _published(it: Mapping[str, Any]) -> Iterator[str]:
    yield f"alert {it.get('alert_id', 'unknown')}"
    yield f"as SNS message {it.get('sns_message_id', 'unknown')}"
    if "published_at" in it and "queued_at" in it:
        took = (datetime.fromisoformat(it["published_at"]) - datetime.fromisoformat(it["queued_at"])).total_seconds()
        yield f"{duration(took)} after it was queued"


def _pending(it: Mapping[str, Any], now: datetime) -> Iterator[str]:
    until = datetime.fromisoformat(it["lease_until"]) if "lease_until" in it else datetime.min.replace(tzinfo=UTC)
    if until > now:
        yield f"in work: the claim holds for another {duration((until - now).total_seconds())}"
        yield "look again after that"
        return
    since = f" {duration((now - until).total_seconds())} ago" if "lease_until" in it else ""
    yield f"the claim ran out{since}, and nobody said that the alert is out: it may have been sent, or not"
    yield "the next delivery of the request takes it up again and alerts, with the same alert id"
    yield "where that does not come: `escalator redrive list`, or send the id again; and tell people yourself meanwhile"


def _some(texts: Sequence[str]) -> list[str]:
    more = len(texts) - _MOST
    return [*texts[:_MOST], *([f"and {more:,} more"] if more > 0 else [])]


def _listed(texts: Sequence[str]) -> str:
    return ", ".join(_some(texts))
