"""`runner tail` from settings to exit code: one question, or a conversation."""

import os
import sys

from anyio import create_task_group

from runner.clock import SystemClock
from runner.config import Config
from runner.engine.stop import Stop
from runner.errors import ExitCode
from runner.looping import run_async
from runner.providers.endpoints import endpoint
from runner.run.answering import Answering, open_providers, records_held
from runner.run.signals import SignalWatch, handlers_restored
from runner.run.turns import question
from runner.settings import TailSettings
from runner.view.ask_again import ask_again
from runner.view.closing import broken_off


def run_tail(settings: TailSettings, config: Config) -> ExitCode:
    """Ask one question, or hold a conversation, and give the exit code.

    Raises RunnerError where nothing could be begun or the record could not be written.
    """
    if settings.prompt is None:
        from runner.run.conversing import run_conversation

        return run_conversation(settings, config)
    return _ask_once(settings, settings.prompt, config)


def _ask_once(settings: TailSettings, words: str, config: Config) -> ExitCode:
    now = SystemClock().now()
    job = question(words, settings.earlier, settings, config, now)
    endpoint(config.providers[job.provider], os.environ)
    people = sys.stderr.isatty() and not settings.quiet
    with records_held(settings.output) as paths:
        while True:
            answering = Answering(
                settings=settings, config=config, job=job, paths=paths, people=people
            )
            try:
                with handlers_restored():
                    code = run_async(_watched, answering)
            finally:
                _remember(answering, words)
            if not (answering.result and broken_off(answering.result) and ask_again()):
                return code
            now = SystemClock().now()
            job = question(words, settings.earlier, settings, config, now)


async def _watched(answering: Answering) -> ExitCode:
    """Ask, and let any signal stop the answer at once."""
    async with open_providers(answering.config) as providers:
        await providers.get(answering.job.provider, answering.job.model)
        stop = Stop()
        watch = SignalWatch(stop=stop, grace_s=0.0, in_flight=lambda: 1, tell=lambda _: None)
        async with create_task_group() as group:
            group.start_soon(watch.run)
            failure = await answering.ask(providers, stop)
            group.cancel_scope.cancel()
    if failure is not None:
        raise failure
    answering.tell_end()
    return answering.code()


def _remember(answering: Answering, words: str) -> None:
    """Keep the exchange for `--continue`; nobody waits for that, for the answer has ended."""
    if answering.settings.state is None or answering.result is None:
        return
    from runner.run.remembering import remember  # not before the first token

    remember(answering.settings, words, answering.result, people=answering.people)
