"""How a container (`sam local invoke`) reaches the local stack on this machine."""

import platform
import socket

from ops.local.stack import Stack

BRIDGE = "172.17.0.1"
"""This machine's address on Docker's own network, on Linux."""
CONTAINERS_NAME = "host.docker.internal"
"""What a container calls this machine. Docker Desktop resolves it; on Linux `--add-host` has to."""
FUNCTION = "EscalateFunction"
_ARCHITECTURE = "arm64" if platform.machine() in {"aarch64", "arm64"} else "x86_64"
PARAMETERS = f"Architecture={_ARCHITECTURE} CloudflareAccountId={'0' * 32}"
"""For `sam build` and `sam local invoke`: a container runs on this machine's processor, and needs some account id."""


def container_variables(stack: Stack, host: str) -> dict[str, str]:
    """The function's environment, for a container: the same servers under the name that it knows them by."""
    variables = stack.variables | {"AWS_ENDPOINT_URL": stack.aws["AWS_ENDPOINT_URL"]}
    return {name: value.replace(f"//{host}:", f"//{CONTAINERS_NAME}:") for name, value in variables.items()}


def reachable_host() -> str:
    """Docker's bridge address where this machine has it, else loopback."""
    with socket.socket() as probe:
        try:
            probe.bind((BRIDGE, 0))
        except OSError:
            return "127.0.0.1"
    return BRIDGE


def add_host(host: str, system: str = platform.system()) -> str | None:
    """The option that `sam local invoke` needs with a stack on this host; None where no container can reach it."""
    if system != "Linux":
        return ""
    return f" --add-host {CONTAINERS_NAME}:{host}" if host == BRIDGE else None
