"""What Cloudflare answers about a mail's detection, read at once and held against the contract."""

from dataclasses import dataclass

from functions.cloudflare.contract import find_drift, require_decision, unknown_fields
from functions.cloudflare.detection import Detection, read_detection
from functions.cloudflare.message_id import MessageId

_SHOWN = 5


@dataclass(frozen=True, slots=True)
class Found:
    """What Cloudflare found in one mail.

    id:      under which Cloudflare has the mail: maybe a longer one than was given.
    drift:   where the answer does not match the contract, as `path: rule`.
    unnamed: fields that the contract does not know, where no disposition was given: it may be one of them.
    """

    id: MessageId
    detection: Detection
    drift: tuple[str, ...]
    unnamed: tuple[str, ...]


def read_found(id: MessageId, result: object) -> Found:
    """The `result` of an answer. Raises InvalidAnswer where it lacks what the decision needs."""
    checked = require_decision(result)
    return Found(
        id=id,
        detection=read_detection(checked),
        drift=find_drift(checked),
        unnamed=() if "final_disposition" in checked else tuple(unknown_fields(checked)[:_SHOWN]),
    )
