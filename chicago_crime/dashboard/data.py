"""The data of the pages: cached query results from a published snapshot, and facts from its catalog.

The SQL is in `sql/pages/`; each page's module turns the results into a view.
"""

import logging
import threading
import time
from calendar import monthrange
from collections import OrderedDict, defaultdict
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from datetime import date, timedelta
from typing import Any, TypeVar, cast

import pyarrow as pa

from chicago_crime.dashboard.filters import Filters, plain
from chicago_crime.errors import PlatformError
from chicago_crime.installation import Installation
from chicago_crime.published.catalog import CATALOG, PUBLISHED, Catalog, DamagedError, NothingPublishedError
from chicago_crime.published.reader import SnapshotReader
from chicago_crime.storage.object_store import ObjectStoreError
from chicago_crime.storage.warehouse import WarehouseError
from chicago_crime.tables.years import format_years

BYTES_KEPT = 64 << 20
"""Size limit of the cached results of a snapshot; a download of incidents has 8 MB."""

SNAPSHOTS_KEPT = 4

GAPS_NAMED = 3

REFRESH_SECONDS = 2.0
"""Maximum delay until a new snapshot is shown."""

Derived = TypeVar("Derived")

log = logging.getLogger(__name__)


@dataclass(frozen=True)
class Year:
    """One published year: first day with a crime, last day covered, gaps (oldest first), first provisional day."""

    first_day: date
    last_day: date
    gaps: tuple[tuple[date, date], ...]
    provisional_from: date | None
    crimes: int

    @property
    def coverage(self) -> str:
        """What an incomplete year covers, such as "to April 30, without July 2 to 31"; empty for a complete year."""
        is_whole = (self.last_day.month, self.last_day.day) == (12, 31)
        end = [] if is_whole else [f"to {self.last_day:%B} {self.last_day.day}"]
        return ", ".join([*end, *([f"without {self.missing_text}"] if self.gaps else [])])

    @property
    def missing_text(self) -> str:
        """The days in gaps, such as "January and July 2 to 31"."""
        named = [_days_text(*gap) for gap in self.gaps[:GAPS_NAMED]]
        more = len(self.gaps) - len(named)
        parts = [*named, *([f"{more} more gap{'s' if more > 1 else ''}"] if more else [])]
        return " and ".join(filter(None, (", ".join(parts[:-1]), parts[-1])))

    def days_missing(self, first: date = date.min, last: date = date.max) -> int:
        """Return the number of days in gaps between two days."""
        return sum(max((min(last, end) - max(first, start)).days + 1, 0) for start, end in self.gaps)

    def covered(self, first: date = date.min, last: date = date.max) -> float:
        """Return the share of the year that its data covers between two days."""
        start, end = (self.last_day.replace(month=month, day=day) for month, day in ((1, 1), (12, 31)))
        days = max((min(last, self.last_day) - max(first, start)).days + 1, 0)
        return (days - self.days_missing(first, last)) / ((end - start).days + 1)

    @property
    def complete_months(self) -> int:
        """The number of complete months."""
        return self.last_day.month - (0 if (self.last_day + timedelta(1)).day == 1 else 1)


def _year(year: int, last_day: date, gaps: Iterable[tuple[str, str]], **more: Any) -> Year:
    days = ((date.fromisoformat(first), date.fromisoformat(last)) for first, last in gaps)
    return Year(last_day=last_day, gaps=tuple(gap for gap in days if gap[1] < last_day), **more)


def _days_text(first: date, last: date) -> str:
    """Name days of a year: January, January to March, July 4, July 2 to 31, or June 30 to July 2."""
    if first.day == 1 and last == last_of_month(last):
        return f"{first:%B}" if first.month == last.month else f"{first:%B} to {last:%B}"
    if first == last:
        return f"{first:%B} {first.day}"
    end = f"{last.day}" if first.month == last.month else f"{last:%B} {last.day}"
    return f"{first:%B} {first.day} to {end}"


def last_of_month(day: date) -> date:
    """Return the last day of a day's month."""
    return day.replace(day=monthrange(day.year, day.month)[1])


