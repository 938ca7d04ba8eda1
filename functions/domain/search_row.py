"""A row of Cloudflare's search: one delivery, with what decides whether it is asked about."""

from dataclasses import dataclass

from functions.domain.email_id import EmailId, IdKind
from functions.domain.json_values import text, texts


@dataclass(frozen=True, slots=True)
class SearchRow:
    """One delivery of an email.

    id:                its investigate id.
    final_disposition: Cloudflare's word; None if the row has none.
    edf_hash:          Cloudflare's fingerprint of similar emails.
    """

    id: EmailId
    final_disposition: str | None
    delivery_mode: str | None = None
    delivery_status: tuple[str, ...] = ()
    edf_hash: str | None = None


def read_search_row(row: object) -> SearchRow | None:
    """Parse a row; None for one without an investigate id. All other members are optional."""
    if not isinstance(row, dict):
        return None
    investigate_id = EmailId.read(text(row.get("id")) or "")
    if investigate_id is None or investigate_id.kind is not IdKind.INVESTIGATE:
        return None
    return SearchRow(
        id=investigate_id,
        final_disposition=text(row.get("final_disposition")),
        delivery_mode=text(row.get("delivery_mode")),
        delivery_status=texts(row.get("delivery_status")),
        edf_hash=text(row.get("edf_hash")),
    )
