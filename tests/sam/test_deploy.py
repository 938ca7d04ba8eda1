"""`sam deploy` with the parameters file, against the emulated AWS."""

import json
import os
import shutil
import subprocess
import tomllib
from dataclasses import dataclass
from pathlib import Path

import boto3
import pytest

from ops.local.stack import CREDENTIALS
from ops.local.template import read_template

ROOT = Path(__file__).parents[2]
SAM = ROOT / ".venv-sam" / "bin" / "sam"
EXAMPLE, PARAMETERS = "parameters.example.toml", "parameters.toml"
CONFIG = tomllib.loads((ROOT / "samconfig.toml").read_text("utf-8"))["default"]
ACCOUNT = "0123456789abcdef0123456789abcdef"


@dataclass(frozen=True)
class Checkout:
    """A folder to deploy from, with the tracked files that `sam deploy` reads."""

    folder: Path
    endpoint: str

    def write(self, **parameters: str) -> None:
        """Write the parameters file: the example with these values."""
        values = tomllib.loads((self.folder / EXAMPLE).read_text("utf-8")) | parameters
        lines = [f'{name} = "{value}"\n' for name, value in values.items()]
        (self.folder / PARAMETERS).write_text("".join(lines), "utf-8")

    def deploy(self, *options: str) -> dict[str, str]:
        """Run `sam deploy`, and return the stack's parameters."""
        done = self.sam_deploy(*options)
        assert 0 == done.returncode, done.stdout + done.stderr
        cloudformation = boto3.client(
            "cloudformation",
            "us-east-1",
            endpoint_url=self.endpoint,
            aws_access_key_id="local",
            aws_secret_access_key="local",
        )
        name = CONFIG["global"]["parameters"]["stack_name"]
        [stack] = cloudformation.describe_stacks(StackName=name)["Stacks"]
        return {it["ParameterKey"]: it["ParameterValue"] for it in stack["Parameters"]}

    def sam_deploy(self, *options: str) -> subprocess.CompletedProcess[str]:
        """Run `sam deploy` without a confirmation."""
        assert SAM.exists(), f"{SAM} is missing. Run `make .venv-sam/ready`."
        return subprocess.run(
            [str(SAM), "deploy", "--no-confirm-changeset", "--template-file", "template.json", *options],
            cwd=self.folder,
            env=os.environ
            | CREDENTIALS
            | {"AWS_ENDPOINT_URL": self.endpoint, "SAM_CLI_TELEMETRY": "0", "SAM_CLI_POLL_DELAY": "0.1"},
            capture_output=True,
            text=True,
            timeout=120,
            check=False,
        )


@pytest.fixture
def checkout(endpoint: str, tmp_path: Path) -> Checkout:
    """Make a checkout whose template has the real parameters and one queue.

    The emulated CloudFormation cannot create the bucket that SAM needs for more.
    """
    config = (ROOT / "samconfig.toml").read_text("utf-8")
    assert "resolve_s3 = true" in config
    (tmp_path / "samconfig.toml").write_text(config.replace("resolve_s3 = true", "resolve_s3 = false"), "utf-8")
    shutil.copy(ROOT / EXAMPLE, tmp_path)
    template = read_template().cloudformation
    queue = {"DeadLetterQueue": template["Resources"]["DeadLetterQueue"]}
    small = {name: template[name] for name in ("Parameters", "Conditions")} | {"Resources": queue}
    (tmp_path / "template.json").write_text(json.dumps(small), "utf-8")
    return Checkout(tmp_path, endpoint)


def test_values_of_the_parameters_file_apply_to_each_deployment(checkout: Checkout) -> None:
    """A parameter that is removed from the file keeps its last value."""
    checkout.write(CloudflareAccountId=ACCOUNT, RecordAll="true", EscalateOn="MALICIOUS")
    first = checkout.deploy()
    assert (ACCOUNT, "true", "MALICIOUS") == tuple(
        first[name] for name in ("CloudflareAccountId", "RecordAll", "EscalateOn")
    )

    once = checkout.deploy("--parameter-overrides", "EscalateOn=SUSPICIOUS")
    assert first | {"EscalateOn": "SUSPICIOUS"} == once

    checkout.write(CloudflareAccountId=ACCOUNT, EscalateOn="MALICIOUS")
    assert first == checkout.deploy()


def test_deploy_without_the_parameters_file_fails(checkout: Checkout) -> None:
    """The error names the missing file."""
    done = checkout.sam_deploy()
    assert 0 != done.returncode
    assert f"file://{PARAMETERS} was not found" in done.stderr


def test_example_has_parameters_of_the_template_only() -> None:
    """It has all parameters without a default."""
    example = tomllib.loads((ROOT / EXAMPLE).read_text("utf-8"))
    declared = read_template().cloudformation["Parameters"]
    assert example.keys() <= declared.keys()
    assert {name for name, it in declared.items() if "Default" not in it} <= example.keys()
    assert {""} == set(example.values())


def test_git_ignores_the_parameters_file() -> None:
    """samconfig.toml refers to the same file."""
    assert f"file://{PARAMETERS}" == CONFIG["deploy"]["parameters"]["parameter_overrides"]
    assert f"/{PARAMETERS}" in (ROOT / ".gitignore").read_text("utf-8").splitlines()
