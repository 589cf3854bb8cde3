"""`runner batch`: its options, and the settings they make."""

import sys
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import click

from runner.cli import options as shared
from runner.cli.command import Command, option
from runner.cli.configuration import config_of
from runner.cli.main import ARGUMENTS
from runner.cli.types import Count, Dollars, Plain, Share, Time
from runner.settings import DEFAULT_GRACE_S, BatchSettings
from runner.words import scrubbed

_WHICH = "Which jobs"
_RESULTS = "Where results go"
_SPEED = "How fast, how much"
_TROUBLE = "When things go wrong"
_SEEN = "What you see"
_OF_LANE = {"no_fallback": "flex", "no_wait": "batch", "cancel": "batch", "then": "batch"}

_HELP = """\
Ask every job in JOBS (.jsonl, or - for stdin) and write one result line per
job. The same command again does what is left."""
_EPILOG = """\
Any option can be set as RUNNER_BATCH_OPTION, or under [batch] in runner.toml.
Exit codes: 0 all answered, 1 some not, 2 not started, 3 a limit you set,
4 account refused, 74 cannot write, 75 already running, 129/130/143 stopped."""


@click.command("batch", cls=Command, help=_HELP, epilog=_EPILOG)
@click.argument("jobs", metavar="JOBS")
@shared.model
@shared.system
@shared.template
@shared.id_column
@shared.max_tokens
@shared.set_
@shared.override
@shared.limit
@shared.sample
@option(
    "--retry",
    section=_WHICH,
    type=Plain("KIND,..."),
    shown="interrupted,unknown and failures worth a retry",
    help="Recorded jobs to ask again: a status, an error kind, length, changed, all",
)
@option("--fresh", section=_WHICH, is_flag=True, help="Set existing results aside and start over")
@option(
    "--skip-invalid", section=_WHICH, is_flag=True, help="Record bad lines as failed, run the rest"
)
@shared.max_line
@option(
    "-o",
    "--output",
    section=_RESULTS,
    metavar="FILE",
    type=click.Path(allow_dash=True),
    shown="JOBS with .results.jsonl; - if JOBS is -",
    help="Results, JSONL; - for stdout",
)
@option("--unordered", section=_RESULTS, is_flag=True, help="Leave the file in order of completion")
@option("--no-response", section=_RESULTS, is_flag=True, help="Leave out the provider's raw body")
@option("--keep-request", section=_RESULTS, is_flag=True, help="Add the body that was sent")
@option(
    "--summary-json",
    section=_RESULTS,
    metavar="FILE",
    type=click.Path(),
    help="Figures of the run, written however it ends",
)
@option(
    "-c",
    "--concurrency",
    section=_SPEED,
    type=Count(auto=True),
    shown="auto",
    help="Most requests in flight",
)
@option(
    "--processes",
    section=_SPEED,
    type=Count(),
    default="1",
    shown="1",
    help="Processes that send requests; each uses a core",
)
@option(
    "--lane",
    section=_SPEED,
    type=click.Choice(["live", "flex", "batch"]),
    default="live",
    shown="live",
    help="Live, flex price, provider's batch API",
)
@option("--no-fallback", section=_SPEED, is_flag=True, help="flex: never at standard price")
@option("--no-wait", section=_SPEED, is_flag=True, help="batch: do what can be done now, exit 5")
@option("--cancel", section=_SPEED, is_flag=True, help="batch: cancel, collect what finished")
@option(
    "--then",
    section=_SPEED,
    type=click.Choice(["live"]),
    shown="nothing",
    help="batch: ask what expired or failed for now",
)
@option("--rpm", section=_SPEED, type=Count(), shown="learnt", help="Never more requests a minute")
@option(
    "--tpm", section=_SPEED, type=Count(), shown="learnt", help="Never more tokens a minute; 2M"
)
@option(
    "--max-cost",
    section=_SPEED,
    type=Dollars(),
    shown="none",
    help="Stop before this much is spent on these results",
)
@option(
    "--max-runtime",
    section=_SPEED,
    type=Time(positive=True, none="unbounded"),
    shown="none",
    help="Stop after 90s, 20m, 6h",
)
@option(
    "--max-failures",
    section=_SPEED,
    type=Share(positive=True, none=True),
    shown="none",
    help="Stop when so many jobs have failed",
)
@option(
    "--max-attempts",
    section=_TROUBLE,
    type=Count(),
    default="5",
    shown="5",
    help="Tries per job in one run",
)
@shared.attempt_timeout(_TROUBLE, "10m, flex 15m")
@option(
    "--job-timeout",
    section=_TROUBLE,
    type=Time(positive=True, none="unbounded"),
    shown="none",
    help="For one job, all its tries",
)
@option(
    "--grace",
    section=_TROUBLE,
    type=Time(),
    shown="30s",
    help="Ctrl-C or SIGTERM: wait for answers",
)
@option(
    "--allow-failures",
    section=_TROUBLE,
    type=Share(),
    default="0",
    shown="0",
    help="Exit 0 all the same with so few failed",
)
@option(
    "--wait-lock",
    section=_TROUBLE,
    type=Time(none=0.0),
    default="none",
    shown="none",
    help="Wait for another run on these results",
)
@option("--tail", section=_SEEN, is_flag=True, help="Show the answers live, in input order")
@option("-q", "--quiet", section=_SEEN, is_flag=True, help="Nothing, unless the exit code is not 0")
@option("-v", "--verbose", section=_SEEN, is_flag=True, help="Every retry and wait")
@click.pass_context
def command(ctx: click.Context, /, jobs: str, **options: Any) -> int:
    """Turn options into settings and run."""
    config = config_of(ctx)
    typed = ctx.meta.get(ARGUMENTS) or tuple(sys.argv[1:])
    settings = _settings(jobs, options, default_model=config.default_model, typed=typed)
    from runner.run.batch import run_batch

    return run_batch(settings, config)


