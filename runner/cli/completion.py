"""`runner completion`: the script with which a shell completes the words of runner."""

import click

from runner.cli.command import Command
from runner.cli.shells import SHELLS, script

_HELP = """\
Print what lets the shell complete commands, options, providers and models.

bash: in ~/.bashrc   eval "$(runner completion bash)"
zsh:  in ~/.zshrc    eval "$(runner completion zsh)"    (after compinit)
fish: once           runner completion fish > \\
                       ~/.config/fish/completions/runner.fish"""


@click.command("completion", cls=Command, help=_HELP)
@click.argument("shell", metavar="bash|zsh|fish", type=click.Choice(SHELLS))
@click.pass_context
def command(ctx: click.Context, /, shell: str) -> None:
    """Print the script."""
    click.echo(script(shell, ctx.find_root().command), nl=False)
