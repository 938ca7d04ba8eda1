"""Credentials: cached, read again after a refusal, and never shown."""

import itertools
import json
import sys
import threading
import traceback
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor

import pytest

from functions.cloudflare.credentials import (
    CACHE_SECONDS,
    COOLDOWN_SECONDS,
    Credential,
    Credentials,
    Secret,
    SecretUnavailable,
)
from functions.cloudflare.errors import CredentialsRefused
from tests.clock import Clock, eventually

OLD = Secret('{"api_token": "old-canary"}', "v1")
NEW = Secret('{"api_token": "new-canary"}', "v2")
EMPTY = Secret("{}", "v0")
UNREADABLE = SecretUnavailable("AccessDeniedException")
CANARY = "canary"


class FakeSecret:
    """Returns the answers in order and then repeats the last one; counts its reads."""

    def __init__(self, *answers: Secret | SecretUnavailable) -> None:
        self._answers = itertools.chain(answers, itertools.repeat(answers[-1]))
        self.reads = 0

    def __call__(self) -> Secret:
        """Return or raise the next answer."""
        self.reads += 1
        answer = next(self._answers)
        if isinstance(answer, SecretUnavailable):
            raise answer
        return answer


def refused(credentials: Credentials) -> CredentialsRefused:
    """The error that `current` raises."""
    with pytest.raises(CredentialsRefused) as raised:
        credentials.current()
    return raised.value


HEADERS = {
    "api_token": ({"api_token": "t-1_~"}, {"authorization": "Bearer t-1_~"}),
    "api_email and api_key": (
        {"api_email": "a@b.example", "api_key": "k"},
        {"x-auth-email": "a@b.example", "x-auth-key": "k"},
    ),
    "both forms": ({"api_token": "t", "api_email": "a@b.example", "api_key": "k"}, {"authorization": "Bearer t"}),
    "an unknown member": ({"api_token": "t", "note": 1}, {"authorization": "Bearer t"}),
}


@pytest.mark.parametrize(("content", "headers"), HEADERS.values(), ids=HEADERS)
def test_secret_of_either_form_becomes_headers(content: dict[str, object], headers: dict[str, str]) -> None:
    """Both forms of the secret become headers. The token takes precedence."""
    credentials = Credentials(FakeSecret(Secret(json.dumps(content), "v1")))
    assert Credential(headers, "v1") == credentials.current()


TOLERATED: dict[str, str] = {
    "final newline in the token": '{"api_token": "local-token\\n"}',
    "final newline after the object": '{"api_token": "local-token"}\n',
    "final newline that is not escaped": '{"api_token": "local-token\n"}',
    "white space around the token": '{"api_token": " \\tlocal-token\\r\\n"}',
    "byte-order mark": '\ufeff{"api_token": "local-token"}',
    "byte-order mark in the token": '{"api_token": "\ufefflocal-token"}',
    "Bearer": '{"api_token": "Bearer local-token"}',
    "bearer in lower case and a newline": '{"api_token": "bearer  local-token\\n"}',
    "plain text": "local-token",
    "plain text with Bearer and a newline": "Bearer local-token\n",
    "plain text with a byte-order mark": "\ufefflocal-token\r\n",
    "quoted text": '"local-token"',
}


@pytest.mark.parametrize("text", TOLERATED.values(), ids=TOLERATED)
def test_token_is_found_in_what_editors_and_shells_make_of_it(text: str) -> None:
    credential = Credentials(FakeSecret(Secret(text, "v1"))).current()
    assert {"authorization": "Bearer local-token"} == credential.headers


def test_white_space_around_email_and_key_is_dropped() -> None:
    text = json.dumps({"api_email": "a@b.example\n", "api_key": " k\r\n"})
    headers = Credentials(FakeSecret(Secret(text, "v1"))).current().headers
    assert {"x-auth-email": "a@b.example", "x-auth-key": "k"} == headers


