"""Why a batch is not begun, as pure text: bad lines, and answers that would be replaced."""

from collections.abc import Sequence

from runner.errors import LineProblem
from runner.view.layout import advice, labelled, wrap
from runner.words import count, plural, printable, shell_quote


def changed_text(
    *,
    shown: str,
    changed: int,
    what: Sequence[tuple[str, str]],
    other_output: str,
    old: str,
) -> str:
    """Say that a results file answers other questions, what differs, and the three ways on.

    `what` holds name and description of each difference; empty where it is not known.
    """
    answers = (
        "1 answer to another question"
        if changed == 1
        else f"{count(changed)} answers to other questions"
    )
    lines = [wrap(f"{printable(shown)} holds {answers}. Nothing sent.")]
    if what:
        lines += [labelled(name, printable(text)) for name, text in what]
    else:
        lines.append("  The lines themselves have changed, or what was asked is no longer known.")
    lines += advice(
        [
            ("Keep both (to compare):", f"add  -o {shell_quote(other_output)}"),
            (
                f"Ask {'it' if changed == 1 else f'all {count(changed)}'} again:",
                "add  --retry changed",
            ),
            ("", f"({'this moves' if changed == 1 else 'these move'} to {printable(old)})"),
            ("Keep these, do the rest:", "add  --retry failed"),
        ]
    )
    return "\n".join(lines)


def invalid_text(problems: Sequence[LineProblem], invalid: int, total: int) -> str:
    """List the first of the lines that cannot be asked, and the two ways on."""
    lines = [f"{count(invalid)} of {plural(total, 'line')} cannot be asked; nothing was sent."]
    lines += [wrap(f"  {printable(str(problem))}", indent="    ") for problem in problems]
    if invalid > len(problems):
        lines.append(f"  and {count(invalid - len(problems))} more")
    which = "it, or record it" if invalid == 1 else "them, or record them"
    lines.append(f"Mend {which} as failed with --skip-invalid.")
    return "\n".join(lines)
