"""The instructions that `make local` prints: commands to paste into a shell in the repository."""

from pathlib import Path

from ops.local.container import BRIDGE, PARAMETERS, add_host
from ops.local.fake_cloudflare.mailbox import Generation, Mail, Mailbox
from ops.local.fake_cloudflare.server import FakeCloudflare
from ops.local.stack import Stack

_DISPOSITIONS = ("MALICIOUS", "MALICIOUS-BEC", "SUSPICIOUS", "SPAM")


def guide(stack: Stack, cloudflare: FakeCloudflare, mailbox: Mailbox, folder: Path, host: str, *, polls: bool) -> str:
    """Explain how to send an id and read the results; without polling, how to invoke the function manually."""
    mails = examples(mailbox)
    example_lines = "\n".join(f"  {mail.postfix_id:17} {_disposition(mail):14} {mail.about}" for mail in mails)
    email_id = mails[0].postfix_id if mails else "ID"
    # Old versions of the AWS command line do not read the endpoint from the environment.
    return f"""The local stack is up. Ctrl-C stops it and removes {folder}.

AWS:             {stack.aws["AWS_ENDPOINT_URL"]}
Requests queue:  {stack.requests_url}
Cloudflare:      {cloudflare.base_url}

In another shell, run this first:

  . {folder}/environment

Send an id, with the AWS command line or with curl:

  aws --endpoint-url "$AWS_ENDPOINT_URL" sqs send-message --queue-url "$REQUEST_QUEUE_URL" --message-body {email_id}
  curl --aws-sigv4 aws:amz:us-east-1:sqs -u local:local -d Action=SendMessage \\
    -d MessageBody={email_id} "$REQUEST_QUEUE_URL"

The fake Cloudflare has {len(mailbox.mails)} emails. These are examples:

{example_lines}

To add an email, edit ops/local/fake_cloudflare/mailbox.json and restart.

{_delivery(folder, host, polls=polls)}
To read an alert, open the file that its line below names, in {folder}/alerts. The .txt file is the
email; the .json file is what other subscribers get. Read the records, the rejected messages and the status:

  ops/bin/escalator history --stack {stack.name}
  ops/bin/escalator redrive list --stack {stack.name}
  ops/bin/escalator status --stack {stack.name}
"""


def examples(mailbox: Mailbox) -> list[Mail]:
    """Return the newest email of each example disposition, among those without faults and contract drift."""
    plain = [mail for mail in mailbox if mail.mail and not mail.script and mail.generation is not Generation.DRIFT]
    newest = {_disposition(mail): mail for mail in sorted(plain, key=lambda mail: mail.scanned_at)}
    return [newest[disposition] for disposition in _DISPOSITIONS if disposition in newest]


def _disposition(mail: Mail) -> str:
    return str((mail.result or {}).get("final_disposition", ""))


def _delivery(folder: Path, host: str, *, polls: bool) -> str:
    if polls:
        return """The function polls the queue, as Lambda does. Each outcome is a line below. The feed runs every ten seconds. It
finds an email that arrives about 15 seconds after the start, although nothing sends its id. To leave messages on the queue
and the feed off, for `sam local invoke`, run: make local LOCAL=--no-poll
"""
    option = add_host(host)
    if option is None:
        return f"""Messages stay on the queue. Containers cannot reach this stack, because this machine does not have the address
of Docker's bridge, {BRIDGE}. For `sam local invoke`, start Docker, then run `make local` again.
"""
    return f"""Messages stay on the queue. Invoke the function in a container, with events that have current timestamps:

  make .venv-sam/ready
  .venv-sam/bin/sam build --parameter-overrides '{PARAMETERS}'
  .venv-sam/bin/sam local invoke -e {folder}/events/malicious.json --parameter-overrides '{PARAMETERS}' \\
    --env-vars {folder}/sam.json{option}
"""
