"""The alert for machines: an OCSF 1.5 Detection Finding, described by schemas/alert.schema.json.

`unmapped` holds what OCSF has no field for: Cloudflare's ids, the rule, the counts, and what was dropped for size.
"""

from collections.abc import Iterator, Sequence
from datetime import datetime
from typing import Any

from functions.alert import ocsf_codes as ocsf
from functions.alert.guidance import headline, next_steps, summary
from functions.alert.notice import TEST_ACTIVITY, Notice, prefix
from functions.alert.ocsf_evidence import MAX_ADDRESSES, email, enrichments, observables, source
from functions.cloudflare.contract import VERSION as SCHEMA_VERSION
from functions.domain.campaign import CopyCounts
from functions.domain.detection import Link, read_detection
from functions.domain.header_fields import HeaderFields
from functions.domain.ordered_links import host_shown, ordered_links
from functions.domain.record import Activity, Record, moment
from functions.domain.severity import FAMILIES
from functions.domain.times import read_time
from functions.domain.truncate import Truncated
from functions.release import RELEASE

_MAPPED = frozenset({"headers", "links", "attachments"})
"""Fields of a detection that have an OCSF field. `unmapped.detection` holds the others, as Cloudflare gave them."""
_DETAILS = (
    *("delivery_mode", "edf_hash", "htmltext_structure_hash", "is_phish_submission", "post_delivery_operations"),
    *("smtp_previous_hop_ip", "smtp_helo_server_ip"),
)
"""Fields of the message details that OCSF has no field for."""
ANALYTIC_UID = "cloudflare-email-security"
EMPTY = Truncated({}, {}, ())


def finding(
    record: Record,
    fields: HeaderFields,
    detection: Truncated,
    details: Truncated = EMPTY,
    *,
    notice: Notice | None = None,
    copies: CopyCounts | None = None,
) -> dict[str, object]:
    """Build the finding about a record with disposition and severity.

    detection, details: what is left of the record's detection and message details after truncation.
    notice: marks a test, which is no alert, or a repeat. copies: the emails of its campaign before it.
    """
    is_test, number = notice is Notice.TEST, ocsf.ACTIVITIES[record.activity]
    status_id, status = ocsf.STATUSES[record.activity]
    activity, type_name = record.activity.value, record.activity.value
    if is_test:
        activity, type_name, number = TEST_ACTIVITY, "Other", ocsf.OTHER_ACTIVITY
    (action_id, action), (disposition_id, disposition) = ocsf.CONTROLS[record.delivery]
    confidence_id, confidence = next(
        it for family, it in ocsf.CONFIDENCES.items() if (record.disposition or "").startswith(family)
    )
    risk_id, risk = ocsf.RISK_LEVELS[record.severity or ""]
    sender = detection.fields["sender_info"]
    links = [it for it in ordered_links(read_detection(detection.fields)) if it.href]
    email_object = email(fields, detection.fields, details.fields, links)
    evidence = {"uid": record.id.postfix_id, "email": email_object, "src_endpoint": source(sender)}
    return {
        "activity_id": number,
        "activity_name": activity,
        "category_uid": ocsf.CATEGORY,
        "category_name": ocsf.CATEGORY_NAME,
        "class_uid": ocsf.CLASS,
        "class_name": ocsf.CLASS_NAME,
        "type_uid": ocsf.CLASS * 100 + number,
        "type_name": f"{ocsf.CLASS_NAME}: {type_name}",
        "confidence_id": confidence_id,
        "confidence": confidence,
        "risk_level_id": risk_id,
        "risk_level": risk,
        "severity_id": ocsf.SEVERITIES[record.severity or ""],
        "severity": record.severity,
        "status_id": status_id,
        "status": status,
        "is_alert": record.activity is not Activity.CLOSE and not is_test,
        "time": _epoch_ms(record.decided_at),
        "message": f"{prefix(notice)}{headline(record)}",
        **({"comment": notice.sentence} if notice else {}),
        "action_id": action_id,
        "action": detection.fields.get("action") or action,
        "disposition_id": disposition_id,
        "disposition": disposition,
        "remediation": {"desc": " ".join(f"{n}. {step}" for n, step in enumerate(next_steps(record, fields), 1))},
        "metadata": _metadata(record),
        "finding_info": _finding_info(record, fields, detection),
        "evidences": [{name: it for name, it in evidence.items() if it}],
        "enrichments": enrichments(detection.fields["validation"]),
        "observables": observables(email_object, sender, _hosts(record)),
        "unmapped": _unmapped(record, detection, details, links) | _campaign(record, copies),
    }


def _metadata(record: Record) -> dict[str, object]:
    return {
        "version": ocsf.VERSION,
        "product": {"name": "Email Security", "vendor_name": "Cloudflare"},
        "profiles": ["security_control"],
        "uid": f"{record.alert_id}-{_epoch_ms(record.decided_at)}",
        "correlation_uid": record.campaign.id if record.campaign else record.id.postfix_id,
        "event_code": record.disposition,
        "tenant_uid": record.account_id,
        "original_time": moment(record.queued_at),
        "log_version": RELEASE,
    }


