"""What is said of the flex lane: who does not have it, what it means, how it went. Pure text."""

from collections.abc import Mapping, Sequence

from runner.config import ProviderConfig
from runner.view.layout import labelled, wrap
from runner.view.tiers import FlexCounts
from runner.words import count, plural, printable

_SHOWN = 3


def flexless_text(
    models: Mapping[tuple[str, str], int], providers: Mapping[str, ProviderConfig]
) -> str:
    """Say which jobs cannot be asked at flex price, and the ways on.

    `models`: jobs by provider and model; 0 where they are not counted yet.
    """
    lines = ["these jobs cannot be asked with --lane flex; nothing was sent."]
    for (provider, model), jobs in list(models.items())[:_SHOWN]:
        number = f"{plural(jobs, 'job')} for " if jobs else ""
        lines.append(wrap(f"  {number}{printable(f'{provider}/{model}')}", indent="    "))
    if len(models) > _SHOWN:
        lines.append(f"  and {count(len(models) - _SHOWN)} more such models")
    names = dict.fromkeys(provider for provider, _ in models)
    lines += [wrap(f"{_why(providers[name])}.") for name in names]
    lines.append("Ask them without --lane flex, in a file of their own.")
    others = [name for name in names if providers[name].api != "anthropic"]
    if others:
        lines.append("Where such a server has it, say so in runner.toml:")
        lines += [f"  [providers.{printable(name)}]\n  flex = true" for name in others[:1]]
    return "\n".join(lines)


def flexless_job_text(provider: ProviderConfig) -> str:
    """Say the same of one job."""
    return f"{_why(provider)}, so that it cannot be asked with --lane flex"


def _why(provider: ProviderConfig) -> str:
    if provider.api == "anthropic":
        return f"{printable(provider.name)} has no flex tier"
    return f"{printable(provider.name)} is not known to have a flex tier"


def flex_notes(*, fallback: bool, unpriced: Sequence[str]) -> list[str]:
    """Say before the start what the lane means for time and money."""
    room = "A job for which it has no room is asked at the standard price"
    text = f"{room}; --no-fallback forbids that."
    if not fallback:
        text = "A job for which it has no room is asked again later, never at the standard price."
    notes = [f"Flex is cheaper and slower. {text}"]
    if unpriced:
        shown = ", ".join(printable(model) for model in unpriced[:_SHOWN])
        more = f" and {count(len(unpriced) - _SHOWN)} more" if len(unpriced) > _SHOWN else ""
        notes.append(f"The flex price is unknown for {shown}{more}.")
    return notes


def flex_line(counts: FlexCounts) -> str:
    """Say at the end how many answers came at flex price, and why others did not."""
    answers = counts.at_flex + counts.at_standard
    text = f"{count(counts.at_flex)} of {plural(answers, 'answer')} at flex price"
    if counts.fell_back:
        jobs = plural(counts.fell_back, "job")
        text += f"; no room for {jobs}, asked at the standard price"
    return labelled("flex", text)
