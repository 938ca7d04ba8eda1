"""What `make local` prints once it is up: commands that work as pasted, in a shell at the top of the repository."""

from pathlib import Path

from ops.local.cloudflare import StandIn
from ops.local.container import BRIDGE, PARAMETERS, add_host
from ops.local.mailbox import Generation, Mail, Mailbox
from ops.local.stack import Stack

_DISPOSITIONS = ("MALICIOUS", "MALICIOUS-BEC", "SUSPICIOUS", "SPAM")


def guide(stack: Stack, cloudflare: StandIn, mailbox: Mailbox, folder: Path, host: str, *, polls: bool) -> str:
    """How to send an id, and how to read what comes of it; without polling, how to invoke the function by hand."""
    shown = examples(mailbox)
    known = "\n".join(f"  {it.postfix_id:17} {_disposition(it):14} {it.about}" for it in shown)
    mail_id = shown[0].postfix_id if shown else "ID"
    # Old versions of the AWS command line do not read the endpoint from the environment.
    return f"""The local stack is up. Ctrl-C ends it and removes {folder}.

AWS:             {stack.aws["AWS_ENDPOINT_URL"]}
Requests queue:  {stack.requests_url}
Cloudflare:      {cloudflare.base_url}

In another shell, first:

  . {folder}/environment

Send an id; the second command needs no AWS command line:

  aws --endpoint-url "$AWS_ENDPOINT_URL" sqs send-message --queue-url "$REQUEST_QUEUE_URL" --message-body {mail_id}
  curl --aws-sigv4 aws:amz:us-east-1:sqs -u local:local -d Action=SendMessage \\
    -d MessageBody={mail_id} "$REQUEST_QUEUE_URL"

Cloudflare knows {len(mailbox.mails)} mails here, these among them. To add one, edit ops/local/mailbox.json and start again.

{known}

{_delivery(folder, host, polls=polls)}
Read an alert: a line here names its file in {folder}/alerts. A .txt file is the e-mail; the .json
file beside it is what other subscribers get. Read the records and the rejections:

  ops/bin/escalator history --stack {stack.name}
  ops/bin/escalator redrive list --stack {stack.name}
"""


def examples(mailbox: Mailbox) -> list[Mail]:
    """The newest mail of some dispositions, of those that Cloudflare answers at once and by its contract."""
    plain = [it for it in mailbox if it.mail and not it.script and it.generation is not Generation.DRIFT]
    newest = {_disposition(it): it for it in sorted(plain, key=lambda it: it.scanned_at)}
    return [newest[word] for word in _DISPOSITIONS if word in newest]


def _disposition(mail: Mail) -> str:
    return str((mail.result or {}).get("final_disposition", ""))


def _delivery(folder: Path, host: str, *, polls: bool) -> str:
    if polls:
        return """The function polls the queue, as Lambda does; each outcome is a line here. To leave the queue alone, for
`sam local invoke`: make local LOCAL=--no-poll
"""
    option = add_host(host)
    if option is None:
        return f"""Messages stay on the queue. Containers cannot reach this stack, because this machine has no address {BRIDGE},
Docker's bridge. For `sam local invoke`, start Docker, then start this again.
"""
    return f"""Messages stay on the queue. Invoke the function in a container, with events as if they had just been sent:

  make .venv-sam/ready
  .venv-sam/bin/sam build --parameter-overrides '{PARAMETERS}'
  .venv-sam/bin/sam local invoke -e {folder}/events/malicious.json --parameter-overrides '{PARAMETERS}' \\
    --env-vars {folder}/sam.json{option}
"""
