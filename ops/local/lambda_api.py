"""A part of Lambda's API over HTTP: invoke functions, and describe them. Emulated AWS has no functions of its own.

    with LambdaApi({"local-feed": environment}, {"local-feed": queue_arn}) as url:
        ...  # pass url as AWS_ENDPOINT_URL_LAMBDA

Each function is an environment (lambda_runtime.py), which handles one event at a time. `states` and `triggers` are what is
said of a function; a test changes them.
"""

import json
import re
import threading
import uuid
from collections.abc import Mapping
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from types import MappingProxyType
from typing import Any, Protocol
from urllib.parse import parse_qs, unquote

from ops.local.lambda_runtime import FunctionError, Invocation

_FUNCTION = re.compile(r"/2015-03-31/functions/(?P<name>[^/]+)/(?P<what>invocations|configuration)")
_TRIGGERS = "/2015-03-31/event-source-mappings"
_NOT_FOUND = {"Message": "Function not found"}, {"x-amzn-ErrorType": "ResourceNotFoundException"}


class Function(Protocol):
    """What handles events: an `Environment`."""

    def invoke(self, event: dict[str, Any]) -> Invocation:
        """Handle one event. Raises FunctionError."""


class LambdaApi:
    """Serves during a `with` block; by default on loopback, on a free port."""

    def __init__(
        self,
        functions: dict[str, Function],
        queues: Mapping[str, str] = MappingProxyType({}),
        host: str = "127.0.0.1",
    ) -> None:
        """Listen, but do not respond yet. functions: by name. queues: the ARN of the queue that triggers a function."""
        self._server = _Server((host, 0), _Handler)
        self._server.functions = self.functions = functions
        self._server.states = self.states = {
            it: {"State": "Active", "LastUpdateStatus": "Successful"} for it in functions
        }
        self._server.triggers = self.triggers = {
            name: [{"UUID": str(uuid.uuid4()), "EventSourceArn": arn, "State": "Enabled"}]
            for name, arn in queues.items()
        }
        self._thread = threading.Thread(target=self._server.serve_forever, args=(0.02,), name="lambda", daemon=True)

    def __enter__(self) -> str:
        self._thread.start()
        host, port = self._server.server_address[:2]
        return f"http://{host!s}:{port}"

    def __exit__(self, *_: object) -> None:
        self._server.shutdown()
        self._server.server_close()
        self._thread.join()


class _Server(ThreadingHTTPServer):
    daemon_threads = True
    functions: Mapping[str, Function]
    states: Mapping[str, dict[str, str]]
    triggers: Mapping[str, list[dict[str, str]]]

    def __init__(self, *args: Any) -> None:
        self.one_at_a_time = threading.Lock()
        super().__init__(*args)


class _Handler(BaseHTTPRequestHandler):
    server: _Server
    protocol_version = "HTTP/1.1"

    def do_GET(self) -> None:
        path, _, query = self.path.partition("?")
        if path.rstrip("/") == _TRIGGERS:
            [name] = parse_qs(query)["FunctionName"]
            self._respond(200, {"EventSourceMappings": self.server.triggers.get(name, [])}, {})
            return
        route = _FUNCTION.fullmatch(path)
        name = unquote(route["name"]) if route else ""
        if name not in self.server.functions:
            self._respond(404, *_NOT_FOUND)
            return
        self._respond(200, {"FunctionName": name, **self.server.states.get(name, {})}, {})

    def do_POST(self) -> None:
        body = self.rfile.read(int(self.headers.get("content-length", "0")))
        route = _FUNCTION.fullmatch(self.path)
        function = self.server.functions.get(unquote(route["name"])) if route else None
        if function is None:
            self._respond(404, *_NOT_FOUND)
            return
        try:
            with self.server.one_at_a_time:
                answer: Any = function.invoke(json.loads(body or b"{}")).response
        except FunctionError as exc:
            error = {"errorMessage": str(exc).strip().splitlines()[-1], "errorType": "Exception"}
            self._respond(200, error, {"X-Amz-Function-Error": "Unhandled"})
            return
        self._respond(200, answer, {})

    def _respond(self, status: int, answer: object, headers: Mapping[str, str]) -> None:
        body = json.dumps(answer).encode()
        self.send_response(status)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(body)))
        for name, value in {"x-amzn-RequestId": str(uuid.uuid4()), **headers}.items():
            self.send_header(name, value)
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *_: object) -> None:
        """Log nothing: the function has its own log."""