def _finding_info(record: Record, fields: HeaderFields, detection: Truncated) -> dict[str, object]:
    categories = detection.fields["threat_categories"]
    findings = detection.fields["findings"]
    info: dict[str, object] = {
        "uid": record.finding_uid,
        "title": headline(record),
        "desc": " ".join(summary(record, fields)),
        "created_time": _epoch_ms(record.decided_at),
        "types": [it["name"] for it in categories if it.get("name")],
        "analytic": {
            "type_id": ocsf.OTHER_ANALYTIC,
            "type": "Other",
            "uid": ANALYTIC_UID,
            "name": "Cloudflare Email Security",
        },
        "related_analytics": list(_analytics(findings)),
        "attacks": list(_attacks(record)),
    }
    if scanned := read_time(record.details.scanned_at if record.details else None):
        info["first_seen_time"] = _epoch_ms(scanned)
    if record.previous:
        info["related_events"] = [{"uid": record.previous.alert_id, "title": record.previous.disposition}]
    return {name: value for name, value in info.items() if value != []}


def _analytics(findings: list[dict[str, Any]]) -> Iterator[dict[str, object]]:
    for item in findings:
        if name := item.get("name") or item.get("detail"):
            reason = {"desc": item["reason"]} if item.get("reason") else {}
            yield {"type_id": ocsf.OTHER_ANALYTIC, "type": "Other", "name": name} | reason


def _attacks(record: Record) -> Iterator[dict[str, dict[str, str]]]:
    if record.detection is None or not (record.disposition or "").startswith(FAMILIES):
        return
    technique = {"technique": ocsf.PHISHING, "tactic": ocsf.INITIAL_ACCESS}
    counts = record.detection.counts
    by_list = {"attachments": ocsf.BY_ATTACHMENT, "links": ocsf.BY_LINK}
    sub_techniques = [it for name, it in by_list.items() if counts[name]]
    yield from ({**technique, "sub_technique": it} for it in sub_techniques)
    if not sub_techniques:
        yield technique


def _hosts(record: Record) -> list[str]:
    """The hosts of the first links. They come from links of full length: a cut URL may have lost its host."""
    links = ordered_links(record.detection)[: 10 * MAX_ADDRESSES] if record.detection else ()
    return [*filter(None, map(host_shown, links))]


def _unmapped(record: Record, detection: Truncated, details: Truncated, links: Sequence[Link]) -> dict[str, object]:
    dropped = [*detection.dropped, *(f"details.{name}" for name in details.dropped)]
    previous = (
        {"disposition": record.previous.disposition, "alert_id": record.previous.alert_id} if record.previous else None
    )
    attachments = detection.fields["attachments"]
    members: dict[str, object] = {
        "alert_id": record.alert_id,
        "id": record.id.value,
        "cloudflare_alert_id": record.cloudflare_alert_id,
        "investigate_id": record.investigate_id,
        "disposition": record.disposition,
        "previous": previous,
        "reason": record.reason,
        "escalate_on": list(record.escalate_on),
        "release": RELEASE,
        "schema_version": SCHEMA_VERSION,
        "queued_at": moment(record.queued_at),
        "fetched_at": moment(record.fetched_at),
        "decided_at": moment(record.decided_at),
        "delivered": record.delivery.delivered,
        "delivery_status": details.fields.get("delivery_status"),
        **{name: details.fields.get(name) or None for name in _DETAILS},
        "scanned_at": details.fields.get("scanned_at"),
        "sent_at": details.fields.get("sent_at"),
        "contract_drift": list(record.drift),
        "counts": detection.counts | {f"details.{name}": count for name, count in details.counts.items()},
        "truncated": bool(dropped),
        "dropped": dropped,
        "detection": {name: it for name, it in detection.fields.items() if name not in _MAPPED},
        "attachments": _parallel(attachments, "detection"),
        "links": [{"text": it.text} if it.text else {} for it in links],
    }
    return {name: value for name, value in members.items() if value is not None}


def _campaign(record: Record, copies: CopyCounts | None) -> dict[str, object]:
    if record.campaign is None:
        return {}
    place = record.campaign
    known: dict[str, object] = {"id": place.id, "role": place.role, "since": moment(place.since), "new": [*place.new]}
    if copies:
        known |= {"copies_before": copies.copies, "in_inbox_before": copies.in_inbox, "people_before": copies.people}
    return {"campaign": known}


def _parallel(items: list[dict[str, Any]], member: str) -> list[dict[str, Any]]:
    """List a member that OCSF's items lack, in the same order."""
    return [{member: it[member]} if it.get(member) else {} for it in items]


def _epoch_ms(at: datetime) -> int:
    return int(at.timestamp() * 1000)
