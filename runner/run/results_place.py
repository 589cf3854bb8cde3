"""Where the results of a batch go, and when they may not go there."""

from pathlib import Path

from runner.errors import UsageError
from runner.input.source import Source
from runner.results.owner import refuse_foreign, refuse_summary
from runner.results.paths import ResultPaths, default_output, paths_for
from runner.settings import BatchSettings


def results_place(settings: BatchSettings, source: Source) -> ResultPaths | None:
    """Name the results file and what belongs to it; None where records go to stdout.

    Raises UsageError where writing there would harm something else; nothing is touched.
    """
    paths = None if settings.stdout else paths_for(_output(settings, source))
    refuse_summary(settings.summary_json, paths, source.path)
    if paths is not None:
        refuse_foreign(paths, source.path)
    return paths


def _output(settings: BatchSettings, source: Source) -> Path:
    if settings.output is None and source.descriptor() is not None:
        raise UsageError(
            f"{source.label} has no folder for the results.\n"
            "Name a file for them with -o, or send them to stdout with  -o -"
        )
    return settings.output or default_output(settings.jobs)
