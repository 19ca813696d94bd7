"""Hot spots under any filters: Getis-Ord Gi* as in the Spark job, and its p-values."""

import numpy as np
import numpy.typing as npt

from chicago_crime.analysis.expected import Floats

Counts = npt.NDArray[np.int64]

RATES = (0.01, 0.05)
"""False discovery rates of hot and cold cells: dark colors, and all.

Benjamini-Hochberg procedure for Gi*, as in Caldas de Castro and Singer (2006).
"""

WHAT_HOT_MEANS = (
    "A cell is hot (or cold) if it and its eight neighbors together have more (or fewer) of these crimes than expected "
    "if the count of each cell were drawn at random from those of the study area. At most 5% of the marked cells, and "
    "1% of the dark ones, are expected to be chance: the threshold accounts for the number of cells tested."
)


def gi_star(cells: Counts, crimes: Counts) -> tuple[Floats, Counts, Floats]:
    """Compute Getis-Ord Gi* over each cell and its neighbors in the study area, as in the table `hot_spots`.

    Returns:
        The z-score of each cell (0 where counts do not vary), the crimes in its neighborhood, and their two-sided
        p-value if each count were drawn at random from those of all cells.
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
    """Return p-values from sums of as many cells, drawn with replacement: rare crimes are not normally distributed."""
    p, one_cell = np.ones(len(crimes)), np.bincount(crimes) / len(crimes)
    for cells in np.unique(cells_near):
        size = int(cells * crimes.max() + 1)
        several_cells = np.fft.irfft(np.fft.rfft(one_cell, size) ** cells, size)
        has_size = cells_near == cells
        at_most, exactly = np.cumsum(several_cells)[near[has_size]], several_cells[near[has_size]]
        p[has_size] = np.clip(2 * np.minimum(at_most, 1 - at_most + exactly), 0, 1)
    return p
