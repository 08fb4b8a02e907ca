"""Sequences of procedural people: chosen by what they show, read frame by frame, and split by person."""

import importlib
import os
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Any, Self, overload

import numpy as np

from tfake.core.codes import (
    BODY_TEMPERATURES,
    EXPRESSION_PARAMETERS,
    ApparentSex,
    BodyState,
    ExpressionClass,
    RetargetStatus,
    decode_ids,
)
from tfake.core.extras import needs_extra
from tfake.core.radiometry import decode_counts
from tfake.reader.dataset_store import DatasetError, DatasetStore
from tfake.reader.splits import SPLIT_FRACTIONS, split_parts
from tfake.store.layouts import UNUSED_CODE

#: The store, below the results.
SEQUENCES = "sequences/sequences.zarr"
#: What is known of every frame beside its images.
_CURVES = (
    *("time", "intensity", "expression_parameters", "head_pose", "head_position", "gaze", "body_temperature"),
    *("landmarks_70", "landmarks_478", "landmarks_478_visibility"),
)
_COLUMNS = {"expression_parameters": EXPRESSION_PARAMETERS, "body_temperature": BODY_TEMPERATURES}


@dataclass(frozen=True, eq=False)
class ThermalSequence:
    """One sequence of T frames; images and curves are read when they are asked for.

    Attributes:
        sequence_id: its name.
        subject_id: who is seen.
        look: number of what the person wears.
        expression: what comes and goes in it.
        state: what the body does to the temperatures.
        apparent_sex: of the synthetic person's shape.
        rows: (T,) int, the store's rows.
    """

    sequence_id: str
    subject_id: str
    look: int
    expression: ExpressionClass
    state: BodyState
    apparent_sex: ApparentSex
    rows: np.ndarray
    _store: DatasetStore

    def __len__(self) -> int:
        """How many frames."""
        return len(self.rows)

    def read(self, name: str, frames: Sequence[int] | slice | None = None) -> np.ndarray:
        """One array of some frames.

        Args:
            name: of an array of the store (:func:`tfake.store.layouts.sequences_layout`); ``thermal`` comes in °C.
            frames: numbers of frames, or a slice; None: all.

        Returns:
            (n, ...) as stored; ``thermal`` (n, H, W) float32.

        Raises:
            KeyError: there is no such array.
            IndexError: there is no such frame.
        """
        if isinstance(frames, slice):
            rows = self.rows[frames]
        else:
            rows = self.rows if frames is None else self.rows[np.asarray(frames, dtype=np.intp)]
        values = self._store.rows(f"{SEQUENCES}/{name}", rows)
        return decode_counts(values) if name == "thermal" else values

    def curves(self) -> dict[str, np.ndarray]:
        """What is known of every frame beside its images, by the arrays' names; and each movement and temperature.

        Returns:
            ``time`` (T,) s, ``intensity`` (T,), ``head_pose`` (T, 3), ``gaze`` (T, 2), points, …; beside the arrays
            ``expression_parameters`` and ``body_temperature`` their columns by name, such as ``jaw_degrees`` and
            ``nose_kelvin``.
        """
        found = {name: self.read(name) for name in _CURVES}
        for array, columns in _COLUMNS.items():
            found |= {column: found[array][:, place] for place, column in enumerate(columns)}
        return found


