"""`runner check`: its options, and what it found in words or JSON."""

import sys
from collections.abc import Iterator
from copy import copy
from typing import Any

import click

from runner.cli import batch
from runner.cli.batch_settings import batch_settings
from runner.cli.command import Command, Option
from runner.cli.configuration import config_of
from runner.cli.putting import put_json
from runner.errors import ExitCode

_HELP = """\
Validate every line of JOBS, show one request, and estimate tokens, cost and
time. Sends nothing and needs no key."""
_EPILOG = """\
The other options of batch may stand in the command and change nothing.
Any option can be set as RUNNER_CHECK_OPTION, or under [check] in runner.toml;
what batch is told there counts for check, too, unless check is told better.
Exit codes: 0 all valid, 2 not. What is done already:  runner batch --dry-run"""

_SEEN = "What you see"
_ELSEWHERE = frozenset({"dry_run"})
_WITHOUT_EFFECT = frozenset(
    {"retry", "fresh", "unordered", "no_response", "keep_request", "summary_json", "processes"}
    | {"no_wait", "cancel", "max_runtime", "max_failures", "max_attempts", "attempt_timeout"}
    | {"job_timeout", "grace", "allow_failures", "wait_lock", "tail", "verbose"}
    | {"log_json", "otel"}
)
"""Taken all the same, so that the command of a batch can be checked by changing one word."""


def _params() -> Iterator[click.Parameter]:
    for param in batch.command.params:
        if param.name in _ELSEWHERE:
            continue
        taken = copy(param)
        if isinstance(taken, Option):
            taken.hidden = taken.name in _WITHOUT_EFFECT
            taken.also = None if taken.section == _SEEN else "batch"
        yield taken
    yield Option(["--json"], section=_SEEN, is_flag=True, help="What was found, for programs")


@click.command("check", cls=Command, help=_HELP, epilog=_EPILOG, params=list(_params()))
@click.pass_context
def command(ctx: click.Context, /, jobs: str, **options: Any) -> int:
    """Turn options into settings, check, and say what was found."""
    config = config_of(ctx)
    settings = batch_settings(
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
