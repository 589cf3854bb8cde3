"""What the jobs of a file come to: how many, how much text, which caps, by model and price."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from heapq import nlargest
from typing import NamedTuple, cast

from runner.checking.sizes import NO_SIZES, sizes_of, sum_of
from runner.checking.texts import given_to_read, settings_of, spoken_in
from runner.config import ModelRef
from runner.input.plain import BareJob
from runner.input.stretch import Stretch
from runner.models import Job, Request
from runner.pricing.book import PriceBook
from runner.pricing.terms import Terms, terms_of
from runner.settings import Lane

LANES: tuple[Lane, ...] = ("live", "flex", "batch")
LONGEST_KEPT = 3
_KINDS_KEPT, _KINDS_BYTES = 1_000, 8 << 20
_WAITING = 1 << 20
"""Characters of all models together; a text costs memory beyond its characters, too."""
_OF_A_TEXT = 64


class Long(NamedTuple):
    """A long prompt."""

    characters: int
    line: int


@dataclass(slots=True)
class Group:
    """The jobs of one model that are priced alike."""

    ref: ModelRef
    terms: Mapping[Lane, Terms | None]
    """By lane, what tells their price; None where they cost more than tokens."""
    jobs: int = 0
    messages: int = 0
    sizes: Sequence[int] = NO_SIZES
    largest: int = 0
    """Characters of the longest request."""
    uncapped: int = 0
    cap_tokens: int = 0
    """What all that are capped may answer together."""
    opaque: int = 0
    """Jobs that hold something else than text."""
    caches: bool = False
    """Some ask for a cache to be written."""
    waiting: list[str] = field(default_factory=list)
    """Texts that are not in `sizes` yet: many at a time are counted faster."""

    def settle(self) -> None:
        """Count what has been taken in."""
        if self.waiting:
            self.sizes = sum_of(self.sizes, sizes_of(self.waiting))
            self.waiting = []


class _Kind(NamedTuple):
    """Jobs alike in all but their texts."""

    group: Group
    cap: int | None
    given: str


class Gatherer:
    """Takes in jobs; not for several threads."""

    def __init__(self, book: PriceBook) -> None:
        """Begin with none."""
        self._book = book
        self._groups: dict[tuple[object, ...], Group] = {}
        self._kinds: dict[tuple[object, ...], _Kind] = {}
        self._kinds_bytes = 0
        self._waiting = 0
        self.longest: list[Long] = []

    def groups(self) -> list[Group]:
        """Give what was gathered."""
        self._settle()
        return list(self._groups.values())

    def _read(self, group: Group, texts: list[str], characters: int) -> None:
        group.waiting += texts
        self._waiting += characters + _OF_A_TEXT * len(texts)
        if self._waiting > _WAITING:
            self._settle()

    def _settle(self) -> None:
        for group in self._groups.values():
            group.settle()
        self._waiting = 0

    def take(self, job: Job) -> None:
        """Take in one job."""
        self._take(ModelRef(job.provider, job.model), job.request, job.line or 0)

    def take_stretch(self, stretch: Stretch) -> None:
        """Take in many jobs, with what `take` would come to for each."""
        jobs, parser = stretch.jobs, stretch.parser
        bare: dict[object, list[int]] = {}
        for at, job in enumerate(jobs):
            if type(job) is BareJob:
                places = bare.get(job.model)
                if places is None:
                    places = bare[job.model] = []
                places.append(at)
            else:
                self._take(*parser.request(job), stretch.first + at)
        for places in bare.values():
            self._take_prompts(stretch, places)

    def _take_prompts(self, stretch: Stretch, places: list[int]) -> None:
        """Take in jobs of which only the prompts differ."""
        jobs = stretch.jobs
        ref, request = stretch.parser.request(jobs[places[0]])
        kind, system = self._kind(ref, request), spoken_in(request)
        prompts = [cast("str", jobs[at].prompt) for at in places]
        lengths = list(map(len, prompts))
        others = system.texts[1:]
        added = sum(map(len, others)) + len(kind.given)
        self._count(kind, len(prompts), len(prompts) * system.messages, max(lengths) + added)
        self._read(kind.group, prompts, sum(lengths))
        if others:
            once = sizes_of(others)
            kind.group.sizes = sum_of(kind.group.sizes, [len(prompts) * size for size in once])
        least = self._least
        if max(lengths) + added > least:
            self._note(
                Long(length + added, stretch.first + at)
                for length, at in zip(lengths, places, strict=True)
                if length + added > least
            )

    def _take(self, ref: ModelRef, request: Request, line: int) -> None:
        kind, spoken = self._kind(ref, request), spoken_in(request)
        length = sum(map(len, spoken.texts))
        self._count(kind, 1, spoken.messages, length + len(kind.given))
        self._read(kind.group, spoken.texts, length)
        kind.group.opaque += spoken.opaque or bool(request.files)
        if length + len(kind.given) > self._least:
            self._note([Long(length + len(kind.given), line)])

    def _count(self, kind: _Kind, jobs: int, messages: int, largest: int) -> None:
        group = kind.group
        group.jobs += jobs
        group.messages += messages
        group.largest = max(group.largest, largest)
        if kind.cap is None:
            group.uncapped += jobs
        else:
            group.cap_tokens += jobs * kind.cap
        if kind.given:
            once = sizes_of([kind.given])
            group.sizes = sum_of(group.sizes, [jobs * size for size in once])

    def _kind(self, ref: ModelRef, request: Request) -> _Kind:
        settings = settings_of(request.params)
        key = (ref, request.max_tokens, settings)
        kind = self._kinds.get(key)
        if kind is None:
            if len(self._kinds) >= _KINDS_KEPT or self._kinds_bytes > _KINDS_BYTES:
                self._kinds.clear()
                self._kinds_bytes = 0
            kind = self._kinds[key] = self._new_kind(ref, request)
            self._kinds_bytes += len(settings) + len(kind.given)
        return kind

    def _new_kind(self, ref: ModelRef, request: Request) -> _Kind:
        terms = {lane: terms_of(request.params, lane) for lane in LANES}
        key = (ref, *terms.values())
        group = self._groups.get(key)
        if group is None:
            group = self._groups[key] = Group(ref, terms)
        group.caches |= b"cache_control" in settings_of(request.params)
        cap = self._book.answer_bound(ref.provider, request, None)
        return _Kind(group, cap, given_to_read(request))

    @property
    def _least(self) -> int:
        """What a prompt has to pass to be among the longest."""
        return self.longest[-1].characters if len(self.longest) == LONGEST_KEPT else 0

    def _note(self, found: Iterable[Long]) -> None:
        self.longest = nlargest(
            LONGEST_KEPT, {*self.longest, *found}, key=lambda long: (long.characters, -long.line)
        )


def alone(book: PriceBook, job: Job) -> Group:
    """Give what one job comes to."""
    gatherer = Gatherer(book)
    gatherer.take(job)
    return gatherer.groups()[0]
