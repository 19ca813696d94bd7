"""Hot spots under any filters: Getis-Ord Gi* as the Spark job has it by year and class, and its chance."""

import numpy as np
import numpy.typing as npt

from chicago_crime.analysis.expected import Floats

Counts = npt.NDArray[np.int64]

RATES = (0.01, 0.05)
"""Which share of the cells that are called hot or cold may be so by chance: in dark colors, and in all.

As Caldas de Castro and Singer (2006) use the procedure of Benjamini and Hochberg for Gi*.
"""

WHAT_HOT_MEANS = (
    "A cell is hot (or cold) if it and its eight neighbors together have more (or fewer) of these crimes than they "
    "would if the cells' counts lay anywhere in the study area. Of the cells that are marked, at most 5 % are expected "
    "to be so by chance, and at most 1 % of the dark ones: the threshold takes into account how many are tested."
)


def gi_star(cells: Counts, crimes: Counts) -> tuple[Floats, Counts, Floats]:
    """Getis-Ord Gi* over a cell and its up to eight neighbors in the study area, as in the table `hot_spots`.

    Returns:
        The z-score of each cell (0 where counts do not vary), the crimes in its neighborhood, and their two-sided
        p-value if the counts of all cells lay anywhere.
    """
    if not crimes.size:
        return np.empty(0), crimes, np.empty(0)
    corner = cells.min(axis=1, keepdims=True) - 1
    x, y = cells - corner
    shape = (x.max() + 2, y.max() + 2)
    count, is_cell = np.zeros(shape), np.zeros(shape)
    count[x, y], is_cell[x, y] = crimes, 1
    near, cells_near = (
        sum(grid[x + dx, y + dy] for dx in (-1, 0, 1) for dy in (-1, 0, 1)) for grid in (count, is_cell)
    )
    n, mean, deviation = len(crimes), crimes.mean(), crimes.std()
    scale = deviation * np.sqrt((n * cells_near - cells_near**2) / max(n - 1, 1))
    z = np.divide(near - mean * cells_near, scale, out=np.zeros(n), where=scale > 0)
    near = np.asarray(near, dtype=np.int64)
    return z, near, _p_by_chance(crimes, near, np.asarray(cells_near, dtype=np.int64))


def _p_by_chance(crimes: Counts, near: Counts, cells_near: Counts) -> Floats:
    """The p-values of sums of as many cells, drawn with replacement: rare crimes are far from a normal distribution."""
    p, of_one = np.ones(len(crimes)), np.bincount(crimes) / len(crimes)
    for cells in np.unique(cells_near):
        size = int(cells * crimes.max() + 1)
        of_sum = np.fft.irfft(np.fft.rfft(of_one, size) ** cells, size)
        is_such = cells_near == cells
        at_most, exactly = np.cumsum(of_sum)[near[is_such]], of_sum[near[is_such]]
        p[is_such] = np.clip(2 * np.minimum(at_most, 1 - at_most + exactly), 0, 1)
    return p
