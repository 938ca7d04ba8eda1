"""Items for a report: plausible ones made from the emails of the local stack, and some that attack the reader.

`python -m tests.report.records FILE [COUNT]` writes a report about them, for a look at it in a browser.
"""

import hashlib
import json
import random
import sys
from collections.abc import Iterable, Iterator, Mapping
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

from functions.domain.detection import read_detection
from functions.domain.record import moment
from functions.domain.truncate import truncate
from functions.release import RELEASE
from ops.escalator.records.stored_record import AnyRecord, read_stored_record
from ops.escalator.report.page import write_report
from ops.escalator.report.period import Period
from ops.local.fake_cloudflare.mailbox import Mail, Mailbox

UNTIL = datetime.fromisoformat("2026-11-24T06:00:00Z")
PERIOD = Period(UNTIL - timedelta(days=30), UNTIL, UNTIL, RELEASE)

OWNED = "window.owned=1"
HOSTILE = {
    "script": f"<script>{OWNED}</script>",
    "end of the data": f"</script><script>{OWNED}</script>",
    "end of the data in capitals": f"</SCRIPT ><ScRiPt>{OWNED}</sCrIpT>",
    "comment and script": f"<!--<script>{OWNED}//-->",
    "handler of an image": f"<img src=x onerror={OWNED}>",
    "handler of a drawing": f"<svg/onload={OWNED}>",
    "frame": f'"><iframe src="javascript:parent.{OWNED}"></iframe>',
    "end of an attribute": f"' onfocus='{OWNED}' autofocus x='\" onfocus=\"{OWNED}\" autofocus \"",
    "style": "</style><style>*{background:url(https://evil.example/a)}</style>",
    "policy": '<meta http-equiv="refresh" content="0;url=https://evil.example/">',
    "base": '<base href="https://evil.example/">',
    "link": f"javascript:{OWNED}",
    "address": "https://evil.example/login?to=boss@bank.example",
    "template of ours": "{{script}} {{records}} {{summary}}",
    "template of others": f"${{{OWNED}}} {{{{constructor.constructor('{OWNED}')()}}}} <%= 7*7 %> #{{7*7}} %s %n",
    "end of text": f'\\"}}];{OWNED};[{{\\"',
    "escaped twice": "\\u003cscript\\u003e &lt;script&gt; %3Cscript%3E",
    "line separators": f"invoice\u2028{OWNED}\u2029//",
    "right to left": "invoice_\u202egpj.exe\u2066\u202ecilbup\u2069",
    "nothing to see": "pay\u200bpal\u200d \ufeff\u2060\U000e0041",
    "control": "\x00\x07\x1b[2J\x1b]0;owned\x07\r\nBcc: all",
    "marks on marks": "Z\u0336\u0352\u0351\u030d" + "\u0301\u0316\u0334" * 60 + "algo",
    "another direction": "\u0641\u0627\u062a\u0648\u0631\u0629 \u0645\u0633\u062a\u062d\u0642\u0629 4711",
    "half a character": "half \ud83d of it",
    "prototype": "__proto__",
    "long": "A" * 10_000,
    "long with gaps": "urgent " * 1_500,
}
"""Text that a sender may have chosen, by the attack that it tries."""

_DISPOSITIONS = {"MALICIOUS": 46, "SUSPICIOUS": 34, "MALICIOUS-BEC": 15, "MALICIOUS-VISHING": 3, "SUSPICIOUS-LURE": 1}
_OWNER = "6f0a5c1e-8a5b-4d0c-9c1d-0d6c3b1f7e2a"


def read_all(items: Iterable[dict[str, Any]]) -> Iterator[AnyRecord]:
    """The items, parsed as the command line parses them."""
    return map(read_stored_record, items)


