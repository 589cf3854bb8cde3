"""`runner simulate`: the practice server in the foreground."""

import click

from runner.cli.offers import offers


@click.command("simulate", short_help="A practice server with scripted speed, limits and faults.")
@click.argument("scenario", default="steady", shell_complete=offers("scenarios"))
@click.option("--port", type=click.IntRange(0, 65535), default=0, help="0 takes any that is free.")
@click.option("--host", default="127.0.0.1", show_default=True, help="Address to listen on.")
@click.help_option("-h", "--help")
def command(scenario: str, port: int, host: str) -> None:
    """Serve the OpenAI and Anthropic APIs on this machine, without a model.

    SCENARIO is steady, slow, limited, flaky or bad-day, or a TOML file of your
    own; samples/scenarios/ shows how to write one.

    One JSON line on stdout tells the addresses when the server is ready; any
    key will do. It serves until Ctrl-C. GET control_url/stats counts what it saw;
    POST control_url/limits with {"requests_per_minute": 300} changes limits.
    """
    from runner.errors import UsageError
    from runner.simulator.loading import ScenarioError
    from runner.simulator.server import serve

    try:
        serve(scenario, host=host, port=port)
    except ScenarioError as error:
        raise UsageError(str(error)) from None
