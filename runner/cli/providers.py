"""`runner providers`: what is configured, in words or JSON."""

import os

import click

from runner.cli.command import Command, option
from runner.cli.configuration import config_of
from runner.cli.putting import put_json

_HELP = """\
Say what is configured, where each value came from and whether a key is
there. Never shows a key, and sends nothing."""


@click.command("providers", cls=Command, help=_HELP)
@option("--json", section="What you see", is_flag=True, help="The same, for programs")
@click.pass_context
def command(ctx: click.Context, /, **options: bool) -> None:
    """Look at the configuration and print it."""
    config = config_of(ctx)
    from runner.provider_list import providers_json, providers_text

    if options["json"]:
        put_json(providers_json(config, os.environ) + b"\n")
    else:
        click.echo(providers_text(config, os.environ), err=True)
