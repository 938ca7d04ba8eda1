"""credentials.py: kept for a while, looked up again when refused, and never shown."""

import itertools
import json
import sys
import threading
import traceback
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor

import pytest

from functions.cloudflare.credentials import (
    COOLDOWN_SECONDS,
    KEEP_SECONDS,
    Credential,
    Credentials,
    Secret,
    SecretUnavailable,
)
from functions.cloudflare.errors import CredentialsRefused
from tests.clock import Clock, eventually

OLD = Secret('{"api_token": "old-canary"}', "v1")
NEW = Secret('{"api_token": "new-canary"}', "v2")
NONE = Secret("{}", "v0")
GONE = SecretUnavailable("AccessDeniedException")
CANARY = "canary"


class Vault:
    """Gives these one after the other, then the last of them for ever; counts how often it was asked."""

    def __init__(self, *answers: Secret | SecretUnavailable) -> None:
        self._answers = itertools.chain(answers, itertools.repeat(answers[-1]))
        self.reads = 0

    def __call__(self) -> Secret:
        """The next answer."""
        self.reads += 1
        answer = next(self._answers)
        if isinstance(answer, SecretUnavailable):
            raise answer
        return answer


def refused(credentials: Credentials) -> CredentialsRefused:
    """The error that `current` gives."""
    with pytest.raises(CredentialsRefused) as raised:
        credentials.current()
    return raised.value


HEADERS = {
    "token": ({"api_token": "t-1_~"}, {"authorization": "Bearer t-1_~"}),
    "key": ({"api_email": "a@b.example", "api_key": "k"}, {"x-auth-email": "a@b.example", "x-auth-key": "k"}),
    "both": ({"api_token": "t", "api_email": "a@b.example", "api_key": "k"}, {"authorization": "Bearer t"}),
    "more than is asked for": ({"api_token": "t", "note": 1}, {"authorization": "Bearer t"}),
}


@pytest.mark.parametrize(("content", "headers"), HEADERS.values(), ids=HEADERS)
def test_a_secret(content: dict[str, object], headers: dict[str, str]) -> None:
    """Both ways to authenticate become headers; the token goes first."""
    credentials = Credentials(Vault(Secret(json.dumps(content), "v1")))
    assert Credential(headers, "v1") == credentials.current()


def test_within_the_time_for_which_it_is_kept() -> None:
    """The secret is read once, however often it is needed."""
    clock, vault = Clock(), Vault(OLD, NEW)
    credentials = Credentials(vault, clock)
    seen = set()
    for _ in range(100):
        seen.add(credentials.current().version)
        clock.now += (KEEP_SECONDS - 1) / 100
    assert ({"v1"}, 1) == (seen, vault.reads)


def test_after_the_time_for_which_it_is_kept() -> None:
    """It is read again, also where nobody has refused it."""
    clock, vault = Clock(), Vault(OLD, NEW)
    credentials = Credentials(vault, clock)
    credentials.current()
    clock.now += KEEP_SECONDS
    assert ("v2", 2) == (credentials.current().version, vault.reads)


def test_a_secret_that_cannot_be_read_any_more() -> None:
    """The old credential stays in use, and Secrets Manager is not asked with every message."""
    clock, vault = Clock(), Vault(OLD, GONE, GONE, NEW)
    credentials = Credentials(vault, clock)
    versions = []
    for _ in range(4):
        versions += [credentials.current().version for _ in range(10)]
        clock.now += KEEP_SECONDS
    assert (["v1"] * 30 + ["v2"] * 10, 4) == (versions, vault.reads)


def test_a_secret_that_is_spoilt_later() -> None:
    """The old credential stays in use."""
    clock, vault = Clock(), Vault(OLD, NONE)
    credentials = Credentials(vault, clock)
    credentials.current()
    clock.now += KEEP_SECONDS
    assert credentials.current().version == "v1"


