"""The numbers that OCSF 1.5 defines for our words and Cloudflare's.

Source: the schema of the Open Cybersecurity Schema Framework, class Detection Finding, profile Security Control.
"""

from enum import IntEnum

from functions.domain.message_details import Delivery
from functions.domain.record import Activity

VERSION = "1.5.0"
CATEGORY, CLASS = 2, 2004
CATEGORY_NAME, CLASS_NAME = "Findings", "Detection Finding"

ACTIVITIES = {Activity.CREATE: 1, Activity.UPDATE: 2, Activity.CLOSE: 3}
OTHER_ACTIVITY = 99
STATUSES = {Activity.CREATE: (1, "New"), Activity.UPDATE: (2, "In Progress"), Activity.CLOSE: (4, "Resolved")}
RISK_LEVELS = {
    "Informational": (0, "Info"),
    "Low": (1, "Low"),
    "Medium": (2, "Medium"),
    "High": (3, "High"),
    "Critical": (4, "Critical"),
}
CONFIDENCES = {"MALICIOUS": (3, "High"), "SUSPICIOUS": (2, "Medium"), "": (1, "Low")}
"""By the family of the disposition: how sure Cloudflare is that the email is harmful."""
SEVERITIES = {"Informational": 1, "Low": 2, "Medium": 3, "High": 4, "Critical": 5}

ALLOWED, DENIED, ACTION_UNKNOWN = (1, "Allowed"), (2, "Denied"), (0, "Unknown")
CONTROLS = {
    # Delivery: (OCSF action: what the control did, OCSF disposition: the result for the email).
    Delivery.DELIVERED: (ALLOWED, (1, "Allowed")),
    Delivery.MOVED: (DENIED, (3, "Quarantined")),
    Delivery.HELD: (DENIED, (3, "Quarantined")),
    Delivery.REJECTED: (DENIED, (25, "Rejected")),
    Delivery.UNDER_WAY: (ACTION_UNKNOWN, (0, "Unknown")),
    Delivery.UNKNOWN: (ACTION_UNKNOWN, (0, "Unknown")),
}

REGULAR_FILE = 1
OTHER_ANALYTIC = 99
HASHES = {"md5": (1, "MD5"), "sha1": (2, "SHA-1"), "sha256": (3, "SHA-256")}

PHISHING = {"uid": "T1566", "name": "Phishing"}
BY_ATTACHMENT = {"uid": "T1566.001", "name": "Spearphishing Attachment"}
BY_LINK = {"uid": "T1566.002", "name": "Spearphishing Link"}
INITIAL_ACCESS = {"uid": "TA0001", "name": "Initial Access"}


class Observable(IntEnum):
    """The kind of an observable."""

    HOSTNAME = 1
    IP_ADDRESS = 2
    EMAIL_ADDRESS = 5
    URL_STRING = 6
    FILE_NAME = 7
    HASH = 8
    EMAIL_SUBJECT = 40

    @property
    def caption(self) -> str:
        """Return the kind in OCSF's spelling."""
        return _CAPTIONS[self]


_CAPTIONS = {
    Observable.HOSTNAME: "Hostname",
    Observable.IP_ADDRESS: "IP Address",
    Observable.EMAIL_ADDRESS: "Email Address",
    Observable.URL_STRING: "URL String",
    Observable.FILE_NAME: "File Name",
    Observable.HASH: "Hash",
    Observable.EMAIL_SUBJECT: "Subject",
}
