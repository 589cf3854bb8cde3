"""`python -m tests.docs.reference`: write the README's tables of options anew, from the commands.

What a command's `--help` shows is taken from the same objects, so that neither can fall behind.
"""

import sys
from collections.abc import Iterator

import click

from runner.cli.command import Option
from runner.cli.main import COMMANDS, root
from tests.docs.pages import README

BEGIN = "<!-- options: written by `python -m tests.docs.reference` -->\n"
END = "<!-- end of options -->"


def commands() -> dict[str, click.Command]:
    """Give every command by its name, in the order of the help."""
    context = click.Context(root, info_name="runner", **root.context_settings)
    found = {name: root.get_command(context, name) for name in root.list_commands(context)}
    return {name: command for name, command in found.items() if command is not None}


def options(command: click.Command) -> list[click.Option]:
    """Give the options of a command that its help shows; what asks for the help is none of them."""
    found = [param for param in command.params if isinstance(param, click.Option)]
    return [option for option in found if not option.hidden and option.name != "help"]


def reference() -> str:
    """Give the part of the README between the two marks, as it must be."""
    lines = [*_of_all(), *(line for name in commands() for line in _of_one(name))]
    return "".join(f"{line}\n" for line in lines)


def _of_all() -> Iterator[str]:
    yield ""
    yield (
        "Before the command, for all of them: "
        + ", ".join(
            f"`{_term(option)}` ({_decapitalised(option.help or '')})" for option in options(root)
        )
        + ". Every command has `-h, --help`."
    )


def _of_one(name: str) -> Iterator[str]:
    command = commands()[name]
    about = next(texts[name] for texts in COMMANDS.values() if name in texts)
    usage = " ".join(
        [name, *command.collect_usage_pieces(click.Context(command, **root.context_settings))[1:]]
    ).strip()
    yield ""
    yield f"<details><summary><code>runner {usage}</code>: {_decapitalised(about)}</summary>"
    yield ""
    yield "| option | meaning | default |"
    yield "|---|---|---|"
    section = "Options"
    for option in options(command):
        here = option.section if isinstance(option, Option) else section
        if here != section:
            yield f"| **{here}** | | |"
            section = here
        about = (option.help or "").removesuffix(".")
        yield f"| `{_cell(_term(option))}` | {_cell(about)} | {_cell(_default(option))} |"
    yield ""
    yield "</details>"


def _term(option: click.Option) -> str:
    names = ", ".join(sorted(option.opts, key=len))
    if option.is_flag:
        return names
    return f"{names} {option.metavar or option.type.name.upper().removesuffix(' RANGE')}"


def _default(option: click.Option) -> str:
    if isinstance(option, Option):
        return option.shown or ""
    return "" if option.default is None else str(option.default)


def _decapitalised(text: str) -> str:
    return (text[0].lower() + text[1:]).removesuffix(".")


def _cell(text: str) -> str:
    return text.replace("|", "\\|")


def main() -> None:
    """Write the part anew."""
    text = README.read_text(encoding="utf-8")
    before, _, rest = text.partition(BEGIN)
    _, _, after = rest.partition(END)
    README.write_text(f"{before}{BEGIN}{reference()}\n{END}{after}", encoding="utf-8")
    sys.stdout.write("written: README.md\n")


if __name__ == "__main__":
    main()