@dataclass(frozen=True)
class Facts:
    """Facts about a snapshot, and the values of its filters.

    Attributes:
        years: by year.
        synthetic: years of sample data.
        choices: values by filter: districts, wards and beats by number, others by descending frequency.
        spellings: filter -> plain label -> its spellings by descending frequency. The City has changed the punctuation
            of descriptions and location types.
        areas: number of a community area -> its name, sorted by name.
        sides: number of a community area -> its side of the city.
        residents: (year, community area) -> residents.
        residents_to: the newest year with a census or an estimate.
        few_residents: (year, community area) with too few residents for a meaningful rate.
    """

    years: dict[int, Year]
    synthetic: list[int]
    choices: dict[str, list[Any]]
    spellings: dict[str, dict[str, list[str]]]
    areas: dict[int, str]
    sides: dict[int, str]
    residents: dict[tuple[int, int], float]
    residents_to: int
    few_residents: set[tuple[int, int]]

    @property
    def newest_day(self) -> date:
        """The newest day covered."""
        return self.years[max(self.years)].last_day

    def years_text(self, years: Iterable[int]) -> str:
        """Return years as text, such as 2014-2016, 2021 (to April 30): incomplete ones have what they cover."""
        texts, run = list[str](), list[int]()
        for year in years:
            run.append(year)
            if coverage := self.years[year].coverage:
                texts.append(f"{format_years(run).replace(',', ', ')} ({coverage})")
                run = []
        return ", ".join([*texts, *([format_years(run).replace(",", ", ")] if run else [])])

    def every_spelling(self, filters: Filters) -> Filters:
        """Return the filters with all spellings of their labels."""
        return filters.changed(
            **{
                name: tuple(one for label in getattr(filters, name) for one in found.get(plain(label), [label]))
                for name, found in self.spellings.items()
            }
        )


class Data:
    """One published snapshot as the pages see it. It never changes, so all results are cached."""

    def __init__(self, reader: SnapshotReader) -> None:
        self.reader = reader
        self._answers: OrderedDict[object, pa.Table] = OrderedDict()
        self._derived: dict[str, object] = {}
        self._lock = threading.Lock()
        self._making: defaultdict[str, threading.Lock] = defaultdict(threading.Lock)

    @property
    def catalog(self) -> Catalog:
        """Its catalog."""
        return self.reader.catalog

    def answer(self, name: str, parameters: Mapping[str, object]) -> pa.Table:
        """Return the result of a query in `sql/pages/`, from the cache if possible.

        Raises:
            DamagedError: a file that the query reads is damaged.
        """
        key = (name, repr(sorted(parameters.items())))
        with self._lock:
            if key in self._answers:
                self._answers.move_to_end(key)
                return self._answers[key]
        try:
            rows = self.reader.answer(f"pages/{name}", parameters)
        except WarehouseError:
            self.reader.verify()
            rows = self.reader.answer(f"pages/{name}", parameters)
        with self._lock:
            self._answers[key] = rows
            while sum(one.nbytes for one in self._answers.values()) > BYTES_KEPT:
                self._answers.popitem(last=False)
        return rows

    def derived(self, name: str, make: Callable[[], Derived]) -> Derived:
        """Return an expensive value, computed once. Only requests that need it wait for it."""
        with self._lock:
            making = self._making[name]
        with making:
            if name not in self._derived:
                self._derived[name] = make()
            return cast(Derived, self._derived[name])

    def facts(self) -> Facts:
        """Return the facts about the snapshot.

        Raises:
            PlatformError: some years were published by another version of the package.
            DamagedError: a file is damaged.
        """
        return self.derived("facts", self._find_facts)

    def blocks(self) -> list[str]:
        """List all blocks, those with the most crimes first."""
        everything = Filters().parameters(self.catalog.years)
        return self.derived("blocks", lambda: self.answer("blocks", everything)["block"].to_pylist())

    def cell_blocks(self) -> dict[tuple[int, int], str]:
        """Map each cell (x, y) to the block with most of its crimes."""

        def find() -> dict[tuple[int, int], str]:
            x, y, blocks = self.answer("cell_blocks", {}).to_pydict().values()
            return dict(zip(zip(x, y, strict=True), blocks, strict=True))

        return self.derived("cell_blocks", find)

    def _find_facts(self) -> Facts:
        published = self.catalog.years
        if old := {
            table.name: years
            for table in PUBLISHED
            if (years := {*self.reader.outdated(table), *(published.keys() - self.reader.stored(table).keys())})
        }:
            text = format_years(sorted(set[int]().union(*old.values())))
            raise PlatformError(
                f"{', '.join(old)} of {text} were published by another version of this package. "
                "`chicago-crime status` prints the command that loads them again. An older snapshot stays as it is: "
                "`chicago-crime query --as-of` reads it"
            )
        choices = self.answer("choices", {}).drop_columns("crimes").to_pydict()
        frequent = {name: [one for one in values if one is not None] for name, values in choices.items()}
        spellings: dict[str, dict[str, list[str]]] = {"description": {}, "location": {}}
        for name, found in spellings.items():
            for label in frequent[name]:
                found.setdefault(plain(label), []).append(label)
            frequent[name] = [first for first, *_ in found.values()]
        residents = {(row["year"], row["community_area"]): row for row in self.answer("residents", {}).to_pylist()}
        areas = {area: row["community_area_name"] for (_, area), row in residents.items()}
        return Facts(
            years={
                row["year"]: _year(**row, gaps=published[row["year"]].source.get("gaps", ()))
                for row in self.answer("days", {}).to_pylist()
            },
            synthetic=sorted(year for year, held in published.items() if held.is_synthetic),
            choices=frequent | {name: sorted(frequent[name]) for name in ("district", "ward", "beat")},
            spellings=spellings,
            areas=dict(sorted(areas.items(), key=lambda area: area[1])),
            sides={area: row["side"] for (_, area), row in residents.items()},
            residents={key: row["population"] for key, row in residents.items()},
            residents_to=max(row["population_known_to"] for row in residents.values()),
            few_residents={key for key, row in residents.items() if row["is_small_population"]},
        )


