"""Search: turns words such as "burglary hyde park 2017" into filters."""

import re
from collections.abc import Iterator
from contextlib import suppress
from dataclasses import dataclass
from datetime import date, datetime, timedelta

from chicago_crime.dashboard.data import Data, Facts, last_of_month
from chicago_crime.dashboard.filters import Filters, read_filters
from chicago_crime.dashboard.known import closest
from chicago_crime.errors import UsageError
from chicago_crime.reference import offense_groups, renamed_types

Meaning = tuple[str, str]
"""Name and value of a filter, as in the query string."""

ARTICLES = frozenset({"a", "an", "the"})
LINKS = frozenset({"and", "at", "by", "for", "from", "in", "of", "on", "or", "to", "with"})
IGNORED = LINKS | {"chicago", "city", "crime", "related"}
NEGATIONS = frozenset({"except", "excluding", "no", "non", "not", "without"})
NUMBERED = frozenset({"ward", "district", "beat", "area", "hour"})
SYNONYMS: dict[str, Meaning] = {
    "violent": ("offense_class", "violent"),
    "property crime": ("offense_class", "property"),
    "domestic": ("domestic", "yes"),
    "arrest": ("arrest", "yes"),
    "drug": ("type", "NARCOTICS"),
    "mugging": ("type", "ROBBERY"),
    "property damage": ("type", "CRIMINAL DAMAGE"),
    "trespass": ("type", "CRIMINAL TRESPASS"),
    "trespassing": ("type", "CRIMINAL TRESPASS"),
    "vandalism": ("type", "CRIMINAL DAMAGE"),
}
"""Common names of flags, classes and crime types."""
PLACES = ("AIRPORT", "BUS", "HOSPITAL", "STORE", "TRAIN")
"""Places that no label of a location type names alone."""
MAX_LENGTH = 500
MAX_WORDS = 10
"""The most words that have one meaning."""

YEAR = r"(?:19|20)\d\d"
DATES = ("%Y-%m-%d", "%m/%d/%Y", "%B %d %Y", "%b %d %Y", "%d %B %Y", "%d %b %Y", "%Y-%m", "%B %Y", "%b %Y", "%Y")
STREETS = {"street": "st", "avenue": "ave", "place": "pl", "boulevard": "blvd", "road": "rd", "drive": "dr"}
"""Kinds of streets as users spell them, and as blocks do."""
ADDRESS = (
    rf"(?!(?:\d\d?|{YEAR}) [nsew][a-z])(\d{{1,5}}|\d{{2,4}}xx?) (?:block (?:of )?)?([nsew])(?:orth|outh|est|ast)?\.? "
    rf"((?:[\w'.]+ ){{1,5}}?(?:{'|'.join((*STREETS, *STREETS.values()))}|pkwy|ct|ter|hwy)|broadway)\b"
)
WORD = re.compile(rf"{ADDRESS}|\d+(?:[-/]\d+)+|[^\W_]+(?:'[^\W_]+)*", re.IGNORECASE)


@dataclass(frozen=True)
class Vocabulary:
    """What words mean in a snapshot.

    Attributes:
        names: name without spaces -> the name, and its meaning.
        places: the words of each place in labels of location types, such as those of "liquor store".
        locations: label of a location type -> its words.
    """

    names: dict[str, tuple[str, Meaning]]
    places: set[frozenset[str]]
    locations: dict[str, frozenset[str]]


def understand(text: str, data: Data) -> tuple[Filters, list[str], list[str]]:
    """Return the filters in a text, the words that were not recognized, and a message for each impossible value.

    Negations are not recognized, because filters only include, except for flags, which may be off.

    Raises:
        UsageError: the text has more than MAX_LENGTH characters.
    """
    if len(text) > MAX_LENGTH:
        raise UsageError(f"The search has {len(text):,} characters; the maximum is {MAX_LENGTH}. Shorten it.")
    known = data.derived("vocabulary", lambda: _vocabulary(data.facts()))
    pairs: list[Meaning] = []
    unknown: list[str] = []
    negation = last = ""
    for typed, meanings in _read(text, known):
        word = _normal(typed)
        if not meanings and word in NEGATIONS:
            negation = word
            continue
        if not meanings and word in IGNORED:
            negation = negation or (last if word in ("and", "or") else "")
            continue
        hint = "" if negation or meanings else _hint(typed, known)
        if negation:
            meanings = [(name, "no") for name, value in meanings if value == "yes"]
        pairs += meanings
        unknown += [] if meanings else [f"{negation} {typed}{hint}".strip()]
        negation, last = "", negation
    filters, _, refused = read_filters(pairs)
    return filters, [*unknown, *([negation] if negation else [])], refused


