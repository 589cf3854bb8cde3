"""`runner check`: its options, and what it found in words or JSON."""

import sys
from typing import Any

import click

from runner.cli import batch
from runner.cli.command import Command, Option
from runner.cli.configuration import config_of
from runner.cli.putting import put_json
from runner.errors import ExitCode

_HELP = """\
Validate every line of JOBS, show one request, and estimate tokens, cost and
time. Takes the options of batch, sends nothing and needs no key."""
_EPILOG = """\
Any option can be set as RUNNER_CHECK_OPTION, or under [check] in runner.toml.
Exit codes: 0 all valid, 2 not. What is done already:  batch --dry-run"""

_PARAMS = [
    *(param for param in batch.command.params if param.name != "dry_run"),
    Option(["--json"], section="What you see", is_flag=True, help="What was found, for programs"),
]


@click.command("check", cls=Command, help=_HELP, epilog=_EPILOG, params=_PARAMS)
@click.pass_context
def command(ctx: click.Context, /, jobs: str, **options: Any) -> int:
    """Turn options into settings, check, and say what was found."""
    config = config_of(ctx)
    settings = batch.batch_settings(
        jobs, options, default_model=config.default_model, typed=tuple(sys.argv[1:])
    )
    from runner.checking.checkup import check_jobs
    from runner.checking.wording import checkup_json, checkup_text
    from runner.run.prices import price_book

    checkup = check_jobs(settings, config, price_book(config))
    if options["json"]:
        put_json(checkup_json(checkup) + b"\n")
        sys.stdout.flush()  # before what is said of it on stderr
    if checkup.checked.invalid and not settings.skip_invalid:
        raise checkup.refusal()
    if not options["json"] and not settings.quiet:
        click.echo(checkup_text(checkup), err=True)
    return ExitCode.OK
