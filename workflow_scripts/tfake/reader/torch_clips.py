"""Clips of sequences for torch's ``DataLoader``: so many frames in a row, as tensors by name."""

from collections.abc import Sequence

import numpy as np
import torch
from torch.utils.data import Dataset

from tfake.reader.dataset_store import DatasetError
from tfake.reader.sequences import SequenceDataset


class TorchClips(Dataset):
    """Clips as dictionaries of tensors; a worker, forked or spawned, opens the files anew."""

    def __init__(
        self, sequences: SequenceDataset, frames: int, stride: int = 1, fields: Sequence[str] = ("thermal",)
    ) -> None:
        """Cut sequences into clips.

        Args:
            sequences: which.
            frames: of a clip.
            stride: from the first frame of a clip to that of the next.
            fields: arrays of the store that come with each clip.

        Raises:
            DatasetError: no clip of so many frames fits, or the stride is below 1.
        """
        if not 1 <= frames <= sequences.frames or stride < 1:
            raise DatasetError(
                f"a clip has 1 to {sequences.frames} frames and a stride of 1 or more; "
                f"found {frames} frames and a stride of {stride}"
            )
        self.sequences = sequences
        self.frames = frames
        self.fields = tuple(fields)
        self._starts = range(0, sequences.frames - frames + 1, stride)

    def __len__(self) -> int:
        """How many clips."""
        return len(self.sequences) * len(self._starts)

    def __getitem__(self, index: int) -> dict:
        """One clip.

        Returns:
            ``sequence_id``, ``subject_id`` (str), ``expression``, ``state``, ``apparent_sex``, ``first_frame`` (int),
            and the fields by name with the frames along axis 0: ``thermal`` (T, 1, H, W) float32 °C, ``rgb``
            (T, 3, H, W) uint8, all others as the store holds them.

        Raises:
            IndexError: there is no such clip.
        """
        if not -len(self) <= index < len(self):
            raise IndexError(f"there are {len(self)} clips; found {index}")
        number, place = divmod(index % len(self), len(self._starts))
        sequence, start = self.sequences[number], self._starts[place]
        clip = {
            "sequence_id": sequence.sequence_id,
            "subject_id": sequence.subject_id,
            "expression": int(sequence.expression),
            "state": int(sequence.state),
            "apparent_sex": int(sequence.apparent_sex),
            "first_frame": start,
        }
        for name in self.fields:
            values = sequence.read(name, slice(start, start + self.frames))
            if name == "thermal":
                values = values[:, None]
            elif name == "rgb":
                values = np.moveaxis(values, -1, 1)
            clip[name] = torch.from_numpy(np.ascontiguousarray(values))
        return clip
