"""What the options of `runner batch` make together: its settings, and what is refused."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import click

from runner.cli import options as shared
from runner.settings import DEFAULT_GRACE_S, BatchSettings
from runner.words import scrubbed

_OF_LANE = {"no_fallback": "flex", "no_wait": "batch", "cancel": "batch", "then": "batch"}


def batch_settings(
    jobs: str, options: Mapping[str, Any], *, default_model: str | None, typed: tuple[str, ...]
) -> BatchSettings:
    """Give what the user asked for; raises click.UsageError for options that do not fit."""
    output = options["output"]
    stdout = output == "-" or (output is None and jobs == "-")
    _refuse_together(options, stdout=stdout)
    return BatchSettings(
        jobs=jobs,
        ask=shared.ask(options, default_model=default_model),
        **_as_given(options, "limit", "sample", "repeat", "retry", "fresh", "skip_invalid"),
        files_from=shared.file_path(options["files_from"], "--files-from"),
        max_line_bytes=options["max_line"],
        dry_run=options.get("dry_run", False),
        output=None if stdout else shared.file_path(output, "--output"),
        stdout=stdout,
        **_as_given(options, "unordered", "no_response", "keep_request"),
        summary_json=_summary(options["summary_json"]),
        concurrency=options["concurrency"] or None,
        prime=not options["no_prime"],
        **_lane(options),
        **_as_given(options, "processes", "rpm", "tpm", "max_cost", "max_attempts"),
        deadlines=shared.deadlines(options),
        grace_s=_grace(options),
        max_runtime_s=options["max_runtime"],
        **_as_given(options, "max_failures", "allow_failures"),
        wait_lock_s=options["wait_lock"],
        **_as_given(options, "tail", "quiet", "verbose", "log_json", "otel"),
        command=tuple(map(scrubbed, typed)),
    )


def _as_given(options: Mapping[str, Any], *names: str) -> dict[str, Any]:
    """Give those that stand in the settings as they are, by the same name."""
    return {name: options[name] for name in names}


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
