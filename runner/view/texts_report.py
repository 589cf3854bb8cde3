"""What `report` says of one results file, as pure text."""

from collections.abc import Iterator, Sequence

from runner.reading.report.again import again
from runner.reading.report.by_model import ModelFigures
from runner.reading.report.causes import Cause, Failures
from runner.reading.report.figures import Figures
from runner.reading.report.histogram import Histogram
from runner.reading.report.over_time import course
from runner.reading.report.read import Report
from runner.view.layout import WIDTH, labelled, shorten, wrap
from runner.words import count, duration, money, plural, printable, short_time

_MOST_CAUSES = 8
_MOST_MODELS = 8
_SLOW = 3
_PERCENTILES = ((0.5, "p50"), (0.9, "p90"), (0.95, "p95"), (0.99, "p99"))


def report_text(report: Report) -> str:
    """Say what is in a results file; lines that would say nothing are left out."""
    figures, total = report.figures, report.figures.total()
    name = printable(str(report.path))
    if not total.jobs:
        return f"{name} holds no records yet."
    lines = [wrap(f"{name}: {_statuses(total)}")]
    if total.cut_off:
        answers = "answer" if total.cut_off == 1 else "answers"
        lines.append(labelled("cut off", f"{count(total.cut_off)} {answers} at max_tokens"))
    lines += _causes(figures)
    lines.append(labelled("tokens", tokens_text(total)))
    lines.append(labelled("requests", _requests(figures)))
    lines.append(labelled("cost", cost_text(total)))
    lines += _models(figures)
    lines += _times(total)
    lines += _course(report, total)
    lines += _slowest(report)
    return "\n".join([*lines, *again_lines(report)])


def again_lines(report: Report) -> list[str]:
    """Say how what is not done is asked again, a command a line."""
    left = again(report)
    lines = []
    for step in left.steps:
        lines += [wrap(f"{step.what}:"), f"  {step.command}"]
    if left.steps and left.elsewhere:
        lines.append(wrap("(as it was typed, it seems in another folder than this)"))
    return lines


def _cached(model: ModelFigures) -> str:
    share = model.tokens.cached_share
    return "" if share is None else f", {share:.0%} cached"


def tokens_text(total: ModelFigures) -> str:
    """Write tokens and the cached share: `412,310 in (38% cached), 310,220 out`."""
    tokens = total.tokens
    if not tokens.known:
        return "unknown"
    share = tokens.cached_share
    cached = "" if share is None else f" ({share:.0%} cached)"
    text = f"{count(tokens.input)} in{cached}, {count(tokens.output)} out"
    if tokens.unknown:
        text += f", and unknown for {plural(tokens.unknown, 'answer')}"
    return text


def cost_text(figures: ModelFigures | Failures) -> str:
    """Write what is known of a cost: `$0.69, and unknown for 2 jobs`."""
    unknown = figures.unknown if isinstance(figures, Failures) else figures.unknown_jobs
    known = figures.known_usd
    if known is None:
        return "unknown"
    return money(known) + (f", and unknown for {plural(unknown, 'job')}" if unknown else "")


def percentiles_text(histogram: Histogram) -> str:
    """Write times: `p50 1.2s, p90 3.4s, p95 4.0s, p99 9.8s, most 41s`."""
    if not histogram.count:
        return "unknown"
    told = [f"{name} {short_time(histogram.percentile(share))}" for share, name in _PERCENTILES]
    return ", ".join([*told, f"most {short_time(histogram.most)}"])


def _statuses(total: ModelFigures) -> str:
    parts = [f"{count(total.answered)} of {plural(total.jobs, 'job')} answered"]
    if total.failed:
        parts.append(f"{count(total.failed)} failed")
    if total.interrupted:
        parts.append(f"{count(total.interrupted)} broken off")
    return ", ".join(parts)