class Snapshots:
    """Cache of the current snapshot (`as_of`; default: the newest) and some older ones."""

    def __init__(self, installation: Installation, as_of: date | str | None = None) -> None:
        self.installation = installation
        self.as_of = as_of
        self._opened: OrderedDict[date | str | None, tuple[float, Data]] = OrderedDict()
        self._looked_up: set[date | str | None] = set()
        self._lock = threading.Lock()
        if as_of:  # fail early if the snapshot of a command does not exist
            self.data()

    def data(self, as_of: date | str | None = None) -> Data:
        """Return the data of the current snapshot, or of the one with a day or id.

        Raises:
            NothingPublishedError: the snapshot does not exist.
            DamagedError: its catalog is damaged.
            ObjectStoreError: it was not read before, and the object store cannot be reached.
        """
        chosen = as_of or self.as_of
        with self._lock:
            checked_at, data = self._opened.get(chosen, (float("-inf"), None))
            if data and (time.monotonic() - checked_at <= REFRESH_SECONDS or chosen in self._looked_up):
                self._opened.move_to_end(chosen)
                return data
            self._looked_up.add(chosen)
        try:
            reader = self._reader(chosen, was_read=data is not None)
        except ObjectStoreError as error:
            if data is None:
                raise
            log.warning("The newest snapshot cannot be looked up, so pages show the last one: %s", error)
            reader = data.reader
        finally:
            with self._lock:
                self._looked_up.discard(chosen)
        with self._lock:
            held = {one.catalog.snapshot: one for _, one in self._opened.values()}
            data = held.get(reader.catalog.snapshot) or Data(reader)
            self._opened[chosen] = time.monotonic(), data
            self._opened.move_to_end(chosen)
            while len(self._opened) > SNAPSHOTS_KEPT:
                self._opened.popitem(last=False)
            return data

    def _reader(self, chosen: date | str | None, was_read: bool) -> SnapshotReader:
        try:
            return self.installation.reader(chosen)
        except NothingPublishedError as error:
            if chosen or not was_read:  # an older snapshot may have expired
                raise
            raise DamagedError(f"{CATALOG} is gone: check that the data folder still exists") from error
