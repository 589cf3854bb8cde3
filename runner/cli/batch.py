"""`runner batch`: what it is, and how it is begun."""

import sys
from typing import Any

import click

from runner.cli.batch_options import (
    ASKING,
    RESULTS,
    SEEN,
    SPEED,
    TROUBLE,
    WHICH_JOBS,
    with_options,
)
from runner.cli.batch_settings import batch_settings
from runner.cli.command import Command
from runner.cli.configuration import config_of
from runner.cli.main import ARGUMENTS
from runner.cli.offers import offers

_HELP = """\
Ask every job in JOBS (.jsonl, .csv, either .gz, or - for stdin) and write
one result line per job. The same command again does what is left."""
_EPILOG = """\
Any option can be set as RUNNER_BATCH_OPTION, or under [batch] in runner.toml.
Exit codes: 0 all answered, 1 some not, 2 not started, 3 a limit you set,
4 account refused, 5 batches out, 74 cannot write, 75 already running,
129/130/143 stopped."""


@click.command("batch", cls=Command, help=_HELP, epilog=_EPILOG)
@click.argument("jobs", metavar="JOBS", shell_complete=offers("files"))
@with_options(ASKING, WHICH_JOBS, RESULTS, SPEED, TROUBLE, SEEN)
@click.pass_context
def command(ctx: click.Context, /, jobs: str, **options: Any) -> int:
    """Turn options into settings and run."""
    config = config_of(ctx)
    typed = ctx.meta.get(ARGUMENTS) or tuple(sys.argv[1:])
    settings = batch_settings(jobs, options, default_model=config.default_model, typed=typed)
    if settings.dry_run:
        from runner.run.dry_run import dry_run

        return dry_run(settings, config)
    from runner.run.batch import run_batch

    return run_batch(settings, config)
