"""What the function says of its secret, its token, Cloudflare's permission and rate limit, and its clock.

The function asks, so that no token leaves AWS. It answers with statuses and times only.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from functions.domain.times import duration, read_time
from functions.release import RELEASE
from ops.escalator.aws import CommandFailed
from ops.escalator.doctor.check import Check, failure, ok, skipped, warning
from ops.escalator.text.sanitize import one_line

PERMISSION = "Cloud Email Security: Read"
STALE = timedelta(days=365)
"""The age from which on a token should be replaced."""
EXPIRES_SOON = timedelta(days=14)
CLOCK_WARNING, CLOCK_FAILURE = timedelta(minutes=1), timedelta(minutes=5)
"""AWS refuses requests that are signed more than five minutes early or late."""
LOW_SHARE = 0.2
_OF_CLOUDFLARE = ("Cloudflare", "token", "permission", "account and plan", "rate limit")
LINES = ("release", "clock", "secret", "secret age", *_OF_CLOUDFLARE)
"""The lines that need the answer."""
_NO_PERMISSION = 10000
"""Cloudflare's error code with status 403, and with 401 for a bad token."""


@dataclass(frozen=True, slots=True)
class Probe:
    """The answer of the function.

    secret_problem:  why the secret has no credentials; empty if it has.
    put_at:          when the secret's version was put.
    unreachable:     why Cloudflare did not answer.
    search_status, codes: of a search, which needs the permission.
    token_status:    what Cloudflare says of the token; None if it does not know it.
    ratelimit:       (requests left, seconds to the reset) for each policy of Cloudflare.
    """

    release: str
    now: datetime
    account_id: str
    secret_problem: str = ""
    is_token: bool = True
    put_at: datetime | None = None
    unreachable: str = ""
    search_status: int = 0
    codes: frozenset[int] = frozenset()
    token_status: str | None = None
    expires_on: datetime | None = None
    ratelimit: tuple[tuple[int, float], ...] = ()
    cloudflare_now: datetime | None = None


def read_probe(answer: Mapping[str, Any]) -> Probe:
    """Parse the answer of the function. Raises CommandFailed for one of another release."""
    try:
        return _read(answer)
    except (KeyError, TypeError, ValueError, AttributeError) as exc:
        raise CommandFailed("the function's answer is not one of this release; deploy this release") from exc


def _read(answer: Mapping[str, Any]) -> Probe:
    secret, search, token = answer["secret"], answer.get("search") or {}, answer.get("token") or {}
    return Probe(
        release=str(answer["release"]),
        now=datetime.fromisoformat(answer["now"]),
        account_id=str(answer["account_id"]),
        secret_problem=one_line(secret["problem"]),
        is_token=bool(secret.get("is_token", True)),
        put_at=read_time(secret.get("put_at")),
        unreachable=one_line(answer.get("unreachable")),
        search_status=int(search.get("status", 0)),
        codes=frozenset(map(int, search.get("codes", ()))),
        token_status=one_line(token["status"]) if token else None,
        expires_on=read_time(token.get("expires_on")),
        ratelimit=tuple((int(left), float(seconds)) for left, seconds in answer.get("ratelimit", ())),
        cloudflare_now=read_time(answer.get("cloudflare_now")),
    )


def check_probe(probe: Probe, secret_arn: str, limit: int, now: datetime) -> Iterator[Check]:
    """Everything that the answer says. limit: CloudflareLimit. now: of this machine."""
    yield _release(probe)
    yield _clock(probe, now)
    put = f'aws secretsmanager put-secret-value --secret-id {secret_arn} --secret-string \'{{"api_token": "..."}}\''
    if probe.secret_problem:
        yield failure("secret", f"not usable: {probe.secret_problem}", put)
        yield from skipped("secret age", *_OF_CLOUDFLARE, because="the secret is not usable")
        return
    yield ok("secret", f"has {'an API token' if probe.is_token else 'an e-mail address and a key'}")
    yield _secret_age(probe)
    if probe.unreachable:
        advice = "check CloudflareBaseUrl, and https://www.cloudflarestatus.com; then run it again"
        yield failure("Cloudflare", one_line(probe.unreachable), advice)
        yield from skipped(*_OF_CLOUDFLARE[1:], because="Cloudflare could not be reached")
        return
    if probe.search_status >= 500:
        yield failure("Cloudflare", f"the search returned {probe.search_status}", "run it again in some minutes")
        yield from skipped("permission", "account and plan", because="Cloudflare fails")
    else:
        yield ok("Cloudflare", f"answers, with status {probe.search_status}")
    token = _token(probe, put)
    yield token
    if probe.search_status < 500:
        yield from _access(probe, token_failed=bool(token.advice) and not _is_known(probe))
    yield _rate_limit(probe, limit)


