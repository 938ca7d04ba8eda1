"""`sam build`, then `sam local invoke` with each file in events/, in a container with Python 3.13.

These tests require Docker and the public base image of Lambda. They are skipped, with the reason, if Docker does not
respond, or if the image is not present and cannot be pulled.
"""

import json
import os
import shutil
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from ops.local.container import BRIDGE, CONTAINERS_NAME, FUNCTION, PARAMETERS, container_variables, reachable_host
from ops.local.scenarios import EVENTS, expected_outcomes
from ops.local.stack import Stack, local_stack
from ops.local.subscriber import receive
from ops.local.verify import read_dead_letters, read_records

ROOT = Path(__file__).parents[2]
SAM = ROOT / ".venv-sam" / "bin" / "sam"
MINUTES = 60


BASE_IMAGE = """
import sys
from samcli.local.docker.lambda_image import LambdaImage, Runtime
print(LambdaImage._INVOKE_REPO_PREFIX + "/" + Runtime.get_image_name_tag("python3.13", sys.argv[1]))
"""
"""Prints the image that SAM runs the function in. SAM has no public function for its name."""


def _succeeds(*command: str, seconds: float) -> bool:
    try:
        return subprocess.run(command, capture_output=True, check=False, timeout=seconds).returncode == 0
    except subprocess.TimeoutExpired:
        return False


def _missing() -> str | None:
    """Return the reason why containers cannot run, or None."""
    docker = shutil.which("docker")
    if docker is None or not _succeeds(docker, "info", seconds=MINUTES):
        return "Docker does not respond"
    architecture = "arm64" if "Architecture=arm64" in PARAMETERS else "x86_64"
    command = [str(SAM.with_name("python")), "-c", BASE_IMAGE, architecture]
    image = subprocess.run(command, capture_output=True, text=True, check=True).stdout.strip()
    if _succeeds(docker, "image", "inspect", image, seconds=MINUTES):
        return None
    if _succeeds(docker, "pull", "--quiet", image, seconds=5 * MINUTES):
        return None
    return f"the image {image} is not present and cannot be pulled"


@pytest.fixture(scope="session", autouse=True)
def _docker() -> None:
    if missing := _missing():
        pytest.skip(f"The container tests require Docker and its image: {missing}")


@dataclass(frozen=True)
class Deployed:
    """A built function, the local stack, and the container's environment file."""

    build: Path
    stack: Stack
    variables: Path
    host: str


def _sam(*arguments: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [str(SAM), *arguments],
        cwd=ROOT,
        env=os.environ
        | {
            # `sam build` runs pip, which the system's Python may not have.
            "PATH": os.pathsep.join([str(Path(sys.executable).parent), os.environ["PATH"]]),
            "SAM_CLI_TELEMETRY": "0",
            "AWS_ACCESS_KEY_ID": "local",
            "AWS_SECRET_ACCESS_KEY": "local",
            "AWS_DEFAULT_REGION": "us-east-1",
        },
        capture_output=True,
        text=True,
        timeout=5 * MINUTES,
        check=False,
    )


@pytest.fixture(scope="session")
def built(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Run `sam build` for this machine's architecture."""
    folder = tmp_path_factory.mktemp("build")
    done = _sam("build", "--build-dir", str(folder), "--parameter-overrides", PARAMETERS)
    assert done.returncode == 0, done.stderr
    return folder


@pytest.fixture(scope="session")
def deployed(built: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Deployed]:
    """Start the local stack on an address that containers can reach."""
    host = reachable_host()
    with local_stack(host) as (stack, _):
        variables = tmp_path_factory.mktemp("variables") / "sam.json"
        variables.write_text(json.dumps({FUNCTION: container_variables(stack, host)}))
        yield Deployed(built, stack, variables, host)


def _invoke(deployed: Deployed, event: Path) -> tuple[dict[str, Any], list[dict[str, Any]]]:
    """Invoke the function, and return its response and the logged outcomes."""
    done = _sam(
        *("local", "invoke", FUNCTION, "--event", str(event), "--skip-pull-image"),
        *("--parameter-overrides", PARAMETERS),
        *("--template-file", str(deployed.build / "template.yaml"), "--env-vars", str(deployed.variables)),
        *(("--add-host", f"{CONTAINERS_NAME}:{BRIDGE}") if deployed.host == BRIDGE else ()),
    )
    assert done.returncode == 0, done.stderr
    lines = [json.loads(line) for line in (done.stderr + done.stdout).splitlines() if line.startswith("{")]
    [response] = [line for line in lines if "batchItemFailures" in line]
    return response, [line for line in lines if line.get("message") == "outcome"]


@pytest.mark.parametrize("name", sorted(path.name for path in EVENTS.glob("*.json")))
def test_event_in_a_container_has_its_expected_outcomes(name: str, deployed: Deployed) -> None:
    """Each escalation is received as an alert, and its record is SENT."""
    rejected_before = len(read_dead_letters(deployed.stack))

    response, outcomes = _invoke(deployed, EVENTS / name)

    expected = expected_outcomes()[name]
    actual = [{key: outcome.get(key) for key in wanted} for wanted, outcome in zip(expected, outcomes, strict=True)]
    assert expected == actual
    assert response == {"batchItemFailures": []}
    sent = {outcome["alert_id"]: outcome["sns_message_id"] for outcome in outcomes if outcome["outcome"] == "ESCALATED"}
    received = {alert.attributes["alert_id"]: alert.sns_message_id for alert in receive(deployed.stack)}
    assert sent == received
    records = {it["alert_id"]: it for it in read_records(deployed.stack) if it.get("alert_id") in sent}
    assert dict.fromkeys(sent, "SENT") == {alert_id: record["state"] for alert_id, record in records.items()}
    rejected = sum(outcome["outcome"] == "REJECTED" for outcome in outcomes)
    assert rejected == len(read_dead_letters(deployed.stack)) - rejected_before


def test_package_has_byte_code_for_lambda_and_wheels_for_both_architectures(built: Path) -> None:
    """The byte code is for Lambda's Python only, and is not checked against its source."""
    package = built / FUNCTION
    compiled = list(package.rglob("*.pyc"))
    assert compiled or not (shutil.which("python3.13") and _succeeds("python3.13", "-c", "", seconds=MINUTES))
    assert {"cpython-313"} >= {path.suffixes[-2].removeprefix(".") for path in compiled}
    assert {0b01} >= {int.from_bytes(path.read_bytes()[4:8], "little") for path in compiled}
    compiled_wheels = {path.name.split(".")[1] for path in package.rglob("*.so")}
    assert {"cpython-313-x86_64-linux-gnu", "cpython-313-aarch64-linux-gnu"} == compiled_wheels
    assert {"functions", "schemas"} <= {path.name for path in package.iterdir()}
    assert not {"tests", "ops", "events"} & {path.name for path in package.iterdir()}