def test_a_secret_that_cannot_be_read_at_first() -> None:
    """Each message is told so, Secrets Manager is asked once per cooldown, and all is well when it is mended."""
    clock, vault = Clock(), Vault(GONE, NONE, NEW)
    credentials = Credentials(vault, clock)
    for _ in range(10):
        refused(credentials)
    assert vault.reads == 1
    clock.now += COOLDOWN_SECONDS
    for _ in range(10):
        refused(credentials)
    assert vault.reads == 2
    clock.now += COOLDOWN_SECONDS
    assert ("v2", 3) == (credentials.current().version, vault.reads)


def test_a_refused_credential_that_was_replaced() -> None:
    """The new one is found at once, and is the current one from then on."""
    clock, vault = Clock(), Vault(OLD, NEW)
    credentials = Credentials(vault, clock)
    old = credentials.current()
    clock.now += COOLDOWN_SECONDS
    new = credentials.replacement(old)
    assert (new, 2) == (credentials.current(), vault.reads)
    assert new is not None
    assert new.version == "v2"


def test_a_refused_credential_that_was_not_replaced() -> None:
    """There is none to try, and Secrets Manager is asked once per cooldown."""
    clock, vault = Clock(), Vault(OLD)
    credentials = Credentials(vault, clock)
    old = credentials.current()
    clock.now += COOLDOWN_SECONDS
    assert ([None] * 10, 2) == ([credentials.replacement(old) for _ in range(10)], vault.reads)
    clock.now += COOLDOWN_SECONDS
    assert (None, 3) == (credentials.replacement(old), vault.reads)


def test_a_refused_credential_that_was_read_a_moment_ago() -> None:
    """The secret is looked up all the same: it may have been replaced in that moment."""
    clock, vault = Clock(), Vault(OLD, NEW)
    credentials = Credentials(vault, clock)
    new = credentials.replacement(credentials.current())
    assert new is not None
    assert ("v2", 2) == (new.version, vault.reads)


def test_a_replacement_that_is_refused_as_well() -> None:
    """It is not asked for again before the cooldown is over."""
    clock, vault = Clock(), Vault(OLD, NEW, Secret(NEW.text, "v3"))
    credentials = Credentials(vault, clock)
    new = credentials.replacement(credentials.current())
    assert new is not None
    clock.now += COOLDOWN_SECONDS - 1
    assert (None, 2) == (credentials.replacement(new), vault.reads)
    clock.now += 1
    newest = credentials.replacement(new)
    assert newest is not None
    assert ("v3", 3) == (newest.version, vault.reads)


def test_a_refused_credential_that_another_thread_has_replaced() -> None:
    """The new one is given without asking again."""
    clock, vault = Clock(), Vault(OLD, NEW)
    credentials = Credentials(vault, clock)
    old = credentials.current()
    clock.now += KEEP_SECONDS
    credentials.current()
    assert [("v2", 2)] * 3 == [(it.version, vault.reads) for _ in range(3) if (it := credentials.replacement(old))]


def test_a_refused_credential_when_the_secret_cannot_be_read() -> None:
    """There is no replacement, and what is kept stays in use."""
    clock, vault = Clock(), Vault(OLD, GONE)
    credentials = Credentials(vault, clock)
    old = credentials.current()
    clock.now += COOLDOWN_SECONDS
    assert (None, old) == (credentials.replacement(old), credentials.current())


# --- many threads -----------------------------------------------------------------------------------------------------

THREADS = 10
MODULE = Credentials.current.__code__.co_filename


class SlowVault(Vault):
    """Gives its answer once all other threads wait for it; notes how many threads were in it together."""

    def __init__(self, *answers: Secret | SecretUnavailable) -> None:
        super().__init__(*answers)
        self._inside = threading.Lock()
        self.others = 0
        self.overlaps = 0

    def __call__(self) -> Secret:
        """The next answer, after a while."""
        if not self._inside.acquire(blocking=False):
            self.overlaps += 1
            return super().__call__()
        try:
            eventually(lambda: waiting_for_a_credential() == self.others, "the other threads ask for a credential")
            self.others = 0
            return super().__call__()
        finally:
            self._inside.release()


def waiting_for_a_credential() -> int:
    """How many threads are blocked in credentials.py. The one that reads the secret is in this file by then."""
    return sum(frame.f_code.co_filename == MODULE for frame in sys._current_frames().values())