def _release(probe: Probe) -> Check:
    if probe.release == RELEASE:
        return ok("release", RELEASE)
    return warning(
        "release",
        f"the function is {probe.release}, this command is {RELEASE}",
        "deploy this release, or install the command of the deployed one",
    )


def _clock(probe: Probe, now: datetime) -> Check:
    """Cloudflare's clock, or that of this machine, against the function's. The probe itself takes some seconds."""
    other, at = ("Cloudflare's", probe.cloudflare_now) if probe.cloudflare_now else ("this machine's", now)
    off = abs(probe.now - at)
    found = f"{duration(off.total_seconds())} from {other}"
    if off >= CLOCK_FAILURE:
        advice = "compare both clocks with another one; leases and rate limits depend on the function's clock"
        return failure("clock", f"the function's clock is {found}", advice)
    if off >= CLOCK_WARNING:
        return warning("clock", f"the function's clock is {found}", "check again; if it persists, compare both clocks")
    return ok("clock", found)


def _secret_age(probe: Probe) -> Check:
    if probe.put_at is None:
        return ok("secret age", "not known")
    age = probe.now - probe.put_at
    if age > STALE:
        return warning(
            "secret age", f"put {age.days} days ago", "create a new token in Cloudflare, and put it into the secret"
        )
    return ok("secret age", f"put {age.days} days ago")


def _token(probe: Probe, put: str) -> Check:
    renew = f"create a token in Cloudflare with the permission {PERMISSION}, then {put}"
    if not _is_known(probe):
        what = "token" if probe.is_token else "key"
        return failure("token", f"Cloudflare refuses the {what}: status {probe.search_status}", renew)
    if probe.token_status not in (None, "active"):
        return failure("token", f"Cloudflare says that it is {probe.token_status}", renew)
    if probe.expires_on is None:
        return ok("token", "active" if probe.token_status else "accepted")
    left = probe.expires_on - probe.now
    if left <= EXPIRES_SOON:
        days = max(0, left.days)
        return warning("token", f"active, but it expires in {days} days", renew)
    return ok("token", f"active until {probe.expires_on:%Y-%m-%d}")


def _is_known(probe: Probe) -> bool:
    """Whether Cloudflare knows the credentials, whatever they may do."""
    if probe.token_status is not None or probe.search_status in (200, 202, 429) or probe.search_status >= 500:
        return True
    if probe.search_status == 403:
        return not probe.is_token
    return probe.search_status not in (400, 401)


def _access(probe: Probe, *, token_failed: bool) -> Iterator[Check]:
    status, account = probe.search_status, probe.account_id
    if token_failed or probe.token_status not in (None, "active"):
        yield from skipped("permission", "account and plan", because="Cloudflare refuses the token")
    elif status in (200, 202):
        yield ok("permission", f"{PERMISSION}: granted")
        yield ok("account and plan", f"{account} has Email Security")
    elif status == 429:
        yield from skipped("permission", "account and plan", because="the rate limit is used up")
    elif status in (401, 403) and (_NO_PERMISSION in probe.codes or not probe.codes):
        advice = f"add it to the token in Cloudflare, for the account {account}"
        yield failure("permission", f"{PERMISSION}: missing on the account {account}", advice)
        yield from skipped("account and plan", because="the permission is missing")
    else:
        codes = ", ".join(map(str, sorted(probe.codes))) or "none"
        yield from skipped("permission", because="Cloudflare refuses the account")
        yield failure(
            "account and plan",
            f"Cloudflare refuses {account}: status {status}, code {codes}",
            "check CloudflareAccountId, and that the account's plan has Email Security",
        )


def _rate_limit(probe: Probe, limit: int) -> Check:
    if probe.search_status == 429:
        advice = "wait 5 minutes; find what else uses the token, or set CloudflareLimit and CloudflareShare"
        return failure("rate limit", "used up: Cloudflare has blocked the token", advice)
    if not probe.ratelimit:
        return ok("rate limit", "Cloudflare does not say how much is left")
    left, seconds = min(probe.ratelimit)
    found = f"{left:,} requests left in the next {seconds:.0f} s"
    if left < limit * LOW_SHARE:
        return warning("rate limit", found, "find what else uses the token; the dashboard counts, too")
    return ok("rate limit", found)
