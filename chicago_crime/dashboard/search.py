"""What somebody means who types "burglary hyde park 2017": words to filters."""

import re
from collections.abc import Iterator
from itertools import combinations

from chicago_crime.dashboard.data import Data, Facts
from chicago_crime.dashboard.filters import Filters, read_filters
from chicago_crime.reference import offense_groups

Phrase = tuple[str, ...]
Meaning = tuple[str, str]
"""Name and value of a filter, as in a query string."""

ARTICLES = frozenset({"a", "an", "the"})
IGNORED = frozenset({"and", "at", "by", "crime", "for", "in", "of", "on", "or", "to", "with"})
FLAGS: dict[str, Meaning] = {
    "violent": ("offense_class", "violent"),
    "property": ("offense_class", "property"),
    "domestic": ("domestic", "yes"),
    "arrest": ("arrest", "yes"),
}
NUMBERED = frozenset({"ward", "district", "beat", "area", "hour"})
ALSO = {"drug": "NARCOTICS", "mugging": "ROBBERY", "trespassing": "CRIMINAL TRESPASS", "vandalism": "CRIMINAL DAMAGE"}
"""What people call a crime type."""


def understand(text: str, data: Data) -> tuple[Filters, list[str]]:
    """The filters that a text means, and the words that mean nothing here.

    The longest phrase counts: "motor vehicle theft" is one type, and not THEFT. Words that stand in one name only, as
    "hyde" or "sexual assault" do, mean that name.
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
    """Lower-case words in the singular, without articles; a year or a span of years is one word."""
    text = re.sub(r"(\d{4}) (?:to|-) (\d{4})", r"\1-\2", text.lower().replace("'", ""))
    return [_singular(word) for word in re.findall(r"\d{4}-\d{4}|[a-z0-9]+", text) if word not in ARTICLES]


def _singular(word: str) -> str:
    if len(word) > 4 and word.endswith("ies"):
        return f"{word[:-3]}y"
    return word[:-1] if len(word) > 3 and word.endswith("s") and not word.endswith(("is", "ss", "us")) else word


def _meaning(phrase: Phrase, known: dict[Phrase, Meaning]) -> Meaning | None:
    match phrase:
        case (name, number) if name in NUMBERED and number.isdigit() and not re.fullmatch(r"20\d\d", number):
            return name, number
        case (number, name) if name in NUMBERED and re.fullmatch(r"\d+(st|nd|rd|th)", number):
            return name, number[:-2]
        case (word,) if re.fullmatch(r"(19|20)\d\d(-20\d\d)?", word):
            return "year", word
        case (word,) if word in FLAGS and phrase not in known:
            return FLAGS[word]
    return known.get(phrase)


def _phrases(facts: Facts) -> dict[Phrase, Meaning]:
    """Every name that a filter knows, and the parts that only one name has. Types come before groups of one name."""
    names: list[tuple[str, Meaning]] = [(label, ("type", label)) for label in facts.choices["type"]]
    names += [(name, ("area", str(number))) for number, name in facts.areas.items()]
    names += [(text, ("group", name)) for name, one in offense_groups().items() for text in (one.label, *one.also)]
    names += [(text, ("type", name)) for text, name in ALSO.items()]
    found: dict[Phrase, Meaning] = {}
    of_part: dict[Phrase, set[Meaning]] = {}
    for text, meaning in names:
        words = tuple(words_of(text))
        if found.setdefault(words, meaning) == meaning:
            for part in {*_parts(words, meaning[0] == "area")}:
                of_part.setdefault(part, set()).add(meaning)
    for name in ("location", "description"):
        for text in facts.choices[name]:
            found.setdefault(tuple(words_of(text)), (name, text))
    found |= {("beat", str(beat)): ("beat", str(beat)) for beat in facts.choices["beat"]}  # 2012 may be one
    return {part: one for part, (one, *more) in of_part.items() if not more} | found


def _parts(words: Phrase, is_area: bool) -> Iterator[Phrase]:
    """Words of a name that may stand for it; of an area, no middle ones: "west side" is not Near West Side."""
    for start, end in combinations(range(len(words) + 1), 2):
        part = words[start:end]
        if not {*part} <= IGNORED and (start == 0 or end - start == 1 or not is_area):
            yield part
