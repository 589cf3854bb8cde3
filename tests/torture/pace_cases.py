"""The accounts at which `pace` plays, and what `runner` has to make of each."""

from dataclasses import dataclass, replace

_SPEED = """
seed = {seed}
[answer]
min_tokens = 40
mean_tokens = 110
max_tokens = 256
[speed]
first_token_s = 0.6
jitter = 0.6
tokens_per_second = 250
"""
SHORT_PROMPT, LONG_PROMPT = 12, 250
"""Tokens."""
_GPT, _CLAUDE = "openai/gpt-5-mini", "anthropic/claude-haiku-4-5"


@dataclass(frozen=True, slots=True, kw_only=True)
class Account:
    """A server with limits, and the jobs for it."""

    name: str
    limits: str
    """Tables of the scenario."""
    jobs: int
    model: str = _GPT
    prompt_tokens: int = SHORT_PROMPT
    runners: int = 1
    used: float = 0.97
    """Least share of what the server's own bucket permitted."""
    refused: float = 0.01
    """Largest share of all requests."""

    def scenario(self, seed: int) -> str:
        """Give the whole scenario file."""
        return f'description = "{self.name}"\n' + _SPEED.format(seed=seed) + self.limits


def long_accounts() -> list[Account]:
    """Give those that last three minutes; nobody tells `runner` anything."""
    return [
        account_of_requests(600, 1_810),
        account_of_tokens(100_000, 830),
        Account(
            name="100k TPM, charged at the end",
            limits=_tokens(100_000, "completion"),
            jobs=830,
            prompt_tokens=LONG_PROMPT,
        ),
        Account(
            name="600 RPM, two runners",
            limits=_requests(600),
            jobs=1_810,
            runners=2,
            used=0.95,
            refused=0.02,
        ),
        Account(
            name="600 RPM, halved in mid-run",
            limits=_requests(600) + _then(90, "requests_per_minute = 300"),
            jobs=1_360,
        ),
        Account(
            name="100k TPM, halved in mid-run",
            limits=_tokens(100_000, "admission") + _then(90, "tokens_per_minute = 50000"),
            jobs=620,
            prompt_tokens=LONG_PROMPT,
        ),
        Account(
            name="Anthropic, 120k input and 40k output tokens a minute",
            limits=_apart(120_000, 40_000),
            jobs=1_060,
            model=_CLAUDE,
            prompt_tokens=LONG_PROMPT,
        ),
    ]


def short_accounts() -> list[Account]:
    """Give some that last a few seconds; a first second weighs more there."""
    return [
        replace(account_of_requests(1_200, 120), used=0.8, refused=0.05),
        # Its 60,000 tokens at the start are half of all that is permitted then.
        replace(account_of_tokens(600_000, 140), used=0.5, refused=0.1),
    ]


def account_of_requests(rpm: int, jobs: int) -> Account:
    """Limit requests a minute; refusals count, too."""
    return Account(name=f"{rpm:,} RPM", limits=_requests(rpm), jobs=jobs)


def account_of_tokens(tpm: int, jobs: int) -> Account:
    """Limit tokens a minute, the cap charged at admission."""
    return Account(
        name=f"{tpm // 1000}k TPM, charged at admission",
        limits=_tokens(tpm, "admission"),
        jobs=jobs,
        prompt_tokens=LONG_PROMPT,
    )


def _requests(rpm: int) -> str:
    return f"[limits]\nrequests_per_minute = {rpm}\ncount_refusals = true\n"


def _tokens(tpm: int, charge: str) -> str:
    return f'[limits]\ntokens_per_minute = {tpm}\ncharge = "{charge}"\n'


def _apart(asked: int, written: int) -> str:
    return (
        f"[limits]\ninput_tokens_per_minute = {asked}\noutput_tokens_per_minute = {written}\n"
        'charge = "completion"\n'
    )


def _then(seconds: int, change: str) -> str:
    return f"[[limits_after]]\nseconds = {seconds}\n{change}\n"
