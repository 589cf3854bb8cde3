"""The words the simulator's prose is made of. Data only."""

PATTERNS = (
    "The {adjective} {noun} {verb} the {noun} {place}.",
    "A {noun} {place} {verb} every {adjective} {noun}.",
    "When the {noun} {verb} the {noun}, the {noun} stays {adjective}.",
    "Most {plural} are {adjective}, but this {noun} is {adjective}.",
    "{opener}, the {noun} {verb} a {adjective} {noun}.",
    "{opener}, {plural} {place} help the {noun}.",
    "It takes {number} {plural} to make one {adjective} {noun}.",
    "There are {number} {plural} {place}, and each has a {noun}.",
    "Nobody knows why the {adjective} {noun} {verb} the {noun}.",
    "We count the {plural} first and then the {adjective} {plural}.",
    "The answer is {adjective}, as the {noun} {verb} the {noun}.",
    "Without the {noun}, the {plural} would be {adjective}.",
)

WORDS = {
    "adjective": (
        "quiet", "early", "plain", "bright", "slow", "careful", "round", "heavy", "useful",
        "green", "narrow", "honest", "warm", "simple", "distant", "steady", "hollow", "clear",
        "patient", "wooden", "silver", "gentle", "curious", "ordinary", "famous", "small",
    ),
    "noun": (
        "river", "clock", "garden", "letter", "bridge", "market", "lantern", "teacher", "engine",
        "window", "harbour", "orchard", "compass", "kettle", "library", "mountain", "baker",
        "station", "notebook", "painter", "valley", "ladder", "island", "village", "machine",
        "sailor", "violin", "blanket", "meadow", "traveller",
    ),
    "plural": (
        "apples", "stones", "pages", "boats", "lamps", "neighbours", "numbers", "birds", "coins",
        "stories", "roads", "cups", "seeds", "bells", "maps", "questions", "shoes", "clouds",
    ),
    "verb": (
        "follows", "carries", "mends", "watches", "crosses", "measures", "finds", "paints",
        "remembers", "shelters", "answers", "balances", "leaves", "warms", "describes", "borrows",
    ),
    "place": (
        "near the harbour", "behind the mill", "on the hill", "under the old bridge",
        "beside the lake", "in the north", "at the end of the road", "by the window",
        "across the square", "inside the barn",
    ),
    "opener": (
        "In the morning", "After the rain", "For this reason", "As a rule", "Before winter",
        "Now and then", "On most days", "In other words", "At first", "In the end",
    ),
    "number": ("two", "three", "four", "six", "eight", "nine", "ten", "twelve", "forty"),
}  # fmt: skip
