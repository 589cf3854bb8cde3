"""What is said when providers refuse the account or all jobs alike, as pure text over a tally."""

from collections.abc import Mapping, Sequence

from runner.errors import ProviderError
from runner.view.layout import wrap
from runner.view.tally import Alike, Tally
from runner.words import count, plural, printable


def halted_text(
    tally: Tally, command: Sequence[str] = (), near: Mapping[tuple[str, str], str] | None = None
) -> str:
    """Say who refused the account, or every job alike, and how much was not sent because of it.

    `near`: for a provider and model, the name that was probably meant.
    """
    lines = [wrap(_halted(provider, error)) for provider, error in tally.halted.items()]
    for (provider, model), alike in tally.halted_models.items():
        lines.append(wrap(_alike(provider, model, alike)))
    unsent = [_unsent(tally.undone)] if tally.undone else []
    if tally.halted_models:
        unsent.append(_mend(tally, command, near or {}))
    if unsent:
        lines.append(wrap(" ".join(unsent)))
    return "\n".join(lines)


def _halted(provider: str, error: ProviderError) -> str:
    if error.kind == "internal":  # nobody was asked
        return f"Stopped: {printable(error.message)}"
    return f"Stopped: {printable(provider)} refuses the account: {printable(error.message)}"


def model_unknown(error: ProviderError, model: str) -> bool:
    """Whether a failure says that there is no such model, and not merely no such address."""
    named = "model" in (error.code or "") or model in error.message
    return error.kind == "not_found" and (named or "model" in error.message.lower())


def _alike(provider: str, model: str, alike: Alike) -> str:
    provider, name = printable(provider), printable(model)
    jobs = f"the first {plural(alike.count, 'job')}"
    if model_unknown(alike.error, model):
        return f"Stopped: {provider} does not know the model {name} (said so to {jobs})."
    message = printable(alike.error.message)
    return f"Stopped: {jobs} for {provider}/{name} failed in the same way: {message}"


def _unsent(undone: int) -> str:
    return f"{plural(undone, 'job')} {'was' if undone == 1 else 'were'} not sent."


def _mend(tally: Tally, command: Sequence[str], near: Mapping[tuple[str, str], str]) -> str:
    unknown = [
        key for key, alike in tally.halted_models.items() if model_unknown(alike.error, key[1])
    ]
    if not unknown:
        told = count(sum(alike.count for alike in tally.halted_models.values()))
        return f"Mend that and run the same command; with --retry failed it asks the {told} too."
    meant = [printable(near[key]) for key in unknown if key in near]
    question = f"; did you mean {', '.join(meant)}?" if meant else "."
    return f"Mend {_where(command)}{question}"


def _where(command: Sequence[str]) -> str:
    named = any(word == "--model" or word.startswith(("-m", "--model=")) for word in command)
    return "-m" if named else "the model's name"
