"""An alert says how many earlier records have its sender, link host or file, and gives the command that lists them."""

import json
import re
import shlex
from dataclasses import replace

from click.testing import CliRunner

from ops.escalator.cli import escalator
from ops.local.fake_cloudflare.mailbox import Mail, Mailbox
from tests.faults.answers import aws_error
from tests.faults.test_crash_points import MakeFragile, make_fragile  # noqa: F401  # a fixture
from tests.integration.deployment import Deployment, MakeDeployment, outcomes
from tests.integration.fake_cloudflare_client import ACCOUNT
from tests.integration.test_escalation import MALICIOUS


def copy(number: int) -> Mail:
    """The same email with other ids."""
    old, new = MALICIOUS.postfix_id, f"{MALICIOUS.postfix_id[:-2]}{number:02}"
    renamed = json.loads(json.dumps([MALICIOUS.result, MALICIOUS.mail]).replace(old, new))
    investigate_id = MALICIOUS.investigate_id.replace(old, new)
    return replace(MALICIOUS, postfix_id=new, investigate_id=investigate_id, result=renamed[0], mail=renamed[1])


def others(deployment: Deployment) -> list[tuple[str, list[str]]]:
    """The headings under "Look for others" of the newest alert, each with its command."""
    section = deployment.people()[-1]["email"].partition("LOOK FOR OTHERS\n")[2].partition("\n\n")[0]
    found = re.findall(r"^  (Same .*):\n((?:.*\\\n)*.*)", section, re.MULTILINE)
    return [(heading, shlex.split(command.replace("\\\n", ""))) for heading, command in found]


def test_number_of_earlier_records_is_that_of_the_command(make_deployment: MakeDeployment) -> None:
    """The command also lists the alert's own record. Copies have commands only where campaigns are off."""
    mails = [copy(number) for number in range(3)]
    deployment = make_deployment(Mailbox(ACCOUNT, tuple(mails)), CampaignMinutes="0")
    texts = ["no earlier records", "1 earlier record", "2 earlier records"]
    for mail, text in zip(mails, texts, strict=True):
        deployment.send(mail.postfix_id)
        deployment.poll()
        headings = [heading for heading, _ in others(deployment)]
        assert [f"Same {kind}, {text} in 30 days" for kind in ("sender", "link host")] == headings[:2]

    for _, (program, *command) in others(deployment):
        arguments = [*command[: command.index("--stack")], "--json"]
        listed = CliRunner().invoke(escalator, arguments, env=deployment.stack.environment)
        assert ("escalator", 0, len(mails)) == (program, listed.exit_code, len(json.loads(listed.stdout)))


def test_alert_without_counts_is_published(make_fragile: MakeFragile) -> None:  # noqa: F811  # a fixture
    """DynamoDB refuses to count."""
    fragile = make_fragile({("Query", n): aws_error("Query", 400, "AccessDeniedException") for n in range(1, 9)})
    fragile.deployment.send(MALICIOUS.postfix_id)
    [record] = fragile.deployment.received_records()

    assert [("ESCALATED", "disposition-listed")] == outcomes(fragile.invoke(record))
    assert ["Same sender"] == [heading for heading, _ in others(fragile.deployment)][:1]
