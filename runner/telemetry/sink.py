"""A sink that hands on the spans of each job when it ends."""

from collections import defaultdict
from collections.abc import Callable, Mapping

from runner.errors import ProviderError
from runner.events import AttemptStarted, Event, JobFinished, JobLeft, RetryScheduled
from runner.models import Job, Result
from runner.telemetry.spans import Met, Place, SpanData, job_spans


class SpanSink:
    """Makes spans of what a run records; `give` calls for them, and bears what goes wrong then."""

    def __init__(
        self,
        give: Callable[[Callable[[], SpanData | None]], None],
        places: Mapping[str, Place],
        *,
        run: str,
        texts: bool,
    ) -> None:
        """`texts`: whether questions and answers are wanted."""
        self._give = give
        self._places = places
        self._run = run
        self._texts = texts
        self._jobs: dict[str, Job] = {}
        self._errors: defaultdict[str, list[ProviderError]] = defaultdict(list)

    def emit(self, event: Event) -> None:
        match event:
            case AttemptStarted(job):
                self._jobs[job.id] = job
            case RetryScheduled(job, error):
                self._errors[job.id].append(error)
            case JobFinished(result):
                self._end(result)
            case JobLeft(job, error, attempts) if attempts:
                self._end(
                    Result(
                        id=job.id,
                        digest=job.digest,
                        line=job.line,
                        status="failed",
                        provider=job.provider,
                        model=job.model,
                        error=None if error is None else error.record(),
                        attempts=list(attempts),
                    )
                )
            case _:
                pass

    def _end(self, result: Result) -> None:
        met = Met(job=self._jobs.pop(result.id, None), errors=self._errors.pop(result.id, []))
        self._give(lambda: job_spans(result, met, self._places, run=self._run, texts=self._texts))
