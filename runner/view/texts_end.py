"""What is said when a run ends or is asked to stop, as pure text over a tally."""

from runner.events import Stopping
from runner.results.compact import Compacted
from runner.view.layout import wrap
from runner.view.tally import Tally
from runner.view.texts_money import cost_text, more_money, spent_text
from runner.view.texts_table import Names, ask_again, failed_lines, next_steps, table
from runner.words import command_line, count, duration, plural, printable, time_option

_STOPPED_BY = {
    "sigint": "Ctrl-C",
    "sigterm": "SIGTERM",
    "sighup": "a closed terminal",
    "deadline": "--max-runtime",
    "failures": "--max-failures",
    "budget": "--max-cost",
}


def end_text(tally: Tally, names: Names, elapsed_s: float) -> str:
    """Say how a run ended that nobody stopped: counts, what is wrong, what to do next."""
    total = tally.finished + tally.undone if tally.total is None else tally.total
    head = (
        f"{printable(names.jobs)}: {count(tally.succeeded)} of {count(total)} answered "
        f"in {duration(elapsed_s)}{_unanswered(tally, 'broken off')}"
    )
    return "\n".join([wrap(head), *table(tally, names.results), *next_steps(tally, names)])


def so_far_text(tally: Tally, names: Names) -> str:
    """Say how far the jobs are while batches are out."""
    total = tally.finished + tally.undone if tally.total is None else tally.total
    answered = f"{count(tally.succeeded)} of {count(total)} answered"
    return wrap(f"{printable(names.jobs)}: {answered}{_unanswered(tally, 'broken off')}.")


def stopped_text(tally: Tally, names: Names, signal: str) -> str:
    """Say how a run ended that a signal or the end of its time stopped, and how to go on."""
    total = "" if tally.total is None else f" of {count(tally.total)}"
    by = _STOPPED_BY.get(signal, signal)
    head = wrap(
        f"Stopped by {by}: {count(tally.succeeded)}{total} answered{_unanswered(tally, 'cut off')}"
        f"{_spent(tally)}."
    )
    if names.results is None:
        lost = tally.taken_back
        them = "it" if lost == 1 else "them"
        took = f"{plural(lost, 'answer')} arrived when the reader of stdout took {them} no more."
        return f"{head}\n{wrap(took) if lost else 'Every answer that arrived went to stdout.'}"
    money = tally.money
    if signal == "budget":
        head = f"{head}\n{wrap(spent_text(money))}"
    if signal == "failures":
        head = "\n".join([head, *failed_lines(tally, 2)])
    kept = f"Every answer that arrived is in {printable(names.results)}."
    if not tally.undone and not tally.interrupted:
        return f"{head}\n{wrap(kept)}"
    # Who began afresh and was stopped wants to go on, not to begin afresh again.
    command = command_line([word for word in names.command if word != "--fresh"])
    how = "To go on, the same command"
    if signal == "budget":
        how, command = "To go on with more", more_money(names.command, money.limit or 0)
    text = f"{head}\n{wrap(f'{kept} {how}:')}\n  {command}"
    if signal == "failures" and any(
        found.count > found.retryable for found in tally.failures.values()
    ):
        text += "\nIt leaves what failed for good; to ask that again too, add  --retry failed"
    return text


def nothing_to_send_text(tally: Tally, names: Names) -> str:
    """Say that the results file holds all there is to ask."""
    jobs, results = printable(names.jobs), printable(names.results or "stdout")
    total = tally.finished
    if total == 0:
        return f"{jobs}: no jobs; nothing to send."
    if tally.succeeded == total:
        everything = "the one job is" if total == 1 else f"all {count(total)} jobs are"
        head = f"{jobs}: {everything} answered in {results}; nothing to send."
    else:
        answered = f"{count(tally.succeeded)} of {plural(total, 'job')} answered in {results}"
        head = f"{jobs}: {answered}{_unanswered(tally, 'broken off')}; nothing to send."
    return "\n".join([wrap(head), *ask_again(tally, names)])


def stopping_text(event: Stopping, max_runtime_s: float | None = None) -> str:
    """Say at the first signal, or when the time is over, what is waited for."""
    waiting = _waiting(event)
    if event.signal == "deadline" and max_runtime_s is not None:
        over = f"--max-runtime {time_option(max_runtime_s)} is over"
        return wrap(f"{over}: {waiting or 'nothing new is sent.'}")
    if event.signal == "failures":
        return wrap(f"{event.because}: {waiting or 'nothing new is sent.'}")
    again = " Ctrl-C again cuts them off." if waiting and event.signal == "sigint" else ""
    return wrap(f"Stopping: {waiting}{again}" if waiting else "Stopping.")


def _waiting(event: Stopping) -> str:
    if event.in_flight == 0 or event.grace_s <= 0:
        return ""
    way = "its way" if event.in_flight == 1 else "their way"
    return f"{plural(event.in_flight, 'answer')} on {way}, up to {duration(event.grace_s)}."


def kept_answers_text(number: int) -> str:
    """Say that a stream's jobs have answers to other questions, which were not replaced unasked."""
    answers = "recorded answer is" if number == 1 else "recorded answers are"
    were = "was" if number == 1 else "were"
    return wrap(
        f"{count(number)} {answers} to another question (model, template, ...) and {were} kept. "
        "To ask again:  add  --retry changed"
    )


def order_text(compacted: Compacted, names: Names) -> str | None:
    """Say what became of lines that are not simply this run's answers; None if there are none."""
    results, lines = printable(names.results or "stdout"), []
    if compacted.left_because is not None:
        lines.append(
            f"{results} stays in the order of completion: {printable(compacted.left_because)}."
        )
    if compacted.strangers:
        records = plural(compacted.strangers, "record")
        stand = "stands" if compacted.strangers == 1 else "stand"
        lines.append(f"{records} of jobs that are not in {printable(names.jobs)} {stand} last.")
    if compacted.corrupt:
        were = "was no record and is" if compacted.corrupt == 1 else "were no records and are"
        lines.append(f"{plural(compacted.corrupt, 'line')} {were} kept in {results}.torn.")
    return "\n".join(wrap(line) for line in lines) or None


def _spent(tally: Tally) -> str:
    return f"; {cost_text(tally.money, ' spent')}" if tally.money.priced else ""


def _unanswered(tally: Tally, interrupted: str) -> str:
    parts = ((tally.failed, "failed"), (tally.interrupted, interrupted), (tally.undone, "to do"))
    return "".join(f", {count(number)} {what}" for number, what in parts if number)
