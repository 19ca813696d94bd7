"""Search: turns words such as "burglary hyde park 2017" into filters."""

import re
from calendar import monthrange
from collections.abc import Iterable, Iterator
from contextlib import suppress
from datetime import date, datetime
from itertools import combinations

from chicago_crime.dashboard.data import Data, Facts
from chicago_crime.dashboard.filters import Filters, read_filters
from chicago_crime.reference import offense_groups

Phrase = tuple[str, ...]
Meaning = tuple[str, str]
"""Name and value of a filter, as in the query string."""

ARTICLES = frozenset({"a", "an", "the"})
LINKS = frozenset({"and", "at", "by", "for", "from", "in", "of", "on", "or", "to", "with"})
IGNORED = LINKS | {"crime", "related"}
FLAGS: dict[str, Meaning] = {
    "violent": ("offense_class", "violent"),
    "property": ("offense_class", "property"),
    "domestic": ("domestic", "yes"),
    "arrest": ("arrest", "yes"),
}
NEGATIONS = frozenset({"except", "excluding", "no", "non", "not", "without"})
NUMBERED = frozenset({"ward", "district", "beat", "area", "hour"})
SYNONYMS = {
    "drug": "NARCOTICS",
    "mugging": "ROBBERY",
    "trespassing": "CRIMINAL TRESPASS",
    "vandalism": "CRIMINAL DAMAGE",
}
"""Common names of crime types."""


def understand(text: str, data: Data) -> tuple[Filters, list[str]]:
    """Return the filters in a text, and the words that were not understood.

    Negations are not understood, because filters only include, except for flags, which may be off.
    """
    known = data.derived("phrases", lambda: _phrases(data.facts()))
    words = split_words(re.sub(r"(?<!\S)-(?=\w)", "not ", text.lower()))
    pairs: list[Meaning] = []
    unknown: list[str] = []
    negation = last = ""
    for phrase, meanings in _read(words, known):
        text = " ".join(phrase)
        if not meanings and text in NEGATIONS:
            negation = text
            continue
        if not meanings and text in IGNORED:
            negation = negation or (last if text in ("and", "or") else "")
            continue
        if negation:
            meanings = [(name, "no") for name, value in meanings if value == "yes"]
        pairs += meanings
        unknown += [] if meanings else [f"{negation} {text}".strip()]
        negation, last = "", negation
    filters, _, refused = read_filters(pairs)
    return filters, [*unknown, *([negation] if negation else []), *refused]


def _read(words: list[str], known: dict[Phrase, Meaning]) -> Iterator[tuple[Phrase, list[Meaning]]]:
    """Split a text into phrases with their meanings; an unknown word is a phrase without one.

    The longest phrase wins: "motor vehicle theft" is one type, not THEFT. Words that occur in only one name, such as
    "hyde" or "near west", mean that name.
    """
    longest = max(map(len, known))
    while words:
        length, found = 1, list[Meaning]()
        for length in range(min(longest, len(words)), 0, -1):
            if found := _meanings(tuple(words[:length]), known):
                break
        yield tuple(words[:length]), found
        words = words[length:]


def split_words(text: str) -> list[str]:
    """Split into lowercase singular words without articles; a year, range of years or month is one word."""
    text = re.sub(r"(\d{4}) (?:to|-) (\d{4})", r"\1-\2", text.lower().replace("'", ""))
    return [_singular(word) for word in re.findall(r"\d{4}-\d{2}(?:\d\d)?|[a-z0-9]+", text) if word not in ARTICLES]


def _singular(word: str) -> str:
    if len(word) > 4 and word.endswith("ies"):
        return f"{word[:-3]}y"
    return word[:-1] if len(word) > 3 and word.endswith("s") and not word.endswith(("is", "ss", "us")) else word


def _meanings(phrase: Phrase, known: dict[Phrase, Meaning]) -> list[Meaning]:
    if days := _month(phrase):
        return [("start", str(days[0])), ("finish", str(days[1]))]
    match phrase:
        case ("since", *month) if days := _month(month) or _month(("january", *month)):
            return [("start", str(days[0]))]
        case (name, number) if name in NUMBERED and number.isdigit() and not re.fullmatch(r"20\d\d", number):
            return [(name, number)]
        case (number, name) if name in NUMBERED and re.fullmatch(r"\d+(st|nd|rd|th)", number):
            return [(name, number[:-2])]
        case (word,) if re.fullmatch(r"(19|20)\d\d(-20\d\d)?", word):
            return [("year", word)]
    return [known[phrase]] if phrase in known else []


def _month(words: Iterable[str]) -> tuple[date, date] | None:
    """Return the first and last day of a month written as april 2016, apr 2016 or 2016-04."""
    for form in ("%B %Y", "%b %Y", "%Y-%m"):
        with suppress(ValueError):
            first = datetime.strptime(" ".join(words), form).date()
            return first, first.replace(day=monthrange(first.year, first.month)[1])
    return None


def _phrases(facts: Facts) -> dict[Phrase, Meaning]:
    """Map names of filter values, and their unique parts, to meanings. Of equal names, the first wins."""
    names: list[tuple[str, Meaning]] = [(label, ("type", label)) for label in facts.choices["type"]]
    names += [(name, ("area", str(number))) for number, name in facts.areas.items()]
    names += [(text, ("group", name)) for name, one in offense_groups().items() for text in (one.label, *one.also)]
    names += [(text, ("type", name)) for text, name in SYNONYMS.items()]
    names += FLAGS.items()
    found: dict[Phrase, Meaning] = {}
    by_part: dict[Phrase, set[Meaning]] = {}
    for text, meaning in names:
        words = tuple(split_words(text))
        if found.setdefault(words, meaning) == meaning:
            for part in {*_parts(words, meaning[0] == "area")}:
                by_part.setdefault(part, set()).add(meaning)
    for name in ("location", "description"):
        for text in facts.choices[name]:
            found.setdefault(tuple(split_words(text)), (name, text))
    found |= {("beat", str(beat)): ("beat", str(beat)) for beat in facts.choices["beat"]}  # 2012 can be a beat
    return {part: one for part, (one, *more) in by_part.items() if not more} | found


def _parts(words: Phrase, is_area: bool) -> Iterator[Phrase]:
    """Parts of a name that may abbreviate it.

    Not the middle of an area: "west side" is not Near West Side. Not up to a link: "robbery at" is not a robbery at
    gunpoint.
    """
    for start, end in combinations(range(len(words) + 1), 2):
        part = words[start:end]
        is_whole = part[-1] not in LINKS and not {*part} <= IGNORED
        if is_whole and (start == 0 or end - start == 1 or not is_area):
            yield part
