"""Cloudflare and AWS in one process: TLS on loopback, with realistic latency and counts of calls.

    python -m tests.benchmarks.server CERTIFICATE

A write of the emulator of the other tests takes longer than everything that is measured here. So these servers return
fixed responses and store nothing. They stop when their standard input ends.
"""

import asyncio
import json
import ssl
import subprocess
import sys
from collections import Counter
from collections.abc import Callable, Mapping
from functools import partial
from pathlib import Path
from typing import Any, Self, cast

from tests.benchmarks.answers import Reply, aws, cloudflare
from tests.benchmarks.batches import Mails
from tests.benchmarks.certificates import HOST, Certificates

CLOUDFLARE_SECONDS, AWS_SECONDS = 0.050, 0.010
"""Latency from a complete request to its response. Connections have no latency except that of loopback."""
_ROOT = Path(__file__).parents[2]

Answer = Callable[[str, Mapping[str, str], bytes], Reply]


class Servers:
    """Both servers during a `with` block, from the side that measures."""

    def __init__(self, certificates: Certificates) -> None:
        self._process = subprocess.Popen(
            [sys.executable, "-m", "tests.benchmarks.server", str(certificates.certificate)],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
            cwd=_ROOT,
        )
        self.ports: dict[str, int] = self._read()

    def take_counts(self) -> Counter[str]:
        """Return the counts of calls by service and operation, and of TLS handshakes, since the last call."""
        if self._process.stdin is None:
            raise AssertionError("it is a pipe")
        self._process.stdin.write("\n")
        self._process.stdin.flush()
        return Counter(self._read())

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self._process.communicate()

    def _read(self) -> dict[str, int]:
        line = self._process.stdout.readline() if self._process.stdout else ""
        if not line:
            raise AssertionError("The benchmark's servers ended. Read their output above.")
        return cast("dict[str, int]", json.loads(line))


class _Connection(asyncio.Protocol):
    """One connection. It responds to complete requests in order, each after the latency."""

    def __init__(self, name: str, answer: Answer, latency: float, counts: Counter[str]) -> None:
        self._name = name
        self._answer = answer
        self._latency = latency
        self._counts = counts
        self._buffer = bytearray()

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Count the handshake."""
        self._transport = cast("asyncio.Transport", transport)
        self._counts[f"{self._name} handshake"] += 1

    def data_received(self, data: bytes) -> None:
        self._buffer += data
        head, end, _ = self._buffer.partition(b"\r\n\r\n")
        if not end:
            return
        request, *lines = head.decode("latin-1").split("\r\n")
        headers = {name.lower(): value.strip() for name, _, value in (line.partition(":") for line in lines)}
        length = len(head) + len(end) + int(headers.get("content-length", "0"))
        if len(self._buffer) < length:
            return
        reply = self._answer(request.split(" ")[1], headers, bytes(self._buffer[len(head) + len(end) : length]))
        del self._buffer[:length]
        self._counts[reply.call] += 1
        asyncio.get_running_loop().call_later(self._latency, self._send, reply)

    def _send(self, reply: Reply) -> None:
        head = f"HTTP/1.1 200 OK\r\ncontent-type: {reply.content_type}\r\ncontent-length: {len(reply.body)}\r\n\r\n"
        if not self._transport.is_closing():
            self._transport.write(head.encode() + reply.body)


async def _serve(certificate: str) -> None:
    loop = asyncio.get_running_loop()
    context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
    context.load_cert_chain(certificate)
    counts: Counter[str] = Counter()
    mails = Mails.make()
    sites: dict[str, tuple[Answer, float]] = {
        "cloudflare": (partial(cloudflare, mails), CLOUDFLARE_SECONDS),
        "aws": (aws, AWS_SECONDS),
    }
    ports: dict[str, Any] = {}
    for name, (answer, latency) in sites.items():
        made = partial(_Connection, name, answer, latency, counts)
        listening = await loop.create_server(made, HOST, 0, ssl=context, backlog=128)
        ports[name] = listening.sockets[0].getsockname()[1]
    # Takes what a tracer sends, as the daemon beside a Lambda function does.
    daemon, _ = await loop.create_datagram_endpoint(asyncio.DatagramProtocol, (HOST, 0))
    ports["xray"] = daemon.get_extra_info("sockname")[1]
    print(json.dumps(ports), flush=True)
    control = asyncio.StreamReader()
    await loop.connect_read_pipe(partial(asyncio.StreamReaderProtocol, control), sys.stdin)
    while await control.readline():
        print(json.dumps(counts), flush=True)
        counts.clear()


if __name__ == "__main__":
    asyncio.run(_serve(sys.argv[1]))