CAUSES: dict[str, tuple[Secret | SecretUnavailable, str]] = {
    "no members": (EMPTY, "it is JSON with none of these members, but it needs an api_token"),
    "half of the members": (Secret('{"api_key": "canary"}', "v"), "it is JSON with api_key, but it needs"),
    "empty": (Secret(" \n", "v"), "it is empty"),
    "half of JSON": (Secret('{"api_token": "canary', "v"), "it is not valid JSON"),
    "a list": (Secret('["canary"]', "v"), "it is JSON, but not an object"),
    "a token that is a number": (Secret('{"api_token": 7}', "v"), "its api_token is not a text"),
    "an empty token": (Secret('{"api_token": "\\n"}', "v"), "its api_token is empty"),
    "a token of two words": (Secret('{"api_token": "a canary"}', "v"), "its api_token contains white space"),
    "access denied": (UNREADABLE, "AccessDeniedException"),
}


@pytest.mark.parametrize(("answer", "cause"), CAUSES.values(), ids=CAUSES)
def test_every_refusal_has_the_cause_until_the_secret_is_read_again(
    answer: Secret | SecretUnavailable, cause: str
) -> None:
    secret = FakeSecret(answer)
    credentials = Credentials(secret, Clock())
    texts = [str(refused(credentials)) for _ in range(3)]
    assert 1 == secret.reads
    assert 1 == len(set(texts))
    assert cause in texts[0]
    assert CANARY not in texts[0]


def test_problem_of_a_secret_that_became_malformed_is_known_until_it_is_fixed() -> None:
    clock, secret = Clock(), FakeSecret(OLD, EMPTY, NEW)
    credentials = Credentials(secret, clock)
    problems = []
    for _ in range(3):
        credentials.current()
        problems.append(credentials.problem.partition(",")[0])
        clock.now += CACHE_SECONDS
    assert ["", "it is JSON with none of these members", ""] == problems


def test_secret_is_read_once_within_the_cache_time() -> None:
    """One hundred uses need one read."""
    clock, secret = Clock(), FakeSecret(OLD, NEW)
    credentials = Credentials(secret, clock)
    seen = set()
    for _ in range(100):
        seen.add(credentials.current().version)
        clock.now += (CACHE_SECONDS - 1) / 100
    assert ({"v1"}, 1) == (seen, secret.reads)


def test_secret_is_read_again_after_the_cache_time() -> None:
    """The secret is read again, even if Cloudflare has not refused the credential."""
    clock, secret = Clock(), FakeSecret(OLD, NEW)
    credentials = Credentials(secret, clock)
    credentials.current()
    clock.now += CACHE_SECONDS
    assert ("v2", 2) == (credentials.current().version, secret.reads)


def test_old_credential_stays_in_use_if_the_secret_becomes_unreadable() -> None:
    """Secrets Manager is called once per cache time, not with every message."""
    clock, secret = Clock(), FakeSecret(OLD, UNREADABLE, UNREADABLE, NEW)
    credentials = Credentials(secret, clock)
    versions = []
    for _ in range(4):
        versions += [credentials.current().version for _ in range(10)]
        clock.now += CACHE_SECONDS
    assert (["v1"] * 30 + ["v2"] * 10, 4) == (versions, secret.reads)


def test_old_credential_stays_in_use_if_the_secret_becomes_malformed() -> None:
    """A secret without credentials does not replace a working one."""
    clock, secret = Clock(), FakeSecret(OLD, EMPTY)
    credentials = Credentials(secret, clock)
    credentials.current()
    clock.now += CACHE_SECONDS
    assert credentials.current().version == "v1"


def test_unreadable_secret_is_read_once_per_cooldown_until_it_is_fixed() -> None:
    """Each use raises an error; a read after the fix returns the credential."""
    clock, secret = Clock(), FakeSecret(UNREADABLE, EMPTY, NEW)
    credentials = Credentials(secret, clock)
    for _ in range(10):
        refused(credentials)
    assert secret.reads == 1
    clock.now += COOLDOWN_SECONDS
    for _ in range(10):
        refused(credentials)
    assert secret.reads == 2
    clock.now += COOLDOWN_SECONDS
    assert ("v2", 3) == (credentials.current().version, secret.reads)


