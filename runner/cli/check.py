"""`runner check`: its options, and what it found in words or JSON."""

import sys
from typing import Any

import click

from runner.cli import options as shared
from runner.cli.command import Command, option
from runner.cli.configuration import config_of
from runner.cli.putting import put_json
from runner.errors import ExitCode
from runner.settings import BatchSettings

_HELP = """\
Validate every line of JOBS, count them by model and show one request. Sends
nothing and needs no key."""
_EPILOG = """\
Any option can be set as RUNNER_CHECK_OPTION, or under [check] in runner.toml.
Exit codes: 0 all valid, 2 not."""


@click.command("check", cls=Command, help=_HELP, epilog=_EPILOG)
@click.argument("jobs", metavar="JOBS")
@shared.model
@shared.system
@shared.template
@shared.id_column
@shared.max_tokens
@shared.set_
@shared.override
@shared.files_from
@shared.limit
@shared.sample
@shared.repeat
@shared.max_line
@option("--json", section="What you see", is_flag=True, help="What was found, for programs")
@click.pass_context
def command(ctx: click.Context, /, jobs: str, **options: Any) -> int:
    """Turn options into settings, check, and say what was found."""
    config = config_of(ctx)
    shared.refuse_both("limit", "sample", options)
    settings = BatchSettings(
        jobs=jobs,
        ask=shared.ask(options, default_model=config.default_model),
        limit=options["limit"],
        sample=options["sample"],
        repeat=options["repeat"],
        files_from=shared.file_path(options["files_from"], "--files-from"),
        max_line_bytes=options["max_line"],
    )
    from runner.checking import check_jobs, checkup_json, checkup_text

    checkup = check_jobs(settings, config)
    if options["json"]:
        put_json(checkup_json(checkup) + b"\n")
        sys.stdout.flush()  # before what is said of it on stderr
    if checkup.checked.invalid:
        raise checkup.refusal()
    if not options["json"]:
        click.echo(checkup_text(checkup), err=True)
    return ExitCode.OK