def _hint(typed: str, known: Vocabulary) -> str:
    """Suggest the nearest names to unknown words together, or to the first and the others."""
    names = {key: name for key, (name, meaning) in known.names.items() if meaning[0] != "description"}
    parts = [part for part in typed.split(maxsplit=1) if "".join(_words(part)) not in names]
    found = closest(names, typed, 1, 0.8) or [name for part in parts for name in closest(names, part, 1, 0.8)]
    return f" (closest: {', '.join(found)})" if found else ""


def _read(text: str, known: Vocabulary) -> Iterator[tuple[str, list[Meaning]]]:
    """Split a text into parts as typed, with their meanings. The longest part wins: "motor vehicle theft", not THEFT.

    An unknown word makes the unknown words and places after it part of a name: "state street", "back of the yards".
    """
    text = re.sub(r"[\u2013\u2014]", "-", " ".join(text.split())).replace("\u2019", "'").replace(" - ", " to ")
    text = re.sub(r"(?<!\S)-(?=\w)", "not ", text)
    text = re.sub(r"(?i)\b(?:community (?=area)|police (?=district|beat))", "", text)
    matches = [match for match in WORD.finditer(text) if _normal(match[0]) not in ARTICLES]
    words = [_normal(match[0]) for match in matches]
    start = 0
    while start < len(words):
        length, meanings = _longest(words[start:], known)
        end = start + length
        if not meanings and words[start] not in IGNORED | NEGATIONS:
            while end < len(words) and words[end] not in (IGNORED | NEGATIONS) - {"of"}:
                length, more = _longest(words[end:], known)
                if more and more[0][0] != "location":
                    break
                end += length
            end -= words[end - 1] == "of"
        yield text[matches[start].start() : matches[end - 1].end()], meanings
        start = end


def _longest(words: list[str], known: Vocabulary) -> tuple[int, list[Meaning]]:
    """Return how many words at the start have a meaning together, and the meaning."""
    for length in range(min(MAX_WORDS, len(words)), 0, -1):
        if found := _meanings(words[:length], known):
            return length, found
    return 1, []


def _meanings(words: list[str], known: Vocabulary) -> list[Meaning]:
    """Return what words mean together; nothing if they do not. A place is all location types with its words."""
    if any(place <= {*words} for place in known.places) and (
        labels := [label for label, all_words in known.locations.items() if {*words} <= all_words]
    ):
        return [("location", label) for label in labels]
    if found := known.names.get("".join(words)):
        return [found[1]]
    match words:
        case [word] if address := re.fullmatch(ADDRESS, word):
            return [("block", _block(*address.groups()))]
        case [name, *numbers] if name in NUMBERED:
            return _numbered(name, numbers, known)
        case [*numbers, name] if name in NUMBERED:
            return _numbered(name, numbers, known)
    return _time(" ".join(words))


def _numbered(name: str, words: list[str], known: Vocabulary) -> list[Meaning]:
    """Read the numbers of wards or the like. A number that may be a year is only a beat if that exists."""
    found = []
    for before, word in zip((name, *words), words, strict=False):
        is_year = re.fullmatch(YEAR, word) and (before.isdigit() or f"{name}{word}" not in known.names)
        if word.isdigit() and not is_year:
            found.append((name, word))
        elif word not in ("and", "or"):
            return []
    return found if words and words[0].isdigit() and words[-1].isdigit() else []


