"""Which model was probably meant, where a provider does not know the one that was asked for."""

from difflib import get_close_matches

from runner.config import Config
from runner.run.prices import price_book
from runner.view.tally import Tally
from runner.view.texts_halted import model_unknown

_NEAR = 0.75


def meant_models(tally: Tally, config: Config) -> dict[tuple[str, str], str]:
    """Propose `provider/model` for each unknown model that resembles one with a known price."""
    meant = {}
    for (provider, model), alike in tally.halted_models.items():
        if provider not in config.providers or not model_unknown(alike.error, model):
            continue
        known = [name for name in price_book(config).models(provider) if name != model]
        near = get_close_matches(model, known, n=1, cutoff=_NEAR)
        if near:
            meant[provider, model] = f"{provider}/{near[0]}"
    return meant
