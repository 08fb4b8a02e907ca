"""Pictures held to the temperatures of a variant, class by class.

A model of pictures knows gray values, not temperatures. What can be put right is each class's mean over all pictures:

    T_c' = T_c + (mean of the variant's T_c - mean of the pictures' T_c)

over the pixels of class c of the same rows. How pictures differ from one another stays; edges between classes move.
"""

from collections.abc import Iterable, Mapping

import numpy as np

from tfake.core.classes import LABELLED_CLASSES, FaceClass

#: Pixels of a class, over all pictures, from which its mean is trusted.
LEAST_PIXELS = 64


class ClassMeans:
    """Running means by class."""

    def __init__(self) -> None:
        """Begin with nothing."""
        self._sums = np.zeros(len(LABELLED_CLASSES))
        self._counts = np.zeros(len(LABELLED_CLASSES), np.int64)

    def add(self, celsius: np.ndarray, classes: np.ndarray) -> None:
        """Add an image, (H, W) °C, and its class map; pixels without a temperature or a class do not count."""
        known = np.isfinite(celsius) & (classes < len(LABELLED_CLASSES))
        self._sums += np.bincount(classes[known], celsius[known], len(LABELLED_CLASSES))
        self._counts += np.bincount(classes[known], minlength=len(LABELLED_CLASSES))

    @property
    def means(self) -> dict[FaceClass, float]:
        """°C of each class that has enough pixels."""
        return {
            kind: float(self._sums[kind] / self._counts[kind])
            for kind in LABELLED_CLASSES
            if self._counts[kind] >= LEAST_PIXELS
        }


def find_offsets(
    pictures: Iterable[np.ndarray], references: Iterable[np.ndarray], classes: Iterable[np.ndarray]
) -> dict[FaceClass, float]:
    """What to add to each class.

    Args:
        pictures: (H, W) °C each, generated.
        references: the variant's images of the same rows, (H, W) °C; where either has no temperature, neither counts.
        classes: their class maps, (H, W).

    Returns:
        Kelvins by class; of a class with too few pixels nothing.
    """
    found, wanted = ClassMeans(), ClassMeans()
    for picture, reference, kinds in zip(pictures, references, classes, strict=True):
        known = np.isfinite(picture) & np.isfinite(reference)
        found.add(np.where(known, picture, np.nan), kinds)
        wanted.add(np.where(known, reference, np.nan), kinds)
    means = found.means
    return {kind: wanted.means[kind] - mean for kind, mean in means.items() if kind in wanted.means}


def recalibrate(celsius: np.ndarray, classes: np.ndarray, offsets: Mapping[FaceClass, float]) -> np.ndarray:
    """Add each class's offset: (H, W) float32 °C."""
    table = np.zeros(256, np.float32)
    for kind, offset in offsets.items():
        table[kind] = offset
    return (celsius + table[classes]).astype(np.float32)
