"""The detector's part of an adaptation: pictures to learn from and to check on, and whether faces are lost."""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
import torch

from tfake.detector.detector_adaptation import SHARE, adapt_detector, find_again, settings_for
from tfake.detector.detector_file import detector_from_payload, detector_payload
from tfake.detector.detector_network import DetectorNetwork, NetworkMaps
from tfake.detector.face_detector import ScoreCalibration
from tfake.detector.found_scenes import FoundPicture, look_at
from tfake.landmarks.inputs import Picture, open_pictures
from tfake.landmarks.preprocessing import preprocess
from tfake.landmarks.pseudo_labels import files_of, readable
from tfake.landmarks.real_faces import split_by_subject
from tfake.landmarks.real_labelling import subject_of
from tfake.landmarks.release import Detector, pack_tensors, unpack_tensors
from tfake.thermal_io.scales import Scale

#: Faces that a check needs, and a training.
LEAST_HELD, LEAST_FACES = 6, 12


class AdaptationRefusedError(Exception):
    """The adapted network was worse than the one it came from; nothing is written. The message says in what."""


@dataclass(frozen=True)
class DetectorPart:
    """How a landmarker's detector is adapted.

    Attributes:
        steps: of the training.
        learning_rate: at its peak.
        share: of the way from the old weights to the new ones.
        most_pictures: that are learnt from and checked on, at most.
        lost: fraction of the held-out faces that the old one is sure of, and that may be lost: some are none.
    """

    steps: int = 150
    learning_rate: float = 3e-4
    share: float = SHARE
    most_pictures: int = 400
    lost: float = 0.1


class Shot(NamedTuple):
    """A picture of a folder: its file's number, its number among the file's readable ones, and who is on it."""

    file: int
    picture: int
    subject: str


def adapt_finding(
    folder: str | Path,
    detector: Detector,
    settings: DetectorPart,
    held_out_share: float,
    seed: int,
    device: torch.device,
    scale: Scale | None,
    subjects: str | None,
    say: Callable[[str], None],
) -> tuple[Detector, dict[str, Any]]:
    """Adapt a detector to the pictures of a folder.

    Args:
        folder: pictures and films, or one film.
        detector: to begin with; it stays as it is.
        settings: how.
        held_out_share: fraction of the subjects that are checked on, or of a single one's pictures.
        seed: of the scenes.
        device: where to compute.
        scale: what numbers are declared to be; None: what their type says.
        subjects: as :func:`tfake.landmarks.pseudo_labels.find_all` takes it.
        say: is told what is done, a line each.

    Returns:
        The adapted one, as its file will give it back, with the old calibration; and what was measured.

    Raises:
        ValueError: there are too few faces.
        AdaptationRefusedError: it loses faces.
    """
    network, scores = detector
    shots = _choose([shot for shot, *_ in _shots(folder, scale, subjects)], settings.most_pictures)
    learnt, held = _split(shots, held_out_share)
    old = NetworkMaps(network.to(device), device)
    taught, checked = (_look(folder, part, old, scores, scale, subjects) for part in (learnt, held))
    sure, held_sure = (sum(picture.sure for picture in part) for part in (taught, checked))
    say(f"pictures to find faces in: {len(learnt)} with {sure}; to check on: {len(held)} with {held_sure}")
    check_counts(folder, sure, held_sure)
    run = settings_for(network, steps=settings.steps, learning_rate=settings.learning_rate, seed=seed)
    adapted = _as_written(adapt_detector(network, taught, run, device, settings.share), scores)
    new = NetworkMaps(adapted.to(device), device)
    again = find_again(checked, _look(folder, held, new, scores, scale, subjects))
    say(f"of {again.before} faces found before, {again.again} are found again; {again.more} are found besides")
    if again.again < (1 - settings.lost) * again.before:
        raise AdaptationRefusedError(
            f"{folder}: the adapted detector loses {again.before - again.again} of {again.before} faces of "
            f"{len(held)} held-out pictures, and was not written"
        )
    measured = {"training": run.as_mapping(), "pictures": len(learnt), "faces": sure, "held_out": again._asdict()}
    return (adapted.cpu(), scores), measured


def check_counts(folder: str | Path, learnt: int, held: int) -> None:
    """Raise a ValueError where there are too few faces to learn from, or to check on."""
    for count, least, what in ((learnt, LEAST_FACES, "to learn from"), (held, LEAST_HELD, "to check on")):
        if count < least:
            raise ValueError(
                f"{folder}: too few faces {what}: expected {least} or more that the landmarker is sure of, found "
                f"{count}; give more pictures, or films"
            )


def _shots(folder: str | Path, scale: Scale | None, subjects: str | None) -> Iterator[tuple[Shot, Picture, np.ndarray]]:
    """Each picture that can be looked at, and its image upright."""
    for number, (name, path) in enumerate(files_of(folder)):
        for place, (picture, upright) in enumerate(readable(open_pictures(path, scale=scale, strict=False))):
            yield Shot(number, place, subject_of(name, subjects, name)), picture, upright


def _choose(shots: Sequence[Shot], most: int) -> list[Shot]:
    """At most so many at equal distances."""
    places = np.unique(np.linspace(0, len(shots) - 1, min(most, len(shots))).round().astype(int)) if shots else []
    return [shots[place] for place in places]


def _split(shots: Sequence[Shot], share: float) -> tuple[list[Shot], list[Shot]]:
    """No subject is on both sides; of a single one, the last pictures are held out."""
    learnt, held = split_by_subject(shots, share)
    if learnt and not held:
        stop = len(learnt) - round(share * len(learnt))
        learnt, held = learnt[:stop], learnt[stop:]
    return learnt, held


def _look(
    folder: str | Path,
    wanted: Sequence[Shot],
    maps: NetworkMaps,
    scores: ScoreCalibration,
    scale: Scale | None,
    subjects: str | None,
) -> list[FoundPicture]:
    chosen = set(wanted)
    return [
        look_at(maps, scores, preprocess(upright, picture.mode, "scene"))
        for shot, picture, upright in _shots(folder, scale, subjects)
        if shot in chosen
    ]


def _as_written(network: DetectorNetwork, scores: ScoreCalibration) -> DetectorNetwork:
    """The network as its file gives it back: what is checked is what is used."""
    payload = detector_payload(network, scores)
    return detector_from_payload({**payload, "state": unpack_tensors(pack_tensors(payload["state"]))})[0]