def _settings(
    jobs: str, options: Mapping[str, Any], *, default_model: str | None, typed: tuple[str, ...]
) -> BatchSettings:
    output = options["output"]
    stdout = output == "-" or (output is None and jobs == "-")
    _refuse_together(options, stdout=stdout)
    return BatchSettings(
        jobs=jobs,
        ask=shared.ask(options, default_model=default_model),
        limit=options["limit"],
        sample=options["sample"],
        retry=options["retry"],
        fresh=options["fresh"],
        skip_invalid=options["skip_invalid"],
        max_line_bytes=options["max_line"],
        output=None if stdout else shared.file_path(output, "--output"),
        stdout=stdout,
        unordered=options["unordered"],
        no_response=options["no_response"],
        keep_request=options["keep_request"],
        summary_json=_summary(options["summary_json"]),
        concurrency=options["concurrency"] or None,
        processes=options["processes"],
        **_lane(options),
        rpm=options["rpm"],
        tpm=options["tpm"],
        max_cost=options["max_cost"],
        max_attempts=options["max_attempts"],
        deadlines=shared.deadlines(options),
        grace_s=_grace(options),
        max_runtime_s=options["max_runtime"],
        max_failures=options["max_failures"],
        allow_failures=options["allow_failures"],
        wait_lock_s=options["wait_lock"],
        tail=options["tail"],
        quiet=options["quiet"],
        verbose=options["verbose"],
        command=tuple(map(scrubbed, typed)),
    )


def _lane(options: Mapping[str, Any]) -> dict[str, Any]:
    return {
        "lane": options["lane"],
        "fallback": not options["no_fallback"],
        "wait": not options["no_wait"],
        "cancel": options["cancel"],
        "then_live": options["then"] == "live",
    }


def _refuse_together(options: Mapping[str, Any], *, stdout: bool) -> None:
    shared.refuse_both("quiet", "verbose", options)
    shared.refuse_both("limit", "sample", options)
    shared.refuse_both("fresh", "retry", options)
    if options["tail"] and options["processes"] > 1:
        raise click.UsageError("--tail shows the answers from one process; leave out --processes.")
    for name, lane in _OF_LANE.items():
        if options[name] and options["lane"] != lane:
            said = name.replace("_", "-")
            raise click.UsageError(f"--{said} belongs to --lane {lane}.")
    if stdout:
        _refuse_with_stdout(options)


def _refuse_with_stdout(options: Mapping[str, Any]) -> None:
    """Refuse what makes no sense where records go to stdout and nothing is kept."""
    if options["tail"]:
        raise click.UsageError(
            "--tail shows the answers on stdout, so the records cannot go there too."
            " Name a file for them with -o."
        )
    for name in ("retry", "fresh"):
        if options[name]:
            raise click.UsageError(
                f"--{name}: with the records on stdout nothing is kept, so there are no recorded"
                " jobs. Name a file for them with -o."
            )


def _summary(name: str | None) -> Path | None:
    if name == "-":
        raise click.UsageError("--summary-json: name a file for the figures.")
    return shared.file_path(name, "--summary-json")


def _grace(options: Mapping[str, Any]) -> float:
    """Who watches the answers sees what has come and wants no wait."""
    if options["grace"] is not None:
        return float(options["grace"])
    return 0.0 if options["tail"] else DEFAULT_GRACE_S
