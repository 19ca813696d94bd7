"""What is loaded, and what there is to choose from. `data.py` finds it out; here is only what it is."""

from dataclasses import dataclass
from datetime import date, timedelta


@dataclass(frozen=True)
class Year:
    """What is loaded of a year: its days from first to last, and the first provisional one if any is."""

    first_day: date
    last_day: date
    provisional_from: date | None
    crimes: int

    @property
    def is_whole(self) -> bool:
        """Whether it reaches its end."""
        return (self.last_day.month, self.last_day.day) == (12, 31)

    @property
    def whole_months(self) -> int:
        """How many of its months are over."""
        return self.last_day.month - (0 if (self.last_day + timedelta(1)).day == 1 else 1)


@dataclass(frozen=True)
class Facts:
    """What is loaded, and what there is to choose from.

    Attributes:
        years: in every table that the pages read.
        incomplete: years that some of these tables have and others lack.
        synthetic: years whose rows are made up.
        types: comparable labels, most frequent first.
        source_types: the source's labels, most frequent first.
        merged: source label -> the comparable label that stands for it, where they differ.
        districts: their numbers.
        areas: number of a community area -> its name.
        sides: number of a community area -> its side of the city.
        residents: (year, community area) -> residents.
        few_residents: the (year, community area) with too few of them for a rate to mean much.
    """

    years: dict[int, Year]
    incomplete: list[int]
    synthetic: list[int]
    types: list[str]
    source_types: list[str]
    merged: dict[str, str]
    districts: list[int]
    areas: dict[int, str]
    sides: dict[int, str]
    residents: dict[tuple[int, int], float]
    few_residents: set[tuple[int, int]]

    @property
    def newest_day(self) -> date:
        """The newest day of a crime."""
        return self.years[max(self.years)].last_day

    @property
    def first_day(self) -> date:
        """The oldest day of a crime."""
        return self.years[min(self.years)].first_day

    @property
    def areas_by_name(self) -> list[tuple[int, str]]:
        """Numbers and names of the community areas, by name."""
        return sorted(self.areas.items(), key=lambda area: area[1])