def test_rotated_credential_replaces_the_refused_one() -> None:
    """The replacement comes from one read, and is the current credential afterwards."""
    clock, secret = Clock(), FakeSecret(OLD, NEW)
    credentials = Credentials(secret, clock)
    old = credentials.current()
    clock.now += COOLDOWN_SECONDS
    new = credentials.replacement(old)
    assert (new, 2) == (credentials.current(), secret.reads)
    assert new is not None
    assert new.version == "v2"


def test_no_replacement_if_the_secret_has_not_changed() -> None:
    """Secrets Manager is called once per cooldown."""
    clock, secret = Clock(), FakeSecret(OLD)
    credentials = Credentials(secret, clock)
    old = credentials.current()
    clock.now += COOLDOWN_SECONDS
    assert ([None] * 10, 2) == ([credentials.replacement(old) for _ in range(10)], secret.reads)
    clock.now += COOLDOWN_SECONDS
    assert (None, 3) == (credentials.replacement(old), secret.reads)


def test_refused_credential_is_replaced_even_right_after_a_read() -> None:
    """The secret may have been rotated since the last read, so it is read again."""
    clock, secret = Clock(), FakeSecret(OLD, NEW)
    credentials = Credentials(secret, clock)
    new = credentials.replacement(credentials.current())
    assert new is not None
    assert ("v2", 2) == (new.version, secret.reads)


def test_refused_replacement_is_not_replaced_before_the_cooldown() -> None:
    """The secret is read again only after the cooldown."""
    clock, secret = Clock(), FakeSecret(OLD, NEW, Secret(NEW.text, "v3"))
    credentials = Credentials(secret, clock)
    new = credentials.replacement(credentials.current())
    assert new is not None
    clock.now += COOLDOWN_SECONDS - 1
    assert (None, 2) == (credentials.replacement(new), secret.reads)
    clock.now += 1
    newest = credentials.replacement(new)
    assert newest is not None
    assert ("v3", 3) == (newest.version, secret.reads)


def test_replacement_read_by_another_thread_is_used_without_a_read() -> None:
    """No further read is needed."""
    clock, secret = Clock(), FakeSecret(OLD, NEW)
    credentials = Credentials(secret, clock)
    old = credentials.current()
    clock.now += CACHE_SECONDS
    credentials.current()
    assert [("v2", 2)] * 3 == [(it.version, secret.reads) for _ in range(3) if (it := credentials.replacement(old))]


def test_no_replacement_if_the_secret_is_unreadable() -> None:
    """The cached credential stays in use."""
    clock, secret = Clock(), FakeSecret(OLD, UNREADABLE)
    credentials = Credentials(secret, clock)
    old = credentials.current()
    clock.now += COOLDOWN_SECONDS
    assert (None, old) == (credentials.replacement(old), credentials.current())


# --- many threads -----------------------------------------------------------------------------------------------------

THREADS = 10
MODULE = Credentials.current.__code__.co_filename


class SlowSecret(FakeSecret):
    """Answers once all other threads wait for it; counts concurrent reads."""

    def __init__(self, *answers: Secret | SecretUnavailable) -> None:
        super().__init__(*answers)
        self._inside = threading.Lock()
        self.others = 0
        self.overlaps = 0

    def __call__(self) -> Secret:
        """Return or raise the next answer after a pause."""
        if not self._inside.acquire(blocking=False):
            self.overlaps += 1
            return super().__call__()
        try:
            eventually(lambda: threads_in_credentials() == self.others, "the other threads ask for a credential")
            self.others = 0
            return super().__call__()
        finally:
            self._inside.release()


def threads_in_credentials() -> int:
    """The number of threads that are inside credentials.py, including the one that reads the secret."""
    return sum(frame.f_code.co_filename == MODULE for frame in sys._current_frames().values())


def in_parallel(secret: SlowSecret, work: Callable[[], object]) -> list[object]:
    """The results of ten threads that run together."""
    secret.others = THREADS - 1
    with ThreadPoolExecutor(THREADS) as threads:
        return list(threads.map(lambda _: work(), range(THREADS)))


