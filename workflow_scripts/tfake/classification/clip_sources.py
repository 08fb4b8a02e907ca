"""Where the clips of a study come from, divided into parts: the same for training and for scoring."""

import logging
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Any

from tfake.classification.face_clips import ATTRIBUTES, FaceClip, clips_of_sequences
from tfake.classification.labelled_sets import labelled_clips
from tfake.classification.people_parts import fractions_of, split_by_class, split_sequences
from tfake.reader.sequences import SequenceDataset, open_sequences

#: What is learnt from; regimes of an attribute that real sets have.
REGIMES = ("synthetic", "hybrid", "real")
Parts = Mapping[str, Sequence[FaceClip]]


@dataclass(frozen=True)
class ClipSources:
    """Sequences and labelled sets; plain values, so that they can be sent to other processes.

    Attributes:
        attribute: ``expression`` or ``apparent_sex``.
        sequences: the folder of a run that holds sequences.
        sets: ``kind``, ``path``, ``labels`` and ``values`` of real sets, by name.
        validation_share: fraction of the people who choose the weights.
        test_share: fraction of the people who are tested.
        split_seed: of the division.
    """

    attribute: str
    sequences: str
    sets: Mapping[str, Mapping[str, Any]]
    validation_share: float
    test_share: float
    split_seed: int

    @cached_property
    def classes(self) -> tuple[str, ...]:
        """Names of the classes: of expressions, those that the store has."""
        known = ATTRIBUTES[self.attribute]
        if self.attribute != "expression":
            return known
        there = {sequence["expression"] for sequence in self._opened.attributes["sequences"]}
        return tuple(name for name in known if name in there)

    @cached_property
    def synthetic(self) -> Parts:
        """Clips of the sequences by part.

        Raises:
            ValueError: a part would be without people.
        """
        if self.attribute == "expression":
            parts = split_sequences(self._opened, self._fractions, self.split_seed)
            return {name: clips_of_sequences(part, self.attribute, self.classes) for name, part in parts.items()}
        clips = clips_of_sequences(self._opened, self.attribute, self.classes)
        return split_by_class(clips, self._fractions, self.split_seed)

    @cached_property
    def real_sets(self) -> Mapping[str, Parts]:
        """Clips of each real set by part.

        Raises:
            FileNotFoundError: a folder is not there; the message says where to ask.
            ValueError: nothing in it can be used, or a part would be without people.
        """
        found = {}
        for name, about in self.sets.items():
            clips, log = labelled_clips(name, about, self.classes)
            logging.info("%s: %s", name, log.summary())
            found[name] = split_by_class(clips, self._fractions, self.split_seed)
        return found

    def real(self, part: str) -> list[FaceClip]:
        """Clips of all real sets in a part."""
        return [clip for parts in self.real_sets.values() for clip in parts[part]]

    def to_learn_from(self, regime: str) -> tuple[list[FaceClip], list[FaceClip], list[FaceClip]]:
        """What a regime learns from, and who chooses its weights.

        Args:
            regime: ``synthetic``, ``hybrid`` or ``real``; without ``synthetic``, real people choose.

        Returns:
            Synthetic clips, real clips, and clips of validation people.

        Raises:
            ValueError: there is no such regime, or there are no real sets for it.
        """
        if regime not in REGIMES:
            raise ValueError(f"expected a regime of {', '.join(REGIMES)}; found {regime!r}")
        if regime == "synthetic":
            return list(self.synthetic["train"]), [], list(self.synthetic["validation"])
        if not self.sets:
            raise ValueError(f"the regime {regime} learns from real sets, and none is named")
        synthetic = list(self.synthetic["train"]) if regime == "hybrid" else []
        return synthetic, self.real("train"), self.real("validation")

    @property
    def _fractions(self) -> dict[str, float]:
        return fractions_of(self.validation_share, self.test_share)

    @cached_property
    def _opened(self) -> SequenceDataset:
        return open_sequences(self.sequences)
