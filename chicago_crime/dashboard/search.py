"""What somebody means who types "burglary hyde park 2017": words to filters."""

import re

from chicago_crime.dashboard.data import Data, Facts
from chicago_crime.dashboard.filters import Filters, read_filters
from chicago_crime.reference import offense_groups

Phrase = tuple[str, ...]
Meaning = tuple[str, str]
"""Name and value of a filter, as in a query string."""

IGNORED = frozenset({"a", "an", "and", "at", "by", "crime", "for", "in", "of", "on", "or", "the", "to", "with"})
FLAGS: dict[str, Meaning] = {
    "violent": ("offense_class", "violent"),
    "property": ("offense_class", "property"),
    "domestic": ("domestic", "yes"),
    "arrest": ("arrest", "yes"),
}
NUMBERED = {"ward": "ward", "district": "district", "beat": "beat", "area": "area", "hour": "hour"}
ALSO = {"shooting": "gun_battery", "shot": "gun_battery"}
"""What people call an offense group."""


def understand(text: str, data: Data) -> tuple[Filters, list[str]]:
    """The filters that a text means, and the words that mean nothing here.

    The longest phrase counts: "motor vehicle theft" is one type, and not THEFT. A word that stands in one name only,
    as "hyde" does, means that name.
    """
    words, known = words_of(text), data.derived("phrases", lambda: _phrases(data.facts()))
    longest = max(map(len, known))
    pairs: list[Meaning] = []
    unknown = []
    while words:
        length, meaning = next(
            (
                (length, found)
                for length in range(min(longest, len(words)), 0, -1)
                if (found := _meaning(tuple(words[:length]), known))
            ),
            (1, None),
        )
        if meaning:
            pairs.append(meaning)
        elif words[0] not in IGNORED:
            unknown.append(words[0])
        words = words[length:]
    filters, _, refused = read_filters(pairs)
    return filters, [*unknown, *refused]


def words_of(text: str) -> list[str]:
    """Lower-case words in the singular; a year or a span of years is one word."""
    return [_singular(word) for word in re.findall(r"\d{4}-\d{4}|[a-z0-9]+", text.lower().replace("'", ""))]


def _singular(word: str) -> str:
    if len(word) > 4 and word.endswith("ies"):
        return f"{word[:-3]}y"
    return word[:-1] if len(word) > 3 and word.endswith("s") and not word.endswith(("ss", "us")) else word


def _meaning(phrase: Phrase, known: dict[Phrase, Meaning]) -> Meaning | None:
    match phrase:
        case (name, number) if name in NUMBERED and number.isdigit() and not re.fullmatch(r"20\d\d", number):
            return NUMBERED[name], number
        case (word,) if re.fullmatch(r"(19|20)\d\d(-20\d\d)?", word):
            return "year", word
        case (word,) if word in FLAGS and phrase not in known:
            return FLAGS[word]
    return known.get(phrase)


def _phrases(facts: Facts) -> dict[Phrase, Meaning]:
    """Every name that a filter knows, and each word that only one name has. Types come before groups of one name."""
    names: list[tuple[str, Meaning]] = [(label, ("type", label)) for label in facts.types]
    names += [(name, ("area", str(number))) for number, name in facts.areas.items()]
    names += [(group.label, ("group", name)) for name, group in offense_groups().items()]
    names += [(text, ("location", text)) for text in facts.locations]
    names += [(text, ("description", text)) for text in facts.descriptions]
    found: dict[Phrase, Meaning] = {}
    of_word: dict[str, set[Meaning]] = {}
    for text, meaning in names:
        words = words_of(text)
        found.setdefault(tuple(words), meaning)
        if meaning[0] in ("type", "area", "group"):
            for word in {*words} - IGNORED:
                of_word.setdefault(word, set()).add(meaning)
    found |= {(word,): ("group", name) for word, name in ALSO.items()}
    return {(word,): one for word, (one, *more) in of_word.items() if not more} | found
