"""What is said while results cannot be written, as pure text."""

from runner.errors import WriteError
from runner.view.layout import wrap
from runner.words import duration, plural, printable, time_option


def held_text(error: WriteError, for_s: float, answers: int) -> str:
    """Say what is wrong, what becomes of the answers under way, and what to do now."""
    problem = printable(error.problem or str(error))
    parts = [f"{problem[:1].upper()}{problem[1:]}.", "Nothing new is sent."]
    if answers:
        under_way = f"{plural(answers, 'answer')} on {'its' if answers == 1 else 'their'} way"
        parts.append(f"{under_way} {'is' if answers == 1 else 'are'} kept.")
    if for_s > 0:
        remedy = error.remedy[:1].lower() + error.remedy[1:] or "mend that"
        time = time_option(round(for_s)) if for_s >= 1 else duration(for_s)
        parts.append(f"Trying again for {time}: {remedy}, and the run goes on.")
    return wrap(" ".join(parts))


def resumed_text() -> str:
    """Say that all is well again."""
    return "Results can be written again: the run goes on."


def unwritten_text(unwritten: int, *, kept: bool) -> str:
    """Say at the end of such a run what became of the answers that had come.

    `kept`: whether there is a results file, and so a next run that takes it up.
    """
    if not unwritten:
        return "Every answer that arrived is recorded."
    again = (" and is" if unwritten == 1 else " and are") + " asked again next time" if kept else ""
    return wrap(f"{plural(unwritten, 'answer')} that arrived could not be written{again}.")
