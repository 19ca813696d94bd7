"""Hot spots under any filters: Getis-Ord Gi* from counts by cell, as the Spark job computes it per year and class."""

import numpy as np
import numpy.typing as npt

Counts = npt.NDArray[np.int64]

RATES = (0.01, 0.05)
"""Which share of the cells that are called hot or cold may be so by chance: in dark colors, and in all.

As Caldas de Castro and Singer (2006) use the procedure of Benjamini and Hochberg for Gi*.
"""

LEAST_CELLS = 30
"""In a smaller study area, Gi* is not near enough to a normal distribution."""

WHAT_HOT_MEANS = (
    "A cell is hot (or cold) if it and its eight neighbors together have more (or fewer) of these crimes than chance "
    "alone would explain (Getis-Ord Gi*). Of the cells that are marked, at most 5 % are expected to be so by chance, "
    "and at most 1 % of the dark ones: Gi* tests thousands of cells, which the threshold takes into account."
)


def gi_star(cells: Counts, crimes: Counts) -> tuple[npt.NDArray[np.float64], Counts]:
    """Getis-Ord Gi* over a cell and its up to eight neighbors in the study area, as in the table `hot_spots`.

    Returns:
        The z-score of each cell (0 where counts do not vary), and the crimes in its neighborhood.
    """
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
    return z, np.asarray(near, dtype=np.int64)
