"""What a report makes of times: the course of a run, and steps of one per cent."""

from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from runner.clock import rfc3339
from runner.models import AttemptRecord, Result
from runner.reading.report.fields import Record, fields_of
from runner.reading.report.histogram import ERROR, Histogram
from runner.reading.report.over_time import Course, course
from runner.reading.report.read import read_report
from runner.reading.report.timeline import ANSWERED, REFUSED, Timeline
from runner.results.encode import encode
from tests.reading.naive_report import nearest_rank
from tests.reading.support import answer, failure, results_file

START = datetime(2026, 11, 22, 2, 14, 30, tzinfo=UTC)


def asked(line: int, began_s: float, seconds: float) -> Result:
    """An answer that was on its way for some seconds from a moment on."""
    began = START + timedelta(seconds=began_s)
    tried = AttemptRecord(run="r", started_at=rfc3339(began), duration_s=seconds, outcome="ok")
    return answer(
        f"a{line}",
        line,
        attempts=[tried],
        started_at=rfc3339(began),
        finished_at=rfc3339(began + timedelta(seconds=seconds)),
        duration_s=seconds,
    )


def course_of(path: Path) -> Course:
    """The course of a results file."""
    return course(read_report(path).figures.timeline)


def test_requests_on_their_way_follow_from_their_times(tmp_path: Path) -> None:
    """Ten at a time for a minute are ten at a time, whatever the pieces are."""
    jobs = [asked(n + 1, 2.0 * (n // 10), 2.0) for n in range(300)]
    found = course_of(results_file(tmp_path, jobs))
    assert found.peak == 10
    assert found.active_s == pytest.approx(60, abs=0.2)
    flying = [piece.in_flight_s / found.piece_s for piece in found.pieces[1:-2]]
    assert flying == pytest.approx([10.0] * len(flying), rel=0.1)
    assert sum(piece.counts[ANSWERED] for piece in found.pieces) == 300


def test_requests_refused_before_are_on_their_way_only_while_they_are(tmp_path: Path) -> None:
    """Between two tries of a job nothing is out; the refusal is told where it came."""
    began, again = START, START + timedelta(seconds=40)
    attempts = [
        AttemptRecord(run="r", started_at=rfc3339(began), duration_s=0.05, outcome="rate_limit"),
        AttemptRecord(run="r", started_at=rfc3339(again), duration_s=10.0, outcome="ok"),
    ]
    ended = rfc3339(again + timedelta(seconds=10))
    job = answer("a", attempts=attempts, started_at=rfc3339(began), finished_at=ended)
    found = course_of(results_file(tmp_path, [job]))
    out_s = sum(piece.in_flight_s for piece in found.pieces)
    assert out_s == pytest.approx(10, abs=0.3)
    assert [piece.counts[REFUSED] for piece in found.pieces[:2]] == [1, 0]


def test_a_pause_between_runs_is_left_out(tmp_path: Path) -> None:
    """What was asked on the next morning stands beside the evening, with the pause told."""
    jobs = [asked(1 + n, n * 1.0, 1.0) for n in range(60)]
    jobs += [asked(100 + n, 36_000.0 + n, 1.0) for n in range(60)]
    found = course_of(results_file(tmp_path, jobs))
    assert found.active_s == pytest.approx(120, abs=3)
    assert len(found.pieces) <= 130
    assert list(found.pauses.values()) == [pytest.approx(36_000 - 60, abs=2)]


def test_a_wait_with_nothing_out_is_no_pause(tmp_path: Path) -> None:
    """Where a server refuses everything for half a minute, that is seen."""
    jobs = [asked(1, 0.0, 10.0), asked(2, 40.0, 10.0)]
    found = course_of(results_file(tmp_path, jobs))
    assert found.pauses == {}
    assert found.active_s == pytest.approx(50, abs=1)


@pytest.mark.parametrize("span_s", [5.0, 3_000.0, 90_000.0, 900_000.0, 30_000_000.0])
def test_long_runs_are_told_in_as_few_pieces(span_s: float) -> None:
    """Memory and pieces are bounded for seconds and for a year, and every answer is in one."""
    timeline = Timeline()
    number = 10_000
    for line in range(number):
        timeline.extend([record(asked(line + 1, span_s * line / number, span_s / number))])
    assert len(timeline.slots()) <= 8_001
    found = course(timeline)
    assert len(found.pieces) <= 130
    assert sum(piece.counts[ANSWERED] for piece in found.pieces) == number


def record(result: Result) -> Record:
    """A record as the report reads it."""
    found = fields_of([encode(result)], b"")
    assert found is not None
    return found[0]


def test_words_instead_of_times_stop_nothing(tmp_path: Path) -> None:
    """Thousands of odd moments neither fill the memory nor hide the true ones."""
    odd = [answer(f"a{n}", n + 1, finished_at=f"odd {n}", started_at="?") for n in range(9_000)]
    found = course_of(results_file(tmp_path, [*odd, asked(20_000, 0.0, 1.0)]))
    assert sum(piece.counts[ANSWERED] for piece in found.pieces) <= 1
    assert found.peak in (None, 0, 1)


def test_no_times_give_no_course(tmp_path: Path) -> None:
    """What never was sent has no place in it."""
    found = course_of(results_file(tmp_path, [failure("a")]))
    assert (found.pieces, found.active_s, found.peak) == ([], None, None)


@given(st.lists(st.floats(1e-6, 1e6), min_size=1), st.sampled_from([0.01, 0.5, 0.9, 0.99, 1.0]))
def test_a_percentile_is_half_a_per_cent_off_at_most(times: list[float], share: float) -> None:
    """Against the nearest rank of all times; the least and the most are exact."""
    histogram = Histogram()
    histogram.extend(times)
    exact = nearest_rank(times, share)
    assert histogram.percentile(share) == pytest.approx(exact, rel=ERROR * 1.001)
    assert (histogram.least, histogram.most) == (min(times), max(times))


def test_two_histograms_together_are_one_of_both() -> None:
    """Times by model add up to the times of all."""
    one, other, both = Histogram(), Histogram(), Histogram()
    one.extend([0.1, 0.2, 5.0])
    other.extend([0.3, 70.0])
    both.extend([0.1, 0.2, 5.0, 0.3, 70.0])
    one.merge(other)
    assert [one.percentile(share) for share in (0.2, 0.5, 0.8)] == [
        both.percentile(share) for share in (0.2, 0.5, 0.8)
    ]
    assert (one.count, one.total, one.most) == (5, both.total, 70.0)