def test_ten_threads_at_the_start_read_the_secret_once() -> None:
    """One thread reads the secret, and the others wait for it."""
    secret = SlowSecret(OLD)
    credentials = Credentials(secret, Clock())
    versions = {it.version for it in in_parallel(secret, credentials.current) if isinstance(it, Credential)}
    assert ({"v1"}, 1, 0) == (versions, secret.reads, secret.overlaps)


def test_ten_threads_with_a_refused_credential_get_one_replacement() -> None:
    """One thread reads the replacement, and all threads get it."""
    clock, secret = Clock(), SlowSecret(OLD, NEW)
    credentials = Credentials(secret, clock)
    old = credentials.current()
    clock.now += COOLDOWN_SECONDS
    replaced = [
        it.version for it in in_parallel(secret, lambda: credentials.replacement(old)) if isinstance(it, Credential)
    ]
    assert (["v2"] * THREADS, 2, 0) == (replaced, secret.reads, secret.overlaps)


def test_ten_threads_without_a_secret_read_it_once() -> None:
    """One thread reads the secret, and all threads get the error."""
    secret = SlowSecret(UNREADABLE)
    credentials = Credentials(secret, Clock())
    texts = in_parallel(secret, lambda: str(refused(credentials)))
    assert (THREADS, 1, 0) == (len(texts), secret.reads, secret.overlaps)


# --- malformed secrets ------------------------------------------------------------------------------------------------

MALFORMED = {
    "empty": "",
    "prose": f"my token is {CANARY}",
    "half of JSON": f'{{"api_token": "{CANARY}',
    "null": "null",
    "a list": f'["{CANARY}"]',
    "an empty object": "{}",
    "another name": f'{{"token": "{CANARY}"}}',
    "an empty token": '{"api_token": ""}',
    "a token that is a number": '{"api_token": 7}',
    "a token that is null": '{"api_token": null}',
    "a token with a newline in it": f'{{"api_token": "{CANARY}\\n{CANARY}"}}',
    "a token with a header in it": f'{{"api_token": "x\\r\\nx-evil: {CANARY}"}}',
    "a token with a space": f'{{"api_token": "Token {CANARY}"}}',
    "only a scheme": '{"api_token": "Bearer "}',
    "a token that is not ASCII": f'{{"api_token": "{CANARY}é"}}',
    "a token with half a surrogate pair": f'{{"api_token": "{CANARY}\\ud800"}}',
    "an api_email without an api_key": f'{{"api_email": "{CANARY}@b.example"}}',
    "an api_key without an api_email": f'{{"api_key": "{CANARY}"}}',
    "a key with a newline in it": f'{{"api_email": "a@b.example", "api_key": "{CANARY}\\n{CANARY}"}}',
    "nested 100,000 deep": "[" * 100_000,
    "digits": "[" + "9" * 5_000 + "]",
}


def causes(error: BaseException | None) -> Iterator[BaseException]:
    """An exception with its causes and contexts."""
    while error is not None:
        yield error
        error = error.__cause__ or error.__context__


@pytest.mark.parametrize("text", MALFORMED.values(), ids=MALFORMED)
def test_malformed_secret_is_refused_without_showing_its_content(text: str) -> None:
    """Neither the error, its causes, nor their tracebacks contain the secret."""
    error = refused(Credentials(FakeSecret(Secret(text, "v1"))))
    shown = "".join(
        f"{it} {it!r} {it.args} {vars(it)} {''.join(traceback.format_exception(it))}" for it in causes(error)
    )
    assert [] == [word for word in (CANARY, "b.example", "9999") if word in shown]


def test_repr_of_a_secret_shows_the_version_and_not_the_content() -> None:
    """Printed or logged objects show the version only."""
    credential = Credentials(FakeSecret(NEW)).current()
    for it in (NEW, credential, [NEW], {"credential": credential}):
        assert CANARY not in f"{it} {it!r}"
        assert "v2" in repr(it)
