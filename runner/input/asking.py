"""The options of the run laid over what a line says: of whom, and the whole request."""

from collections.abc import Mapping
from typing import Any

from runner.config import Config, ModelRef
from runner.errors import UsageError
from runner.input.draft import CAPS, Draft, caps, whole_number
from runner.input.form import own_form
from runner.input.problems import BadLineError
from runner.models import Api, Request
from runner.settings import Ask

_STREAMING = ("stream", "stream_options")
_NOT_TO_SET = {
    "prompt": "the question stands in the job",
    "messages": "the question stands in the job",
    "input": "the question stands in the job",
    "system": "use -s, for jobs that bring none",
    "stream": "runner decides that itself; --tail streams",
    "stream_options": "runner decides that itself; --tail streams",
}


class Asking:
    """Completes drafts. Raises UsageError for options that can fit no job."""

    def __init__(self, ask: Ask, config: Config) -> None:
        self._config = config
        self._system = ask.system
        self._schema = ask.schema
        self._refs: dict[str, ModelRef] = {}
        self._defaults, set_caps = _split("--set", ask.defaults)
        overrides = dict(ask.overrides)
        override_model = overrides.pop("model", None)
        self._overrides, self._override_caps = _split("--override", overrides)
        if ask.max_tokens is not None and set_caps:
            raise UsageError(
                f"the cap is set twice: --max-tokens and --set {next(iter(set_caps))}."
            )
        if ask.schema is not None:
            _refuse_two_forms("--set", self._defaults)
            _refuse_two_forms("--override", self._overrides)
        self._caps = set_caps if ask.max_tokens is None else {"max_tokens": ask.max_tokens}
        self._override = self._option_model("--override model=", override_model)
        self._model = self._option_model("-m ", ask.model)

    def complete(self, draft: Draft) -> tuple[ModelRef, Request]:
        """Give the provider, the model and what is asked.

        Raises BadLineError where the line is at fault, UsageError where an option is.
        """
        max_tokens, params = self._parameters(draft)
        system = draft.system
        if not draft.brings_system:
            system = self._system
        request = Request(
            messages=draft.messages,
            system=system,
            max_tokens=max_tokens,
            params=params,
            schema=self._schema if self._schema is None or own_form(params) is None else None,
            api=draft.api,
        )
        return self._ref(draft), request

    @property
    def caps_all(self) -> bool:
        """Whether the options give every job a longest answer that sets none itself."""
        return bool(self._caps or self._override_caps)

    def _parameters(self, draft: Draft) -> tuple[int | None, dict[str, Any]]:
        params, cap = draft.params, draft.max_tokens
        if "stream" in params or "stream_options" in params:
            params = _without(params, _STREAMING)
        if self._caps and cap is None and not caps(params):
            cap, params = _with_caps(self._caps, params)
        if self._defaults:
            params = {**self._defaults, **params}
        if self._override_caps:
            cap, params = _with_caps(self._override_caps, _without(params, CAPS))
        if self._overrides:
            params = {**params, **self._overrides}
        return cap, params

    def _ref(self, draft: Draft) -> ModelRef:
        if self._override is not None:
            return self._fitting(self._override, draft.api)
        if draft.model is None:
            return self._fitting(self._default_model(), draft.api)
        if draft.api is not None:
            return ModelRef(draft.api, draft.model)
        ref = self._refs.get(draft.model)
        if ref is None:
            try:
                ref = self._refs[draft.model] = self._config.resolve(draft.model)
            except UsageError as error:
                raise BadLineError(" ".join(str(error).split())) from None
        return ref

    def _default_model(self) -> ModelRef:
        if self._model is None:
            self._model = self._config.choose(None)
        return self._model

    def _option_model(self, option: str, model: Any) -> ModelRef | None:
        if model is None:
            return None
        if not isinstance(model, str) or not model:
            raise UsageError(f"{option}... takes a model, such as openai/... or sim/steady.")
        return self._config.resolve(model)

    def _fitting(self, ref: ModelRef, api: Api | None) -> ModelRef:
        if api is None:
            return ref
        spoken = self._config.providers[ref.provider].api
        if spoken != api:
            raise UsageError(
                f"the jobs are in the batch shape of the API {api}, and {ref.provider} speaks "
                f"{spoken}.\nName a model of a provider whose api is {api}."
            )
        return ref


def _split(option: str, given: Mapping[str, Any]) -> tuple[dict[str, Any], dict[str, Any]]:
    for key, reason in _NOT_TO_SET.items():
        if key in given:
            raise UsageError(f"{option} {key}=... is not possible: {reason}.")
    if "model" in given:
        raise UsageError(f"{option} model=... is not possible: use -m, for jobs that name none.")
    caps = {key: given[key] for key in CAPS if key in given}
    if len(caps) > 1:
        raise UsageError(f"{option} sets the cap twice: {' and '.join(caps)}.")
    for key, value in caps.items():
        if not whole_number(value):
            raise UsageError(f"{option} {key}=... takes a whole number of at least 1.")
    return {key: value for key, value in given.items() if key not in caps}, caps


def _refuse_two_forms(option: str, params: dict[str, Any]) -> None:
    form = own_form(params)
    if form is not None:
        raise UsageError(
            f"the form of the answers is set twice: --schema and {option} {form}.\n"
            f"Leave one of them out; what {option} asks for, runner does not check."
        )


def _with_caps(
    caps: Mapping[str, Any], params: dict[str, Any]
) -> tuple[int | None, dict[str, Any]]:
    others = {key: value for key, value in caps.items() if key != "max_tokens"}
    return caps.get("max_tokens"), {**params, **others} if others else params


def _without(params: dict[str, Any], keys: tuple[str, ...]) -> dict[str, Any]:
    return {key: value for key, value in params.items() if key not in keys}
