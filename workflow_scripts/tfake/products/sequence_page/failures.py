"""What went wrong in sequences: those that were not rendered, frames without temperatures, places that are not read."""

from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

import numpy as np

from tfake.core.codes import PointState, sequence_name
from tfake.products.sequence_page.place_traces import PlaceTrace
from tfake.reader.sequences import SequenceDataset, ThermalSequence


@dataclass(frozen=True)
class Failure:
    """Something that some frames of a sequence suffer from.

    Attributes:
        sequence_id: which sequence.
        frames: how many of its frames.
        status: in words.
        reason: in words.
        is_fault: it should not be; otherwise it is what the camera sees.
    """

    sequence_id: str
    frames: int
    status: str
    reason: str
    is_fault: bool


@dataclass(frozen=True)
class UnreadPlace:
    """A place of the face that could not be read for one reason.

    Attributes:
        place: its name.
        reason: in words.
        sequences, frames: in how many.
    """

    place: str
    reason: str
    sequences: int
    frames: int


def find_missing(sequences: SequenceDataset) -> list[Failure]:
    """The sequences of the plan that the store lacks."""
    made = set(sequences.sequence_ids)
    planned = [sequence_name(**planned) for planned in sequences.attributes["sequences"]]
    return [
        Failure(name, sequences.frames, "not rendered", "its shard is not in the store", is_fault=True)
        for name in planned
        if name not in made
    ]


def find_failures(sequence: ThermalSequence, celsius: np.ndarray) -> list[Failure]:
    """What is at fault with the frames of a sequence.

    Args:
        sequence: which.
        celsius: (T, h, w) its temperatures, which may have been shrunk; NaN where there is none.
    """
    without = int((~np.isfinite(celsius)).any(axis=(1, 2)).sum())
    states = sequence.read("landmarks_478_visibility")
    cut = int((states == PointState.OUTSIDE).any(axis=1).sum())
    failures = []
    if without:
        reason = "pixels hold no temperature"
        failures.append(Failure(sequence.sequence_id, without, "without an image", reason, is_fault=True))
    if cut:
        reason = "points of the face lie outside the picture"
        failures.append(Failure(sequence.sequence_id, cut, "cut by the edge", reason, is_fault=False))
    return failures


def count_unread(traces: Iterable[Sequence[PlaceTrace]]) -> list[UnreadPlace]:
    """Places that could not be read, by reason, the most frequent first.

    Args:
        traces: those of each sequence.
    """
    frames: Counter[tuple[str, str]] = Counter()
    sequences: Counter[tuple[str, str]] = Counter()
    for own in traces:
        found = Counter((trace.place, reason) for trace in own for reason in trace.reasons if reason)
        frames.update(found)
        sequences.update(found.keys())
    return [
        UnreadPlace(place.replace("_", " "), reason, sequences[place, reason], count)
        for (place, reason), count in frames.most_common()
    ]
