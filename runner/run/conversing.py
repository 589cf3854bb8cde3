"""A conversation on the terminal: read, answer, and read again, until somebody leaves."""

import os
import re
from dataclasses import dataclass, field

from anyio import create_task_group

from runner.clock import SystemClock
from runner.config import Config
from runner.conversation import Conversation
from runner.engine.stop import Stop, StopReason
from runner.errors import ExitCode, RunnerError, UsageError, WriteError
from runner.looping import run_async
from runner.models import Result
from runner.providers.endpoints import endpoint
from runner.providers.registry import Providers
from runner.run.answering import Answering, open_providers, records_held
from runner.run.ending import STOP_CODES
from runner.run.hearing import Hearing
from runner.run.remembering import keep_told
from runner.run.saving import save
from runner.run.signals import handlers_restored
from runner.run.turns import question, turn_of
from runner.settings import TailSettings
from runner.view import texts_chat
from runner.view.closing import broken_off
from runner.view.terminal import say
from runner.view.typing_in import Keyboard, LeftError, StoppedError

HISTORY = "typed.history"
_COMMAND = re.compile(r"(/[A-Za-z?]*!?)(?:\s+(.*))?", re.DOTALL)
"""Not a path such as /etc/hosts."""


def run_conversation(settings: TailSettings, config: Config) -> ExitCode:
    """Talk until the person leaves, and give the exit code.

    Raises RunnerError where nothing could be begun.
    """
    # What cannot be asked or kept is said before anything is typed.
    trial = question("Hello", settings.earlier, settings, config, SystemClock().now())
    endpoint(config.providers[trial.provider], os.environ)
    with records_held(settings.output):
        pass
    history = None if settings.state is None else settings.state / HISTORY
    talk = Conversing(settings=settings, config=config, keyboard=Keyboard(history))
    with handlers_restored():
        return run_async(talk.run)


@dataclass(kw_only=True)
class Conversing:
    """One conversation. `run` may be called once."""

    settings: TailSettings
    config: Config
    keyboard: Keyboard
    _hearing: Hearing = field(default_factory=Hearing)
    _said: Conversation = field(default_factory=Conversation)
    _unanswered: str | None = None
    """The last question, where not a word came in answer: it is no turn, and can be asked again."""
    _stops: int = 0
    """How often Ctrl-C was pressed at the prompt with nothing said between."""
    _ended_by: StopReason | None = None
    _code: ExitCode = ExitCode.OK

    async def run(self) -> ExitCode:
        """Read and answer. Raises RunnerError where the provider cannot be opened."""
        earlier = self.settings.earlier.turns
        self._said = Conversation(system=self.settings.ask.system, turns=earlier)
        ref = self.config.choose(self.settings.ask.model)
        async with open_providers(self.config) as providers:
            # Before the first line: a wrong name is said now, and the first answer need not wait.
            await providers.get(ref.provider, ref.model)
            async with create_task_group() as group:
                await group.start(self._hearing.run)
                self._greet(f"{ref.provider}/{ref.model}")
                while await self._turn(providers):
                    pass
                group.cancel_scope.cancel()
        reason = self._hearing.ended_by or self._ended_by
        return self._code if reason is None else STOP_CODES[reason]

    def _greet(self, model: str) -> None:
        if self._said.turns:
            self._tell(texts_chat.taken_up(self._said))
        self._tell(texts_chat.hint(model))

    def _tell(self, text: str) -> None:
        """Say what may be left out."""
        if not self.settings.quiet:
            say(text, dim=True)

    @property
    def _over(self) -> bool:
        return self._hearing.ended_by is not None or self._ended_by is not None

    async def _turn(self, providers: Providers) -> bool:
        """Do what is typed next; False where the conversation is over."""
        try:
            text = await self._typed()
        except StoppedError as stopped:
            self._stops = 1 if stopped.typed else self._stops + 1
            if not stopped.typed and self._stops == 1:
                say(texts_chat.LEAVE_HINT, dim=True)
            return self._stops < 2
        except LeftError:
            return False
        self._stops = 0
        command = _COMMAND.fullmatch(text.rstrip())
        if command is None:
            await self._ask(text, self._said, providers)
            return not self._over
        return await self._obey(command[1], command[2] or "", providers)

    async def _typed(self) -> str:
        with self._hearing.typing(stop=self.keyboard.stop, leave=self.keyboard.leave):
            if self._over:
                raise LeftError
            return await self.keyboard.read()

    async def _obey(self, command: str, rest: str, providers: Providers) -> bool:
        """Carry a command out; False where the conversation is over."""
        match command:
            case "/quit" | "/exit":
                return False
            case "/help" | "/?":
                say(texts_chat.help_text())
            case "/save" | "/save!":
                self._save(rest, replace=command.endswith("!"))
            case "/retry":
                await self._retry(providers)
            case _:
                say(texts_chat.unknown(command))
        return not self._over

    def _save(self, name: str, *, replace: bool) -> None:
        if not name:
            say(texts_chat.NO_FILE)
        elif not self._said.turns:
            say(texts_chat.NOTHING_TO_SAVE)
        else:
            try:
                path = save(self._said, name, replace=replace)
            except UsageError as error:
                say(texts_chat.trouble(str(error)))
            else:
                say(texts_chat.saved(str(path), len(self._said.turns)))

    async def _retry(self, providers: Providers) -> None:
        if self._unanswered is not None:
            await self._ask(self._unanswered, self._said, providers)
        elif self._said.turns:
            last = self._said.turns[-1]
            await self._ask(last.question, self._said.before_last(), providers)
        else:
            say(texts_chat.NOTHING_TO_RETRY)

    async def _ask(self, words: str, earlier: Conversation, providers: Providers) -> None:
        """Ask this after `earlier`, and again where the answer broke off and that is wanted."""
        new = earlier is self._said
        self._unanswered = None
        while True:
            result = await self._answer(words, earlier, providers)
            turn = turn_of(words, result)
            if turn is not None:
                self._said = earlier.plus(turn)
                keep_told(self.settings, self._said, people=not self.settings.quiet)
            elif new and self._said is earlier:
                self._unanswered = words
                self._tell(texts_chat.RETRY_HINT)
            if result is None or not broken_off(result) or self._over or not await self._agreed():
                return

    async def _agreed(self) -> bool:
        with self._hearing.typing(stop=self.keyboard.stop, leave=self.keyboard.leave):
            return await self.keyboard.agree(texts_chat.AGAIN)

    async def _answer(
        self, words: str, earlier: Conversation, providers: Providers
    ) -> Result | None:
        """Ask once; None where there is no record of it. What went wrong has been said then."""
        answering = None
        try:
            with records_held(self.settings.output) as paths:
                now = SystemClock().now()
                answering = Answering(
                    settings=self.settings,
                    config=self.config,
                    job=question(words, earlier, self.settings, self.config, now),
                    paths=paths,
                    people=not self.settings.quiet,
                )
                stop = Stop()
                with self._hearing.answering(stop):
                    failure = await answering.ask(providers, stop)
            if failure is not None:
                raise failure
        except RunnerError as error:
            say(texts_chat.trouble(str(error)))
            if isinstance(error, WriteError):
                self._code = error.exit_code
        if answering is None:
            return None
        answering.tell_end()
        if answering.stdout is not None:
            self._ended_by = "closed_pipe"
        return answering.result
