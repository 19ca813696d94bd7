"""The source `sample`: synthetic years, drawn from the shape of real ones.

Here belongs the source itself. What it draws from is in `sample_profile.py`, how rows come about in `sample_rows.py`
and `sample_blocks.py`, and the dirt that it adds on request in `sample_dirt.py`. No row is anybody's crime.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from pathlib import Path

import numpy as np

from chicago_crime.sources.base import CrimeSource, Expected, Progress, SourceError, SourceFile, no_progress
from chicago_crime.sources.sample.dirt import soil
from chicago_crime.sources.sample.rows import MOST_ROWS, REPORTED_AFTER_DAYS, plan_year, write_rows
from chicago_crime.tables.years import FIRST_YEAR


@dataclass(frozen=True)
class SampleSource(CrimeSource):
    """Writes synthetic years. The same seed, year and size give the same bytes, for every year that is long over.

    Attributes:
        rows: rows of a whole year; None for as many as the City had.
        seed: another seed, other rows.
        dirt: whether every known kind of dirt is added.
        newest: the day that the snapshot is of; None for today. Only the current year and the one before depend on it.
    """

    rows: int | None = 20_000
    seed: int = 1
    dirt: bool = False
    newest: date | None = None
    name = "sample"

    def years(self) -> list[int]:
        """See `CrimeSource.years`."""
        return list(range(FIRST_YEAR, (self._newest - timedelta(REPORTED_AFTER_DAYS)).year + 1))

    def fetch(self, year: int, directory: Path, progress: Progress = no_progress) -> SourceFile:
        """See `CrimeSource.fetch`."""
        if self.rows is not None and not 1 <= self.rows <= MOST_ROWS:
            raise SourceError(f"CHICAGO_CRIME_SAMPLE_ROWS is {self.rows:,}: a sample year has 1 to {MOST_ROWS:,} rows")
        if year not in self.years():
            raise SourceError(f"the sample has no year {year}: it has {FIRST_YEAR} to {self.years()[-1]}")
        rng = np.random.default_rng((self.seed, year))
        plan = plan_year(year, self.rows, self._newest, rng)
        path = directory / f"synthetic_crimes_{year}.csv"
        with path.open("wb") as file:
            write_rows(plan, rng, file, progress)
        details: dict[str, str | int | bool] = {"seed": self.seed, "rows": int(plan.rows.sum()), "dirt": self.dirt}
        if self.dirt:
            path, counts = soil(path, year)
            details |= {f"dirt_{kind}": count for kind, count in counts.items()}
        origin = f"SYNTHETIC sample: {plan.rows.sum():,} rows drawn with seed {self.seed}{', dirty' * self.dirt}"
        return SourceFile(path, origin, synthetic=True, details=details)

    def expect(self, years: Sequence[int]) -> dict[int, Expected]:
        """See `CrimeSource.expect`. The rows are those that will be written; dirt adds a few."""
        found = {}
        for year in set(years) & set(self.years()):
            plan = plan_year(year, self.rows, self._newest, np.random.default_rng((self.seed, year)))
            found[year] = Expected("SYNTHETIC rows", rows=int(plan.rows.sum()))
        return found

    @property
    def _newest(self) -> date:
        return self.newest or date.today()
