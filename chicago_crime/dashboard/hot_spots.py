"""Hot spots under any filters: Getis-Ord Gi* from counts by cell, as the Spark job computes it per year and class."""

import numpy as np
import numpy.typing as npt

Counts = npt.NDArray[np.int64]

HOT = 1.96
"""The z-score of 95 % confidence."""

WHAT_HOT_MEANS = (
    "A cell is hot (or cold) if it and its eight neighbors together have more (or fewer) of these crimes than chance "
    "alone would explain: Getis-Ord Gi* beyond ±1.96 (95 % confidence) or ±2.58 (99 %)."
)
MANY_TESTS = (
    "Gi* tests thousands of cells at once, so some are hot by chance. The study area is every cell with any crime in "
    "these years."
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