def at_once(vault: SlowVault, work: Callable[[], object]) -> list[object]:
    """What it gives to each of ten threads that run together."""
    vault.others = THREADS - 1
    with ThreadPoolExecutor(THREADS) as threads:
        return list(threads.map(lambda _: work(), range(THREADS)))


def test_ten_threads_at_the_start() -> None:
    """One reads the secret; the others wait for it."""
    vault = SlowVault(OLD)
    credentials = Credentials(vault, Clock())
    versions = {it.version for it in at_once(vault, credentials.current) if isinstance(it, Credential)}
    assert ({"v1"}, 1, 0) == (versions, vault.reads, vault.overlaps)


def test_ten_threads_whose_credential_is_refused() -> None:
    """One looks for the replacement; all of them get it."""
    clock, vault = Clock(), SlowVault(OLD, NEW)
    credentials = Credentials(vault, clock)
    old = credentials.current()
    clock.now += COOLDOWN_SECONDS
    replaced = [it.version for it in at_once(vault, lambda: credentials.replacement(old)) if isinstance(it, Credential)]
    assert (["v2"] * THREADS, 2, 0) == (replaced, vault.reads, vault.overlaps)


def test_ten_threads_without_a_secret() -> None:
    """It is asked for once, and each of them is told."""
    vault = SlowVault(GONE)
    credentials = Credentials(vault, Clock())
    texts = at_once(vault, lambda: str(refused(credentials)))
    assert (THREADS, 1, 0) == (len(texts), vault.reads, vault.overlaps)


# --- malformed and never shown ----------------------------------------------------------------------------------------

MALFORMED = {
    "empty": "",
    "not JSON": f"{CANARY}",
    "half of JSON": f'{{"api_token": "{CANARY}',
    "a text": f'"{CANARY}"',
    "null": "null",
    "a list": f'["{CANARY}"]',
    "an empty object": "{}",
    "another name": f'{{"token": "{CANARY}"}}',
    "an empty token": '{"api_token": ""}',
    "a token that is a number": '{"api_token": 7}',
    "a token that is null": '{"api_token": null}',
    "a token with a newline": f'{{"api_token": "{CANARY}\\n"}}',
    "a token with a header in it": f'{{"api_token": "x\\r\\nx-evil: {CANARY}"}}',
    "a token with a space": f'{{"api_token": "Bearer {CANARY}"}}',
    "a token that is not ASCII": f'{{"api_token": "{CANARY}é"}}',
    "a token with half a surrogate pair": f'{{"api_token": "{CANARY}\\ud800"}}',
    "an e-mail address without a key": f'{{"api_email": "{CANARY}@b.example"}}',
    "a key without an e-mail address": f'{{"api_key": "{CANARY}"}}',
    "a key with a newline": f'{{"api_email": "a@b.example", "api_key": "{CANARY}\\n"}}',
    "nested 100,000 deep": "[" * 100_000,
    "5,000 digits": "9" * 5_000,
}


def chain(error: BaseException | None) -> Iterator[BaseException]:
    """An exception, and all that it was raised from or during."""
    while error is not None:
        yield error
        error = error.__cause__ or error.__context__


@pytest.mark.parametrize("text", MALFORMED.values(), ids=MALFORMED)
def test_a_malformed_secret(text: str) -> None:
    """It is as good as none, and the error says what is wrong without its content, wherever one looks in it."""
    error = refused(Credentials(Vault(Secret(text, "v1"))))
    shown = "".join(
        f"{it} {it!r} {it.args} {vars(it)} {''.join(traceback.format_exception(it))}" for it in chain(error)
    )
    assert [] == [word for word in (CANARY, "b.example", "9999") if word in shown]


def test_what_holds_a_secret() -> None:
    """Printing or logging it shows its version and not its content."""
    credential = Credentials(Vault(NEW)).current()
    for it in (NEW, credential, [NEW], {"credential": credential}):
        assert CANARY not in f"{it} {it!r}"
        assert "v2" in repr(it)
