"""What a shell is offered, by name; see `runner.cli.completing`. Imports nothing slow."""

from collections.abc import Callable
from typing import Any

import click


def offers(name: str) -> Callable[[click.Context, click.Parameter, str], Any]:
    """Give a completion of `runner.cli.completing`, which is imported when a shell asks."""

    def complete(ctx: click.Context, param: click.Parameter, incomplete: str) -> Any:
        from runner.cli import completing

        return getattr(completing, name)(ctx, param, incomplete)

    return complete
