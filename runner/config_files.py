"""The configuration files: which are read, and how they combine; and the folder of the state."""

import os
import tomllib
from collections.abc import Mapping, Sequence
from difflib import get_close_matches
from pathlib import Path

from platformdirs import user_config_path, user_state_path

from runner.config import BUILT_IN_PROVIDERS, Config
from runner.config_tables import OPTION_TABLES, Document, read_document
from runner.errors import UsageError
from runner.words import printable

FILE_NAME = "runner.toml"


def state_folder() -> Path:
    """Give the folder in which runner keeps what it remembers for this user; it may not exist."""
    return user_state_path("runner")


def load_config(
    explicit: str | None, *, folder: Path | None = None, user_file: Path | None = None
) -> Config:
    """Read the configuration; raises UsageError naming file and key.

    `explicit` (`--config`, `RUNNER_CONFIG`) is read alone. Without it a `runner.toml` in `folder`
    (the working directory) stands before the user's own file.
    """
    own = user_file or user_config_path("runner") / FILE_NAME
    if explicit is not None:
        documents = [_read(Path(explicit), shown=explicit, trusted=True)]
    else:
        documents = _found(folder, own)
    return _combined(documents, _short(own))


def _found(folder: Path | None, own: Path) -> list[Document]:
    near = Path(FILE_NAME) if folder is None else folder / FILE_NAME
    documents = []
    own_exists = _is_file(own)
    if _is_file(near) and not (own_exists and near.samefile(own)):
        documents.append(_read(near, shown=str(near), trusted=False))
    if own_exists:
        documents.append(_read(own, shown=_short(own), trusted=True))
    return documents


def _is_file(path: Path) -> bool:
    try:
        return path.is_file()
    except PermissionError:
        return False  # another user's home (`sudo -u`, a service) holds nothing for us


def _short(path: Path) -> str:
    home = os.path.expanduser("~")  # noqa: PTH111 - Path.home() raises where there is no home
    text = str(path)
    return "~" + text[len(home) :] if text.startswith(home + os.sep) else text


def _read(path: Path, *, shown: str, trusted: bool) -> Document:
    name = printable(shown)
    try:
        text = path.read_bytes().decode("utf-8-sig")
        data = tomllib.loads(text)
    except OSError as error:
        raise UsageError(f"cannot read the configuration {name}: {error.strerror}.") from error
    except UnicodeDecodeError as error:
        raise UsageError(f"{name}: not UTF-8 text (byte {error.start + 1}).") from error
    except tomllib.TOMLDecodeError as error:
        raise UsageError(f"{name} is not valid TOML: {printable(str(error))}.") from error
    return read_document(data, source=name, trusted=trusted)


def _combined(documents: Sequence[Document], user_file: str) -> Config:
    """Let earlier documents win: whole providers, single defaults; option tables stay apart."""
    providers = dict(BUILT_IN_PROVIDERS)
    for document in reversed(documents):
        providers.update(document.providers)
    for document in documents:
        if document.provider is not None and document.provider not in providers:
            raise _unknown_default(document, providers)
    values, origins = _defaults(documents)
    return Config(
        providers=providers,
        default_provider=values.get("provider"),
        default_model=values.get("model"),
        options={
            name: tuple(
                document.options[name] for document in documents if name in document.options
            )
            for name in OPTION_TABLES
        },
        origins=origins,
        sources=tuple(document.source for document in documents),
        user_file=user_file,
    )


def _defaults(documents: Sequence[Document]) -> tuple[dict[str, str], dict[str, str]]:
    """Each default from the first document that has it, and where that was."""
    values: dict[str, str] = {}
    origins: dict[str, str] = {}
    for document in reversed(documents):
        for name, value in (("model", document.model), ("provider", document.provider)):
            if value is not None:
                values[name] = value
                origins[name] = document.source
    return values, origins


def _unknown_default(document: Document, providers: Mapping[str, object]) -> UsageError:
    name = document.provider or ""
    near = get_close_matches(name, providers, n=1)
    hint = f'Did you mean "{near[0]}"?' if near else f"Configured are: {', '.join(providers)}."
    return UsageError(
        f"{document.source}: provider under [defaults]: no provider is called "
        f'"{printable(name)}".\n{hint}'
    )
