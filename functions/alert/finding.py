"""An alert for machines: an OCSF 1.5 Detection Finding, as schemas/alert.schema.json describes it.

What OCSF has no place for stands in `unmapped`: the ids in Cloudflare's forms, the rule, the counts, and what went.
"""

from collections.abc import Iterator
from datetime import datetime
from typing import Any

from functions.alert import ocsf
from functions.alert.evidence import email, enrichments, is_url, observables, source
from functions.alert.words import found, headline
from functions.cloudflare.contract import FAMILIES
from functions.cloudflare.contract import VERSION as SCHEMA_VERSION
from functions.cloudflare.excerpt import Excerpt
from functions.ledger.record import Activity, Record, moment
from functions.release import RELEASE

_MAPPED = frozenset({"headers", "links", "attachments"})
"""Fields of a detection that OCSF takes as they are. The others are given as Cloudflare gave them."""
NOTHING = Excerpt({}, {}, ())


def finding(record: Record, detection: Excerpt, context: Excerpt = NOTHING) -> dict[str, object]:
    """The finding about a record that has a disposition, with what was kept of its detection and of its context."""
    activity, number = record.activity, ocsf.ACTIVITIES[record.activity]
    status_id, status = ocsf.STATUSES[activity]
    (action_id, action), (disposition_id, disposition) = ocsf.CONTROLS[record.delivery]
    sender = detection.fields["sender_info"]
    mail = email(detection.fields, context.fields)
    evidence = {"uid": record.id.postfix_id, "email": mail, "src_endpoint": source(sender)}
    return {
        "activity_id": number,
        "activity_name": activity.value,
        "category_uid": ocsf.CATEGORY,
        "category_name": ocsf.CATEGORY_NAME,
        "class_uid": ocsf.CLASS,
        "class_name": ocsf.CLASS_NAME,
        "type_uid": ocsf.CLASS * 100 + number,
        "type_name": f"{ocsf.CLASS_NAME}: {activity}",
        "severity_id": ocsf.SEVERITIES[record.severity or ""],
        "severity": record.severity,
        "status_id": status_id,
        "status": status,
        "is_alert": activity is not Activity.CLOSE,
        "time": _epoch_ms(record.decided_at),
        "message": headline(record),
        "action_id": action_id,
        "action": detection.fields.get("action") or action,
        "disposition_id": disposition_id,
        "disposition": disposition,
        "metadata": _metadata(record),
        "finding_info": _finding_info(record, detection),
        "evidences": [{name: it for name, it in evidence.items() if it}],
        "enrichments": enrichments(detection.fields["validation"]),
        "observables": observables(mail, sender),
        "unmapped": _unmapped(record, detection, context),
    }


def _metadata(record: Record) -> dict[str, object]:
    return {
        "version": ocsf.VERSION,
        "product": {"name": "Email Security", "vendor_name": "Cloudflare"},
        "profiles": ["security_control"],
        "uid": f"{record.alert_id}-{_epoch_ms(record.decided_at)}",
        "correlation_uid": record.id.postfix_id,
        "event_code": record.disposition,
        "tenant_uid": record.account_id,
        "original_time": moment(record.queued_at),
        "log_version": RELEASE,
    }


def _finding_info(record: Record, detection: Excerpt) -> dict[str, object]:
    categories = detection.fields["threat_categories"]
    findings = detection.fields["findings"]
    info: dict[str, object] = {
        "uid": record.alert_id,
        "title": headline(record),
        "desc": " ".join(found(record)),
        "created_time": _epoch_ms(record.decided_at),
        "types": [it["name"] for it in categories if it.get("name")],
        "analytic": {"type_id": ocsf.OTHER_ANALYTIC, "type": "Other", "name": "Cloudflare Email Security"},
        "related_analytics": list(_analytics(findings)),
        "attacks": list(_attacks(record)),
    }
    if record.previous:
        info["related_events"] = [{"uid": record.previous.alert_id, "title": record.previous.disposition}]
    return {name: value for name, value in info.items() if value != []}


def _analytics(findings: list[dict[str, Any]]) -> Iterator[dict[str, object]]:
    for it in findings:
        if name := it.get("name") or it.get("detail"):
            reason = {"desc": it["reason"]} if it.get("reason") else {}
            yield {"type_id": ocsf.OTHER_ANALYTIC, "type": "Other", "name": name} | reason


def _attacks(record: Record) -> Iterator[dict[str, dict[str, str]]]:
    if record.detection is None or not (record.disposition or "").startswith(FAMILIES):
        return
    technique = {"technique": ocsf.PHISHING, "tactic": ocsf.INITIAL_ACCESS}
    counts = record.detection.counts
    ways = [way for name, way in (("attachments", ocsf.BY_ATTACHMENT), ("links", ocsf.BY_LINK)) if counts[name]]
    yield from ({**technique, "sub_technique": way} for way in ways)
    if not ways:
        yield technique


def _unmapped(record: Record, detection: Excerpt, context: Excerpt) -> dict[str, object]:
    dropped = [*detection.dropped, *(f"context.{name}" for name in context.dropped)]
    told = (
        {"disposition": record.previous.disposition, "alert_id": record.previous.alert_id} if record.previous else None
    )
    attachments = detection.fields["attachments"]
    links = detection.fields["links"]
    known: dict[str, object] = {
        "alert_id": record.alert_id,
        "id": record.id.value,
        "cloudflare_alert_id": record.cloudflare_alert_id,
        "investigate_id": record.investigate_id,
        "disposition": record.disposition,
        "previous": told,
        "reason": record.reason,
        "escalate_on": list(record.escalate_on),
        "release": RELEASE,
        "schema_version": SCHEMA_VERSION,
        "queued_at": moment(record.queued_at),
        "fetched_at": moment(record.fetched_at),
        "decided_at": moment(record.decided_at),
        "delivered": record.delivery.delivered,
        "delivery_status": context.fields.get("delivery_status"),
        "delivery_mode": context.fields.get("delivery_mode"),
        "scanned_at": context.fields.get("scanned_at"),
        "sent_at": context.fields.get("sent_at"),
        "contract_drift": list(record.drift),
        "counts": detection.counts | {f"context.{name}": count for name, count in context.counts.items()},
        "truncated": bool(dropped),
        "dropped": dropped,
        "detection": {name: it for name, it in detection.fields.items() if name not in _MAPPED},
        "attachments": _beside(attachments, "detection"),
        "links": _beside([it for it in links if is_url(it)], "text"),
    }
    return {name: value for name, value in known.items() if value is not None}


def _beside(items: list[dict[str, Any]], member: str) -> list[dict[str, Any]]:
    """What the items of a list have that OCSF's do not, in the same order."""
    return [{member: it[member]} if it.get(member) else {} for it in items]


def _epoch_ms(at: datetime) -> int:
    return int(at.timestamp() * 1000)
