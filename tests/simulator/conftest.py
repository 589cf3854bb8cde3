"""Simulators that several tests share."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.simulated import Endpoints, scenario_file, simulator_in_thread

SCRIPTED = r"""
[speed]
first_token_s = 0
tokens_per_second = 100000

[[rules]]
match = "^say pong$"
reply = { text = "pong from the simulator" }

[[rules]]
match = "^think$"
reply = { reasoning = "Six and four make ten.", text = "10 it is" }

[[rules]]
match = "^refuse$"
reply = { finish = "refusal" }

[[rules]]
match = "^filter$"
reply = { finish = "content_filter", tokens = 7 }

[[rules]]
match = "^pause$"
reply = { finish = "pause", tokens = 7 }

[[rules]]
match = "^call$"
[rules.reply.tool]
name = "get_weather"
arguments = { city = "Paris", days = 3 }

[[rules]]
match = "^call any$"
reply = { finish = "tool_calls" }
"""


@pytest.fixture(scope="session")
def scripted(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Endpoints]:
    """A simulator without waits that answers some prompts by script."""
    path: Path = scenario_file(tmp_path_factory.mktemp("scripted"), SCRIPTED)
    with simulator_in_thread(path) as endpoints:
        yield endpoints
