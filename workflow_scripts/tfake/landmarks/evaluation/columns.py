"""The columns of the paper's table on Charlotte-ThermalFace, and what was published in them."""

from pathlib import Path

import numpy as np
import pandas as pd

COLUMNS = ("High", "Low", "Side", "Front", "Full")
_PUBLISHED = Path(__file__).with_name("published.csv")


def published() -> pd.DataFrame:
    """The published errors: columns ``method``, ``column``, ``nme``."""
    return pd.read_csv(_PUBLISHED, comment="#")


def column_masks(faces: pd.DataFrame, high_above_pixels: float | None) -> dict[str, np.ndarray]:
    """Which faces count in which column.

    Args:
        faces: a row a face, with ``size`` (sqrt(w h) of its box, pixels) and ``view`` (front or side).
        high_above_pixels: size above which a face is High; None takes the median, since the paper does not tell its
            threshold, and its High and Low average to its Full as two halves would.

    Returns:
        (N,) bool for each of ``COLUMNS``.
    """
    size = faces["size"].to_numpy(float)
    threshold = np.median(size) if high_above_pixels is None and len(size) else high_above_pixels
    high = size > threshold if len(size) else np.zeros(0, dtype=bool)
    side = (faces["view"] == "side").to_numpy()
    return {"High": high, "Low": ~high, "Side": side, "Front": ~side, "Full": np.ones(len(faces), dtype=bool)}