def items(count: int, *, hostile: bool = True, seed: int = 7) -> Iterator[dict[str, Any]]:
    """Yield items of PERIOD, newest first. If hostile, one for each text of HOSTILE is among them, as far as they fit."""
    chance = random.Random(seed)
    mails = [mail for mail in Mailbox.load() if mail.detected and mail.result and mail.mail]
    payloads = list(HOSTILE.values()) if hostile else []
    every = max(1, count // max(1, len(payloads)))
    for n in range(count):
        at = UNTIL - (UNTIL - PERIOD.since) * (n + chance.random()) / count
        while at.weekday() >= 5 and chance.random() < 0.6:
            at -= timedelta(days=chance.choice([1, 2]))
        # Some campaigns send far more emails than others.
        mail = mails[int(chance.expovariate(6 / len(mails))) % len(mails)]
        item = _item(chance, mail, max(at, PERIOD.since))
        wave, place = divmod(n, every)
        yield _attacked(item, payloads[wave]) if place == 0 and wave < len(payloads) else item


def unreadable_item(payload: str) -> dict[str, Any]:
    """An item with a hostile text in each attribute, which this release cannot read."""
    [item] = items(1, hostile=False)
    return {name: value if name == "decided_at" else _poisoned(value, payload) for name, value in item.items()}


def _item(chance: random.Random, mail: Mail, decided: datetime) -> dict[str, Any]:
    postfix_id = "4" + "".join(chance.choices("bcdfghjklmnpqrstvwxy", k=9)) + "z" + "".join(chance.choices("bcdf", k=4))
    [outcome] = chance.choices(["ESCALATED", "CLOSED", "NOT_FOUND", "REJECTED"], [94, 2, 2, 2])
    record: dict[str, Any] = {
        "pk": postfix_id,
        "sk": f"7d1f0c2ab84e4e6f9a35c8d2e6b10f47/{postfix_id}#{outcome}",
        "account_id": "7d1f0c2ab84e4e6f9a35c8d2e6b10f47",
        "id": postfix_id,
        "postfix_id": postfix_id,
        "outcome": outcome,
        "reason": "disposition-listed",
        "escalate_on": ["MALICIOUS", "MALICIOUS-BEC", "SUSPICIOUS"],
        "schema_version": "2026-10",
        "release": RELEASE,
        "revision": 0,
        "decided_at": moment(decided),
        "month": f"{decided:%Y-%m}",
        "sqs_message_id": _uuid(chance),
        "drift": [],
        "expires_at": int((decided + timedelta(days=400)).timestamp()),
    }
    waited = timedelta(seconds=min(chance.lognormvariate(0.2, 0.9) + 0.3, 5_000))
    record |= {"queued_at": moment(decided - waited), "fetched_at": moment(decided - timedelta(milliseconds=9))}
    if outcome in ("ESCALATED", "CLOSED"):
        record |= _alerted(chance, record, decided)
        record |= _found(chance, mail, record, decided)
    else:
        record |= {"reason": "no-detection" if outcome == "NOT_FOUND" else "invalid-answer", "state": "RECORDED"}
        record |= {"severity": "Informational", "detail": "$.final_disposition: type. See the answer in Cloudflare."}
    return record


def _alerted(chance: random.Random, record: Mapping[str, Any], decided: datetime) -> dict[str, Any]:
    [disposition] = chance.choices(list(_DISPOSITIONS), list(_DISPOSITIONS.values()))
    [delivered] = chance.choices(["true", "false", "unknown"], [12, 80, 8])
    closed, pending = record["outcome"] == "CLOSED", chance.random() < 0.004
    malicious = disposition.startswith("MALICIOUS")
    alerted: dict[str, Any] = {
        "activity": "Close" if closed else "Create",
        "disposition": "SPAM" if closed else disposition,
        "severity": "Informational" if closed else _severity(malicious, delivered == "true"),
        "delivered": delivered,
        "state": "PENDING" if pending else "SENT",
        "alert_id": hashlib.sha256(record["id"].encode()).hexdigest()[:32],
        "owner": _OWNER,
        "claim_count": 1,
        "claimed_at": moment(decided + timedelta(milliseconds=4)),
    }
    if closed or chance.random() < 0.05:
        alerted |= {"previous_disposition": "SUSPICIOUS", "previous_alert_id": "0f" * 16, "revision": 1}
    if pending:
        return alerted | {"pending": "yes", "lease_until": moment(decided + timedelta(minutes=5))}
    published = decided + timedelta(milliseconds=chance.randint(20, 140))
    return alerted | {"sns_message_id": _uuid(chance), "published_at": moment(published)}


def _severity(malicious: bool, delivered: bool) -> str:
    if malicious:
        return "Critical" if delivered else "High"
    return "High" if delivered else "Medium"


def _found(chance: random.Random, mail: Mail, record: Mapping[str, Any], decided: datetime) -> dict[str, Any]:
    assert mail.result is not None
    assert mail.mail is not None
    kept = truncate(read_detection(dict(mail.result)), 150 * 1024)
    sender = kept.fields["sender_info"]
    assert isinstance(sender, dict)
    known = ("subject", "from", "from_name", "envelope_from", "replyto", "to", "envelope_to", "message_id")
    details = {name: mail.mail[name] for name in (*known, "delivery_mode", "client_recipients") if mail.mail.get(name)}
    status = {"true": ["delivered"], "false": ["quarantined"]}.get(record["delivered"])
    if status:
        details["delivery_status"] = status
    seen = {"sent_at": moment(decided - timedelta(seconds=40)), "scanned_at": moment(decided - timedelta(seconds=31))}
    found: dict[str, Any] = {
        "sender_domain": sender.get("pld"),
        "sender_ip": sender.get("ip"),
        "investigate_id": f"{record['id']}-{decided:%Y-%m-%dT%H:%M:%S}-12345678",
        "detection": json.loads(json.dumps(kept.fields)),
        "detection_counts": kept.counts,
        "detection_dropped": list(kept.dropped),
        "details": details | seen | {"detection_reasons": mail.mail.get("detection_reasons", [])},
        "drift": ["$.findings[0].detection: enum"] if chance.random() < 0.1 else [],
    }
    return {name: value for name, value in found.items() if value is not None}


def _attacked(item: dict[str, Any], payload: str) -> dict[str, Any]:
    """The item with the payload in every attribute that is free text, inside the detection and the details, too."""
    attacked = {name: it if name in _NOT_FREE_TEXT else _poisoned(it, payload) for name, it in item.items()}
    attacked["outcome"] = "ESCALATED"
    attacked["disposition"] = f"MALICIOUS-{payload}".upper()
    poisoned = {"filename": payload, "content_type": payload, "sha256": payload, "size": payload, "name": payload}
    attacked["detection"] = {
        "attachments": [poisoned] * 3,
        "links": [{"href": payload, "text": payload}, {"href": f"https://evil.example/{payload}", "text": payload}]
        * 30,
        "findings": [{"reason": payload, "detail": payload, "value": payload, payload: payload}] * 3,
        "headers": [{"name": payload, "value": payload}],
        "threat_categories": [{"name": payload, "description": payload}],
        "sender_info": {"as_name": payload, "geo": payload, "ip": payload, "pld": payload},
        "validation": {"comment": payload, "spf": payload},
    }
    attacked["detection_counts"] = {"links": 60, "attachments": 3}
    attacked["details"] = {"subject": payload, "from": payload, "from_name": payload, "to": [payload] * 40}
    return attacked | {"sender_domain": payload, "sender_ip": payload, "drift": [payload], "detail": payload}


_NOT_FREE_TEXT = {
    *("pk", "sk", "month", "outcome", "reason", "severity", "state", "activity", "revision", "claim_count"),
    *("decided_at", "queued_at", "published_at", "fetched_at", "claimed_at", "lease_until", "expires_at"),
    "detection_counts",
}
"""Keys, times, enums and counts. A record with anything else in them is unreadable."""


def _poisoned(value: Any, payload: str) -> Any:
    return payload if isinstance(value, str) else [payload] if isinstance(value, list) else value


def _uuid(chance: random.Random) -> str:
    text = f"{chance.getrandbits(128):032x}"
    return f"{text[:8]}-{text[8:12]}-{text[12:16]}-{text[16:20]}-{text[20:]}"


if __name__ == "__main__":
    with Path(sys.argv[1]).open("w", encoding="utf-8") as file:
        print(write_report(read_all(items(int([*sys.argv, "1000"][2]))), PERIOD, file), "records")
