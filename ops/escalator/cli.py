"""The command `escalator`: its options for all, its errors, its exit codes."""

import os
import sys
from typing import Any

import click

from functions.release import RELEASE
from ops.escalator.connection import Connection, Failed, Interrupted
from ops.escalator.explain import explain
from ops.escalator.export import export
from ops.escalator.history import history
from ops.escalator.page import report
from ops.escalator.redrive import redrive
from ops.escalator.stats import stats
from ops.escalator.text import visible
from ops.interrupt import INTERRUPTED
from ops.loopback import bypass_proxy

DONE, NOT_DONE, USAGE = 0, 1, 2
"""Exit codes. click's own errors end with the same: 1, and 2 for a usage error."""


class OneLineErrors(click.Group):
    """A command that ends in one line on stderr, and never in a traceback, where something cannot be done."""

    def main(self, *args: Any, **kwargs: Any) -> Any:
        """Run it, and exit."""
        try:
            code = super().main(*args, **kwargs | {"standalone_mode": False})
        except click.exceptions.NoArgsIsHelpError as exc:
            exc.show()
            code = USAGE
        except click.UsageError as exc:
            see = f" See: {exc.ctx.command_path} --help" if exc.ctx else ""
            code = _complain(exc.format_message() + see, USAGE)
        except click.ClickException as exc:
            code = _complain(exc.format_message(), NOT_DONE)
        except Interrupted as exc:
            code = _complain(str(exc), INTERRUPTED)
        except Failed as exc:
            code = _complain(str(exc), NOT_DONE)
        except click.Abort:
            code = _complain("interrupted; look at what is there before you go on", INTERRUPTED)
        sys.exit(code if isinstance(code, int) else DONE)


def _complain(text: str, code: int) -> int:
    click.echo(f"escalator: {visible(' '.join(text.split()))}", err=True)
    return code


@click.group(cls=OneLineErrors, context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 110})
@click.option(
    "--region", metavar="NAME", envvar=["AWS_REGION", "AWS_DEFAULT_REGION"], show_envvar=True, help="AWS region."
)
# The AWS SDK reads these two from the environment itself, with AWS_ENDPOINT_URL_SQS and the like before the general one.
@click.option("--profile", metavar="NAME", help="Profile with AWS credentials.  [env var: AWS_PROFILE]")
@click.option("--endpoint-url", metavar="URL", help="Endpoint for all AWS calls.  [env var: AWS_ENDPOINT_URL]")
@click.version_option(RELEASE, message="%(version)s")
@click.pass_context
def escalator(ctx: click.Context, region: str | None, profile: str | None, endpoint_url: str | None) -> None:
    """Look after the alerts on mail that Cloudflare Email Security found malicious or suspicious.

    \b
    Exit codes: 0  done
                1  something could not be done; stderr says what, and what to do
                2  the command was not understood, or wants --yes; nothing was done
                130  interrupted, by Ctrl-C for example
    """  # noqa: D301  # click's \b keeps the lines as they are
    bypass_proxy(os.environ)
    ctx.obj = Connection(region, profile, endpoint_url)


for command in (history, explain, stats, report, export, redrive):
    escalator.add_command(command)
