"""Maps of overlapping tiles put together to one of the whole frame."""

from __future__ import annotations

from collections.abc import Iterable

import numpy as np
from numpy.typing import NDArray

from .crops import Look

Map = NDArray[np.float32]


def mosaic(tiles: Iterable[tuple[Look, Map, Map]], size: tuple[int, int], step: int) -> Map:
    """(h, w) means of what tiles say of each cell of a frame.

    Args:
        tiles: each with the (h, w) values of its cells, and their weights.
        size: (height, width) of the frame.
        step: pixels a side of a cell.
    """
    total = np.zeros((2, -(-size[0] // step), -(-size[1] // step)), np.float32)
    for look, values, weights in tiles:
        # Rounded up: the last tile ends with the frame, and its last cells with the map.
        row, column = -(-look.top // step), -(-look.left // step)
        cell = total[:, row : row + values.shape[0], column : column + values.shape[1]]
        rows, cols = cell.shape[1:]
        cell[0] += (values * weights)[:rows, :cols]
        cell[1] += weights[:rows, :cols]
    mean: Map = total[0] / np.maximum(total[1], 1e-6)
    return mean