def _block(number: str, direction: str, street: str) -> str:
    """Spell an address as the City spells blocks: 1200 n state street as 012XX N STATE ST."""
    *name, kind = street.replace(".", "").split()
    hundreds = int(number.replace("x", "0")) // 100
    return " ".join([f"{hundreds:03}XX", direction, *name, STREETS.get(kind, kind)]).upper()


def _time(text: str) -> list[Meaning]:
    """Read a year, month, day or span, such as "between march and may 2016" or "since 2015"."""
    word, _, rest = text.partition(" ")
    if days := _days(rest):
        match word:
            case "since":
                return [("start", str(days[0]))]
            case "after":
                return [("start", str(days[1] + timedelta(1)))]
            case "before":
                return [("finish", str(days[0] - timedelta(1)))]
            case "until" | "till" | "through":
                return [("finish", str(days[1]))]
    text = re.sub(r"^between (.+) and ", r"\1 to ", re.sub(r"^(\d{4})-(?=\d{4}$)", r"\1 to ", text))
    if years := re.fullmatch(f"({YEAR})(?: (?:to|until|till|through) ({YEAR}))?", text):
        return [("year", "-".join(filter(None, years.groups())))]
    first, *others = re.split(" (?:to|until|till|through) ", text, maxsplit=1)
    last = others[0] if others else first
    start, finish = _days(first) or _days(f"{first} {last[-4:]}"), _days(last)
    return [("start", str(start[0])), ("finish", str(finish[1]))] if start and finish else []


def _days(text: str) -> tuple[date, date] | None:
    """Return the first and last day of a year, month or day; None if it is none of them."""
    for form in DATES if re.search(rf"\b{YEAR}\b", text) and len(text) < 20 else ():
        with suppress(ValueError):
            first = last = datetime.strptime(text, form).date()
            if form == "%Y":
                last = first.replace(month=12)
            return first, last if "%d" in form else last_of_month(last)
    return None


def _words(text: str) -> list[str]:
    return [word for match in WORD.finditer(text) if (word := _normal(match[0])) not in ARTICLES]


def _normal(word: str) -> str:
    """Spell a word in lowercase and singular, and an ordinal number as a number."""
    word = re.sub(r"(?<=\d)(?:st|nd|rd|th)$", "", word.lower().replace("'", ""))
    if len(word) > 4 and word.endswith("ies"):
        return f"{word[:-3]}y"
    return word[:-1] if len(word) > 2 and word.endswith("s") and not word.endswith(("is", "ss", "us")) else word


def _vocabulary(facts: Facts) -> Vocabulary:
    """Collect the names of filter values. Of equal names, the first wins."""
    labels = *facts.choices["type"], *renamed_types()
    names: list[tuple[str, Meaning]] = [(label, ("type", label)) for label in labels]
    names += [(name, ("area", str(number))) for number, name in facts.areas.items()]
    names += [(text, ("group", name)) for name, one in offense_groups().items() for text in (one.label, *one.also)]
    names += SYNONYMS.items()
    in_names = [{*_words(text)} for text, _ in names]
    for number, name in facts.areas.items():  # "hyde" and "near west" are short for Hyde Park and Near West Side
        short = re.sub(" (Park|Square|Heights|Side)$", "", name)
        if sum(other.startswith(short) for other in facts.areas.values()) == 1:
            names.append((short, ("area", str(number))))
    locations = {label: frozenset(_words(re.sub(r"NON\W", "NON", label))) for label in facts.choices["location"]}
    listed = [one for label in locations for one in re.split("/| OR ", re.split(r"[,(:]| - ", label)[0])]
    places = {frozenset(_words(one)) for one in (*listed, *PLACES)}
    names += [
        (label, ("location", label)) for label in locations if not any({*_words(label)} <= one for one in in_names)
    ]
    names += [(text, ("description", text)) for text in facts.choices["description"]]
    names += [(f"beat {beat}", ("beat", str(beat))) for beat in facts.choices["beat"]]
    by_key: dict[str, tuple[str, Meaning]] = {}
    for text, meaning in names:
        by_key.setdefault("".join(_words(text)), (text, meaning))
    places = {place for place in places if place and not any(place <= words for words in in_names)}
    return Vocabulary(by_key, places, locations)
