"""Options that several commands share, and what their values make together."""

from collections.abc import Callable, Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from runner.cli.command import option
from runner.cli.offers import offers
from runner.cli.types import Count, KeyValue, Plain, Size, Text, Time
from runner.settings import (
    DEFAULT_ATTEMPT_TIMEOUT_S,
    FLEX_ATTEMPT_TIMEOUT_S,
    Ask,
    Deadlines,
)

if TYPE_CHECKING:
    from runner.models import Schema

ASK = "What to ask"

model = option(
    "-m",
    "--model",
    section=ASK,
    type=Plain("MODEL"),
    fallback="RUNNER_MODEL",
    shell_complete=offers("models"),
    help="provider/model, for jobs that name none",
)
system = option(
    "-s",
    "--system",
    section=ASK,
    type=Text(),
    shell_complete=offers("text_or_file"),
    help="System prompt, for jobs that bring none",
)
template = option(
    "-t",
    "--template",
    section=ASK,
    type=Text(),
    shell_complete=offers("text_or_file"),
    help="Every line is a row; Jinja2 over its columns",
)
id_column = option(
    "--id-column",
    section=ASK,
    type=Plain("NAME"),
    shown="id or custom_id",
    help="Column that names a row",
)
max_tokens = option(
    "--max-tokens",
    section=ASK,
    type=Count(),
    help="Longest answer, by each API's own name for it",
)
set_ = option(
    "--set",
    section=ASK,
    type=KeyValue(),
    multiple=True,
    help="Any request parameter, where a job sets none",
)
override = option(
    "--override",
    section=ASK,
    type=KeyValue(),
    multiple=True,
    help="The same, over what jobs say (also model=...)",
)
schema = option(
    "--schema",
    section=ASK,
    metavar="FILE",
    type=click.Path(),
    help="JSON Schema that answers must fit",
)
files_from = option(
    "--files-from",
    section=ASK,
    metavar="DIR",
    type=click.Path(exists=True, file_okay=False),
    shown="the folder of JOBS",
    help="Where the files are that jobs name",
)
limit = option("--limit", section="Which jobs", type=Count(), help="The first N jobs of the file")
sample = option(
    "--sample", section="Which jobs", type=Count(), help="N jobs spread evenly over the file"
)
repeat = option(
    "--repeat",
    section="Which jobs",
    type=Count(),
    help="N answers to each job, as ID#1 to ID#N",
)
max_line = option(
    "--max-line",
    section="Which jobs",
    type=Size(),
    default="64M",
    shown="64M",
    help="Longest line that is read",
)


def attempt_timeout(section: str, shown: str = "10m") -> Callable[[Any], Any]:
    """The bound on one try, in the section that the command gives it; see `deadlines`."""
    return option(
        "--attempt-timeout",
        section=section,
        type=Time(positive=True),
        shown=shown,
        help="For one try",
    )


def ask(options: Mapping[str, Any], *, default_model: str | None) -> Ask:
    """What is asked, from the options that the command has."""
    return Ask(
        model=default_model if options["model"] is None else options["model"],
        system=options["system"],
        template=options.get("template"),
        id_column=options.get("id_column"),
        max_tokens=options["max_tokens"],
        defaults=dict(options["set"]),
        overrides=dict(options.get("override", ())),
        schema=_schema(options["schema"]),
    )


def _schema(name: str | None) -> "Schema | None":
    path = file_path(name, "--schema")
    if path is None:
        return None
    # Only here: who asks for no schema needs none of it.
    from runner.schemas.reading import read_schema

    return read_schema(path)


def deadlines(options: Mapping[str, Any]) -> Deadlines:
    """The bounds on waiting, from the options that the command has."""
    flex = options.get("lane") == "flex"
    usual = FLEX_ATTEMPT_TIMEOUT_S if flex else DEFAULT_ATTEMPT_TIMEOUT_S
    given = options["attempt_timeout"]
    attempt_s = usual if given is None else given
    return Deadlines(attempt_s=attempt_s, job_s=options.get("job_timeout"))


def refuse_both(first: str, second: str, options: Mapping[str, Any]) -> None:
    """Refuse two options that contradict each other; raises click.UsageError."""
    if options[first.replace("-", "_")] and options[second.replace("-", "_")]:
        raise click.UsageError(f"--{first} and --{second} exclude each other.")


def file_path(name: str | None, option_name: str) -> Path | None:
    """The file that an option names, if it names one; raises click.UsageError for an empty name."""
    if name == "":
        raise click.UsageError(f"{option_name}: the file name is empty.")
    return None if name is None else Path(name)
