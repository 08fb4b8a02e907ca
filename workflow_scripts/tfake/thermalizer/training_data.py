"""What a thermalizer learns from."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from tfake.sources.pairs import Pair
from tfake.thermalizer.patch_bank import PatchBank
from tfake.thermalizer.prior_table import Prior, PriorTable


@dataclass(frozen=True)
class TrainingData:
    """What a run learns from.

    Attributes:
        pairs: the paired images.
        pair_subjects: who is on each; nobody is both trained and validated on.
        pair_values: what their thermal images hold, ``celsius`` or ``relative``.
        supervision: what radiometric pairs are trusted for, ``absolute`` or ``within_class``.
        sources: (rgb (H, W, 3) uint8, classes (H, W) uint8) of the unpaired images.
        bank: patches of real thermal images.
        prior: the table of the temperature prior.
        ambient_celsius: lowest and highest temperature of the rooms trained for; equal for one room.
        read_prior_at_celsius: see ``PriorTable.at``.
    """

    pairs: Sequence[Pair]
    pair_subjects: Sequence[str]
    pair_values: str
    supervision: str
    sources: Sequence[tuple[np.ndarray, np.ndarray]]
    bank: PatchBank
    prior: PriorTable
    ambient_celsius: tuple[float, float]
    read_prior_at_celsius: float | None = None

    def prior_at(self, ambient_celsius: float) -> Prior:
        """What the prior says for a room."""
        return self.prior.at(ambient_celsius, self.read_prior_at_celsius)

    @property
    def middle_celsius(self) -> float:
        """The middle of the rooms, taken for pairs that do not tell theirs."""
        return sum(self.ambient_celsius) / 2
