"""The options of `runner batch`, by the sections of its help."""

from collections.abc import Callable, Sequence
from typing import Any

import click

from runner.cli import log_json
from runner.cli import options as shared
from runner.cli.command import option
from runner.cli.offers import offers
from runner.cli.types import Count, Dollars, Plain, Share, Time

_WHICH = "Which jobs"
_RESULTS = "Where results go"
_SPEED = "How fast, how much"
_TROUBLE = "When things go wrong"
_SEEN = "What you see"

Decorator = Callable[[Any], Any]

ASKING: Sequence[Decorator] = (
    shared.model,
    shared.system,
    shared.template,
    shared.id_column,
    shared.max_tokens,
    shared.schema,
    shared.set_,
    shared.override,
    shared.files_from,
)
WHICH_JOBS: Sequence[Decorator] = (
    shared.limit,
    shared.sample,
    shared.repeat,
    option(
        "--retry",
        section=_WHICH,
        type=Plain("KIND,..."),
        shell_complete=offers("kinds"),
        shown="interrupted,unknown and failures worth a retry",
        help="Recorded jobs to ask again: a status, an error kind, length, changed, all",
    ),
    option(
        "--fresh", section=_WHICH, is_flag=True, help="Set existing results aside and start over"
    ),
    option(
        "--skip-invalid",
        section=_WHICH,
        is_flag=True,
        help="Record bad lines as failed, run the rest",
    ),
    shared.max_line,
    option(
        "-n",
        "--dry-run",
        section=_WHICH,
        is_flag=True,
        help="Say what would be sent and its price; stop",
    ),
)
RESULTS: Sequence[Decorator] = (
    option(
        "-o",
        "--output",
        section=_RESULTS,
        metavar="FILE",
        type=click.Path(allow_dash=True),
        shown="JOBS with .results.jsonl; - if JOBS is -",
        help="Results, JSONL; - for stdout",
    ),
    option(
        "--unordered", section=_RESULTS, is_flag=True, help="Leave the file in order of completion"
    ),
    option(
        "--no-response", section=_RESULTS, is_flag=True, help="Leave out the provider's raw body"
    ),
    option("--keep-request", section=_RESULTS, is_flag=True, help="Add the body that was sent"),
    option(
        "--summary-json",
        section=_RESULTS,
        metavar="FILE",
        type=click.Path(),
        help="Figures of the run, written however it ends",
    ),
)
SPEED: Sequence[Decorator] = (
    option(
        "-c",
        "--concurrency",
        section=_SPEED,
        type=Count(auto=True),
        shown="auto",
        help="Most requests in flight",
    ),
    option(
        "--processes",
        section=_SPEED,
        type=Count(),
        default="1",
        shown="1",
        help="Processes that send requests; each uses a core",
    ),
    option(
        "--lane",
        section=_SPEED,
        metavar="live|flex|batch",
        type=click.Choice(["live", "flex", "batch"]),
        default="live",
        shown="live",
        help="Live, flex price, provider's batch API",
    ),
    option("--no-fallback", section=_SPEED, is_flag=True, help="flex: never at standard price"),
    option(
        "--no-wait", section=_SPEED, is_flag=True, help="batch: what can be done now; 5 while out"
    ),
    option("--cancel", section=_SPEED, is_flag=True, help="batch: cancel, collect what finished"),
    option(
        "--then",
        section=_SPEED,
        metavar="live",
        type=click.Choice(["live"]),
        help="batch: ask live what is left for now",
    ),
    option(
        "--no-prime", section=_SPEED, is_flag=True, help="Nobody waits for a prompt to be cached"
    ),
    option(
        "--rpm", section=_SPEED, type=Count(), shown="learnt", help="Never more requests a minute"
    ),
    option(
        "--tpm", section=_SPEED, type=Count(), shown="learnt", help="Never more tokens a minute; 2M"
    ),
    option(
        "--max-cost",
        section=_SPEED,
        type=Dollars(),
        shown="none",
        help="Stop before this much is spent on these results",
    ),
    option(
        "--max-runtime",
        section=_SPEED,
        type=Time(positive=True, none="unbounded"),
        shown="none",
        help="Stop after 90s, 20m, 6h",
    ),
    option(
        "--max-failures",
        section=_SPEED,
        type=Share(positive=True, none=True),
        shown="none",
        help="Stop when so many jobs have failed",
    ),
)
TROUBLE: Sequence[Decorator] = (
    option(
        "--max-attempts",
        section=_TROUBLE,
        type=Count(),
        default="5",
        shown="5",
        help="Tries per job in one run",
    ),
    shared.attempt_timeout(_TROUBLE, "10m, flex 15m"),
    option(
        "--job-timeout",
        section=_TROUBLE,
        type=Time(positive=True, none="unbounded"),
        shown="none",
        help="For one job, all its tries",
    ),
    option(
        "--grace",
        section=_TROUBLE,
        type=Time(),
        shown="30s",
        help="Ctrl-C or SIGTERM: wait for answers",
    ),
    option(
        "--allow-failures",
        section=_TROUBLE,
        type=Share(),
        default="0",
        shown="0",
        help="Exit 0 all the same with so few failed",
    ),
    option(
        "--wait-lock",
        section=_TROUBLE,
        type=Time(none=0.0),
        default="none",
        shown="none",
        help="Wait for another run on these results",
    ),
)
SEEN: Sequence[Decorator] = (
    option("--tail", section=_SEEN, is_flag=True, help="Show the answers live, in input order"),
    option(
        "-q", "--quiet", section=_SEEN, is_flag=True, help="Nothing, unless the exit code is not 0"
    ),
    option("-v", "--verbose", section=_SEEN, is_flag=True, help="Every retry and wait"),
    option(
        "--log-json",
        section=_SEEN,
        is_flag=True,
        is_eager=True,
        callback=log_json.note,
        help="Lines on stderr as JSON, for machines",
    ),
    option("--otel", section=_SEEN, is_flag=True, help="Send traces to an OpenTelemetry collector"),
)


def with_options(*sections: Sequence[Decorator]) -> Decorator:
    """Give a command the options of these sections, in this order."""

    def decorate(command: Any) -> Any:
        for section in reversed(sections):
            for one in reversed(section):
                command = one(command)
        return command

    return decorate