class SequenceDataset:
    """Sequences of a dataset; choosing some gives another of the same kind. It may be sent to other processes."""

    def __init__(self, store: DatasetStore, chosen: np.ndarray | None = None) -> None:
        """Use :func:`open_sequences`.

        Args:
            store: where they lie.
            chosen: (n,) int, which of the sequences that are there; None: all.
        """
        self._store = store
        self._chosen = np.arange(len(self._table["first"])) if chosen is None else chosen

    def __len__(self) -> int:
        """How many sequences."""
        return len(self._chosen)

    def __repr__(self) -> str:
        """Sequences, people, frames and where they lie."""
        people = len(set(self.subject_ids))
        return f"{len(self)} sequences of {people} people, {self.frames} frames each, in {self._store.address}"

    @property
    def frames(self) -> int:
        """Frames of a sequence."""
        return int(self.attributes["frames"])

    @property
    def frames_per_second(self) -> float:
        """Rate of the frames."""
        return float(self.attributes["frames_per_second"])

    @cached_property
    def attributes(self) -> dict[str, Any]:
        """The attributes of the store: terms, settings, sequences."""
        return self._store.attributes(SEQUENCES)

    @property
    def sequence_ids(self) -> list[str]:
        """The names of the sequences."""
        return self._table["sequence_id"][self._chosen].tolist()

    @property
    def subject_ids(self) -> list[str]:
        """Who is seen in each."""
        return self._table["subject_id"][self._chosen].tolist()

    def __iter__(self) -> Iterator[ThermalSequence]:
        """The sequences in order."""
        return (self[index] for index in range(len(self)))

    @overload
    def __getitem__(self, index: int) -> ThermalSequence: ...

    @overload
    def __getitem__(self, index: slice) -> Self: ...

    def __getitem__(self, index: int | slice) -> "ThermalSequence | SequenceDataset":
        """One sequence by its index, counted from the end where it is negative, or a slice as a smaller dataset.

        Raises:
            IndexError: there is no such sequence.
        """
        if isinstance(index, slice):
            return type(self)(self._store, self._chosen[index])
        place, table = self._chosen[index], self._table
        return ThermalSequence(
            sequence_id=str(table["sequence_id"][place]),
            subject_id=str(table["subject_id"][place]),
            look=int(table["look"][place]),
            expression=ExpressionClass(table["expression"][place]),
            state=BodyState(table["state"][place]),
            apparent_sex=ApparentSex(table["apparent_sex"][place]),
            rows=table["first"][place] + np.arange(self.frames),
            _store=self._store,
        )

    def where(
        self,
        subjects: Sequence[str] | None = None,
        expressions: Sequence[str] | None = None,
        states: Sequence[str] | None = None,
        looks: Sequence[int] | None = None,
    ) -> Self:
        """The sequences that meet every condition.

        Args:
            subjects: ids of people.
            expressions: names of expressions, such as ``smile``.
            states: names of states, such as ``fever``.
            looks: numbers of looks.

        Raises:
            DatasetError: there is no expression or state of this name.
        """
        kept = np.ones(len(self), bool)
        if subjects is not None:
            kept &= np.isin(self.subject_ids, list(subjects))
        if looks is not None:
            kept &= np.isin(self._table["look"][self._chosen], list(looks))
        for column, codes, wanted in (("expression", ExpressionClass, expressions), ("state", BodyState, states)):
            if wanted is None:
                continue
            known = {code.name.lower(): int(code) for code in codes}
            if unknown := [name for name in wanted if name not in known]:
                raise DatasetError(f"{unknown[0]!r} is no {column}; they are {', '.join(known)}")
            kept &= np.isin(self._table[column][self._chosen], [known[name] for name in wanted])
        return type(self)(self._store, self._chosen[kept])

    def split(self, name: str, fractions: Mapping[str, float] = SPLIT_FRACTIONS, seed: int = 0) -> Self:
        """The sequences of one part of a split: nobody is in two parts.

        A person's part follows from the seed and the person's id alone; parts of few people deviate from the fractions.

        Args:
            name: ``train``, ``validation`` or ``test``, or a name in ``fractions``.
            fractions: name to fraction of the people, adding up to 1.
            seed: another seed, another split.

        Raises:
            DatasetError: there is no part of this name, or the fractions do not add up to 1.
        """
        if name not in fractions:
            raise DatasetError(f"{name!r} is no part of the split; they are {', '.join(fractions)}")
        ids = self._table["subject_id"]
        _, person = np.unique(ids, return_inverse=True)
        parts = split_parts(ids, person, fractions, seed)
        return type(self)(self._store, self._chosen[parts[self._chosen] == list(fractions).index(name)])

    def torch(self, frames: int, stride: int = 1, fields: Sequence[str] = ("thermal",)) -> Any:
        """Clips for torch's ``DataLoader``: a :class:`tfake.reader.torch_clips.TorchClips`.

        Args:
            frames: of a clip.
            stride: from the first frame of a clip to that of the next.
            fields: arrays of the store that come with each clip.

        Raises:
            ModuleNotFoundError: torch is not installed.
            DatasetError: no clip of so many frames fits.
        """
        with needs_extra("torch", "clips for torch"):
            return importlib.import_module("tfake.reader.torch_clips").TorchClips(self, frames, stride, fields)

    @cached_property
    def _table(self) -> dict[str, np.ndarray]:
        """What is known of each sequence that is there, by its first row."""
        first = np.arange(len(self.attributes["sequences"])) * self.frames
        codes = {
            name: self._store.rows(f"{SEQUENCES}/{name}", first)
            for name in ("expression", "state", "apparent_sex", "look")
        }
        # A run that is not finished leaves other sequences empty.
        made = codes["expression"] != UNUSED_CODE
        # Stills that could not be set in motion have rows without a picture, or without a motion.
        if self._store.has(f"{SEQUENCES}/status/zarr.json"):
            made &= self._store.rows(f"{SEQUENCES}/status", first) < RetargetStatus.NO_IMAGE
        ids = {
            name: np.array(list(decode_ids(self._store.rows(f"{SEQUENCES}/{name}", first[made]))), dtype=str)
            for name in ("sequence_id", "subject_id")
        }
        return {"first": first[made], **{name: values[made] for name, values in codes.items()}, **ids}


def open_sequences(address: str | os.PathLike) -> SequenceDataset:
    """Open the sequences of a run.

    Args:
        address: a folder that holds ``sequences/sequences.zarr``, a zip of such a folder, or an fsspec URL of either.

    Raises:
        DatasetError: there is no such store.
    """
    return SequenceDataset(DatasetStore(address, holds=SEQUENCES))
