"""`runner providers`: what is configured, in words or JSON; with `--test` also whether it works."""

import os
from typing import TYPE_CHECKING

import click

from runner.cli.command import Command, option
from runner.cli.configuration import config_of
from runner.cli.offers import offers
from runner.cli.putting import put_json
from runner.cli.types import Plain

if TYPE_CHECKING:
    from collections.abc import Sequence

    from runner.config import Config
    from runner.view.texts_tested import Tested

_HELP = """\
Say what is configured, where each value came from and whether a key is
there. Never shows a key. Sends nothing, but with --test one request of about
10 tokens (and at most 16 in answer) to each PROVIDER, or provider/model; to
all that have a key and a known model where none is named."""
_EPILOG = """\
With --test the exit code is 0 if all work, 1 if some do not, 4 if every one
refuses the account, 2 if nothing was sent."""


@click.command("providers", cls=Command, help=_HELP, epilog=_EPILOG)
@click.argument("names", metavar="[PROVIDER]...", nargs=-1, shell_complete=offers("providers"))
@option("--test", section="Trying", is_flag=True, help="Send one tiny request to each")
@option(
    "-m",
    "--model",
    section="Trying",
    type=Plain("MODEL"),
    shown="RUNNER_MODEL or config",
    shell_complete=offers("models"),
    help="provider/model to ask",
)
@option("--json", section="What you see", is_flag=True, help="The same, for programs")
@click.pass_context
def command(
    ctx: click.Context,
    /,
    names: tuple[str, ...],
    *,
    test: bool,
    model: str | None,
    json: bool,
) -> int:
    """Look at the configuration, or try it, and print what is found."""
    config = config_of(ctx)
    if test:
        return _test(config, names, model, json=json)
    if names or model is not None:
        raise click.UsageError("PROVIDER and --model say what --test asks; add --test.")
    from runner.provider_list import providers_json, providers_text

    if json:
        put_json(providers_json(config, os.environ) + b"\n")
    else:
        click.echo(providers_text(config, os.environ), err=True)
    return 0


def _test(config: "Config", names: tuple[str, ...], model: str | None, *, json: bool) -> int:
    import msgspec

    from runner.run.provider_test import MAX_TOKENS, chosen, test_providers
    from runner.view.terminal import say
    from runner.view.texts_tested import sending_text, tested_text

    targets = chosen(config, names, model)

    def tell(asked: "Sequence[Tested]") -> None:
        say(sending_text(asked, MAX_TOKENS))

    found, code = test_providers(config, targets, tell)
    if json:
        put_json(msgspec.json.encode({"providers": found, "exit_code": int(code)}) + b"\n")
    else:
        say(tested_text(found))
    return int(code)
