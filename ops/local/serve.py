"""`make local`: the local stack, kept up until interrupted, and what another shell needs to use it.

Listens on loopback, or on Docker's bridge where there is one, so that a container (`sam local invoke`) can reach it
too.
"""

import json
import signal
import socket
import sys
from pathlib import Path
from platform import machine

from rich.console import Console

from ops.local.stack import Stack, local_stack

FOLDER = Path(__file__).parents[2] / ".local"
BRIDGE = "172.17.0.1"
CONTAINERS_NAME = "host.docker.internal"
"""What a container calls this machine, given `--add-host host.docker.internal:172.17.0.1` on Linux."""
FUNCTION = "EscalateFunction"
PARAMETERS = f"Architecture={'arm64' if machine() in {'aarch64', 'arm64'} else 'x86_64'} CloudflareAccountId={'0' * 32}"
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


def main() -> int:
    """Serve until interrupted."""
    console, host = Console(highlight=False, soft_wrap=True), reachable_host()
    ending = {signal.SIGINT, signal.SIGTERM}
    signal.pthread_sigmask(signal.SIG_BLOCK, ending)  # also for the servers' threads: only the last line waits for them
    with local_stack(host) as (stack, cloudflare):
        FOLDER.mkdir(exist_ok=True)
        shell = "".join(f"export {name}='{value}'\n" for name, value in stack.environment.items())
        (FOLDER / "environment").write_text(shell, "utf-8")
        container = {FUNCTION: container_variables(stack, host)}
        (FOLDER / "sam.json").write_text(json.dumps(container, indent=2), "utf-8")
        console.print(
            f"[bold]The local stack is up.[/] AWS: {stack.aws['AWS_ENDPOINT_URL']}  Cloudflare: {cloudflare.base_url}\n\n"
            "In another shell:\n\n"
            "  . .local/environment\n\n"
            f"  sam build --parameter-overrides '{PARAMETERS}'\n"
            f"  sam local invoke -e events/malicious.json --parameter-overrides '{PARAMETERS}' \\\n"
            f"    --env-vars .local/sam.json --add-host {CONTAINERS_NAME}:{host}\n\n"
            "  ops/bin/escalator history\n"
            "  ops/bin/escalator redrive list\n\n"
            "Nobody polls the queue here, and the table is empty until `sam local invoke` has delivered something. `sam` is\n"
            ".venv-sam/bin/sam, once `make .venv-sam/ready` has installed it. The AWS command line wants its endpoint said:\n\n"
            '  aws --endpoint-url "$AWS_ENDPOINT_URL" sqs receive-message --queue-url "$DEAD_LETTER_QUEUE_URL"\n\n'
            "Ctrl-C ends it."
        )
        signal.sigwait(ending)
        (FOLDER / "environment").unlink()
    return 0


if __name__ == "__main__":
    sys.exit(main())
