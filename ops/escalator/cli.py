"""The command `escalator`: global options, errors and exit codes."""

import os
import sys
from typing import Any

import click

from functions.release import RELEASE
from ops.escalator.aws import CommandFailed, Connection, Interrupted
from ops.escalator.commands.doctor import doctor
from ops.escalator.commands.erase import erase
from ops.escalator.commands.explain import explain
from ops.escalator.commands.export import export
from ops.escalator.commands.feed import feed
from ops.escalator.commands.find import find
from ops.escalator.commands.history import history
from ops.escalator.commands.redrive import redrive
from ops.escalator.commands.replay import replay
from ops.escalator.commands.report import report
from ops.escalator.commands.stats import stats
from ops.escalator.commands.status import status
from ops.escalator.commands.test_alert import test_alert
from ops.escalator.output.console import OutputClosed
from ops.escalator.text.sanitize import visible
from ops.interrupt import INTERRUPTED
from ops.loopback import bypass_proxy

DONE, NOT_DONE, USAGE = 0, 1, 2
"""Exit codes, the same as those of click itself: 1 for an error, 2 for a usage error."""
COMMANDS = {
    "Look at records": (find, explain, history, stats),
    "Write files": (report, export),
    "Check a deployment": (status, doctor, test_alert),
    "Publish alerts": (replay,),
    "Feed": (feed,),
    "Dead-letter queue": (redrive,),
    "Personal data": (erase,),
}
"""Commands by job, in the order of the help."""


class EscalatorGroup(click.Group):
    """The top command. Errors are one line on stderr, never a traceback; the help groups commands by job."""

    def format_commands(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:  # noqa: ARG002  # click's signature
        """Write one section of commands for each job."""
        for job, commands in COMMANDS.items():
            with formatter.section(job):
                limit = formatter.width - 6 - max(len(it.name or "") for it in commands)
                formatter.write_dl([(it.name or "", it.get_short_help_str(limit)) for it in commands])

    def main(self, *args: Any, **kwargs: Any) -> Any:
        """Run the command and exit."""
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
        except CommandFailed as exc:
            code = _complain(str(exc), NOT_DONE)
        except OutputClosed:
            code = _discard_output()
        except click.Abort:
            code = _complain("interrupted; look at what is there before you go on", INTERRUPTED)
        sys.exit(code if isinstance(code, int) else DONE)


def _discard_output() -> int:
    """Python flushes stdout once more when it ends, which would fail."""
    devnull = os.open(os.devnull, os.O_WRONLY)
    os.dup2(devnull, sys.stdout.fileno())
    os.close(devnull)
    return DONE


def _complain(text: str, code: int) -> int:
    click.echo(f"escalator: {visible(' '.join(text.split()))}", err=True)
    return code


@click.group(cls=EscalatorGroup, context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 110})
@click.option(
    "--region", metavar="NAME", envvar=["AWS_REGION", "AWS_DEFAULT_REGION"], show_envvar=True, help="AWS region."
)
# The AWS SDK reads these two variables itself. It reads AWS_ENDPOINT_URL_SQS and the like before the general one.
@click.option("--profile", metavar="NAME", help="Profile with AWS credentials.  [env var: AWS_PROFILE]")
@click.option("--endpoint-url", metavar="URL", help="Endpoint for all AWS calls.  [env var: AWS_ENDPOINT_URL]")
@click.version_option(RELEASE, message="%(version)s")
@click.pass_context
def escalator(ctx: click.Context, region: str | None, profile: str | None, endpoint_url: str | None) -> None:
    """Inspect the records of Cloudflare Email Security alerts, check a deployment, and handle the dead-letter queue.

    \b
    Exit codes:
      0  done
      1  the command failed; stderr says what failed and what to do
      2  the command line is not valid, or needs --yes; nothing was done
      130  interrupted, for example by Ctrl-C

    \b
    Shell completion (bash; zsh and fish work the same way), if `escalator` is on the PATH:
      eval "$(_ESCALATOR_COMPLETE=bash_source escalator)"
    """  # noqa: D301  # click's \b keeps the lines as they are
    bypass_proxy(os.environ)
    ctx.obj = Connection(region, profile, endpoint_url)


for command in (it for commands in COMMANDS.values() for it in commands):
    escalator.add_command(command)
