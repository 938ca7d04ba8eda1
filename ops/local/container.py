"""Addresses and options with which a container (`sam local invoke`) reaches the local stack."""

import platform
import socket

from ops.local.stack import Stack

BRIDGE = "172.17.0.1"
"""The address of this machine on Docker's default network, on Linux."""
CONTAINERS_NAME = "host.docker.internal"
"""The host name of this machine in a container. Docker Desktop resolves it; Linux needs `--add-host`."""
FUNCTION = "EscalateFunction"
_ARCHITECTURE = "arm64" if platform.machine() in {"aarch64", "arm64"} else "x86_64"
PARAMETERS = f"Architecture={_ARCHITECTURE} CloudflareAccountId={'0' * 32}"
"""Parameters for `sam build` and `sam local invoke`: this machine's architecture, and any valid account id."""


def container_variables(stack: Stack, host: str) -> dict[str, str]:
    """The function's environment, with the host name that a container uses for this machine."""
    variables = stack.variables | {"AWS_ENDPOINT_URL": stack.aws["AWS_ENDPOINT_URL"]}
    return {name: value.replace(f"//{host}:", f"//{CONTAINERS_NAME}:") for name, value in variables.items()}


def reachable_host() -> str:
    """Return Docker's bridge address if this machine has it, else loopback."""
    with socket.socket() as probe:
        try:
            probe.bind((BRIDGE, 0))
        except OSError:
            return "127.0.0.1"
    return BRIDGE


def add_host(host: str, system: str = platform.system()) -> str | None:
    """Return the `sam local invoke` option for this host, or None if containers cannot reach it."""
    if system != "Linux":
        return ""
    return f" --add-host {CONTAINERS_NAME}:{host}" if host == BRIDGE else None