def _causes(figures: Figures) -> Iterator[str]:
    causes = figures.causes.most()
    for cause, found in causes[:_MOST_CAUSES]:
        label = "failed" if cause.status == "failed" else "broken off"
        yield labelled(label, f"{count(found.count)} {_kind(cause)}; cost {cost_text(found)}")
        if found.example is not None:
            yield _example(*found.example)
    if len(causes) > _MOST_CAUSES:
        rest = sum(found.count for _, found in causes[_MOST_CAUSES:])
        more = plural(len(causes) - _MOST_CAUSES, "cause")
        yield labelled("", f"{count(rest)} for {more} more: --html or --json tells them")


def _kind(cause: Cause) -> str:
    details = [] if cause.http_status is None else [str(cause.http_status)]
    if cause.code is not None and cause.code != cause.kind:
        details.append(shorten(printable(cause.code), 40))
    return printable(cause.kind) + (f" ({', '.join(details)})" if details else "")


def _example(name: str, line: int | None, message: str) -> str:
    where = f"{shorten(printable(name), 30)}" + ("" if line is None else f" (line {line})")
    said = " ".join(printable(message, keep="\n").split())
    indent = " " * 16
    return indent + shorten(f"{where}: {said}" if said else where, WIDTH - len(indent))


def _requests(figures: Figures) -> str:
    parts = [count(figures.requests)]
    if figures.retries:
        kinds = [kind for kind, _ in figures.retried_for.most_common() if kind != "rate_limit"]
        parts.append(
            f"{plural(figures.retries, 'retry', 'retries')} after {printable(', '.join(kinds[:4]))}"
        )
    if figures.refusals:
        parts.append(f"{plural(figures.refusals, 'refusal')} for rate (429)")
    return ", ".join(parts)


def _models(figures: Figures) -> Iterator[str]:
    models = figures.by_model()
    if len(models) < 2:
        for key, _ in models:
            yield labelled("model", printable(key.name) + _lane(key.lane))
        return
    for key, model in models[:_MOST_MODELS]:
        name = shorten(printable(key.name), 40) + _lane(key.lane)
        yield labelled(
            "", f"{name}: {plural(model.jobs, 'job')}, {cost_text(model)}{_cached(model)}"
        )
    if len(models) > _MOST_MODELS:
        yield labelled("", f"and {count(len(models) - _MOST_MODELS)} models more")


def _lane(lane: str | None) -> str:
    return "" if lane is None else f", {printable(lane)}"


def _times(total: ModelFigures) -> Iterator[str]:
    yield labelled("latency", percentiles_text(total.latency))
    if total.all_tries.count:
        yield labelled("with tries", percentiles_text(total.whole))
    if total.first.count:
        yield labelled("first token", percentiles_text(total.first))


def _course(report: Report, total: ModelFigures) -> Iterator[str]:
    figures, run = report.figures, course(report.figures.timeline)
    if not run.active_s or figures.first_at is None or figures.last_at is None:
        return
    rate = total.answered / run.active_s
    speed = f"{rate:,.0f}/s" if rate >= 10 else f"{rate:.2g}/s"
    pauses = f", {plural(len(run.pauses), 'pause')} left out" if run.pauses else ""
    yield labelled(
        "time",
        f"{duration(run.active_s)}, {speed}, up to {count(run.peak or 0)} at once{pauses}; "
        f"{_moments(figures.first_at, figures.last_at)}",
    )


def _moments(first: str, last: str) -> str:
    began, ended = first[:19].replace("T", " "), last[:19].replace("T", " ")
    if began[:10] == ended[:10]:
        ended = ended[11:]
    return printable(f"{began}Z to {ended}Z")


def _slowest(report: Report) -> Iterator[str]:
    told: Sequence[str] = [
        f"{short_time(seen.duration_s)} {shorten(printable(seen.id), 24)}"
        + ("" if seen.line is None else f" (line {seen.line})")
        for seen in report.slowest[:_SLOW]
    ]
    if told:
        yield labelled("slowest", ", ".join(told))
