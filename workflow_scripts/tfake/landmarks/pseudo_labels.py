"""Faces of somebody's own camera with the points that a landmarker is sure of itself: labels that nobody made.

Pictures are gone through twice. First faces are looked for, in films from frame to frame; then as many as are wanted,
from all over the folder, are looked at once more from several sides (:mod:`tfake.landmarks.face_views`). A point counts
where all answers meet, and a face where most of its points do and where it lies where its track has it.
"""

from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import NamedTuple

import numpy as np

from tfake.core.codes import BOTH_POINTS, LANDMARKS
from tfake.imaging.crops import Box, build_pyramid
from tfake.landmarks.face_views import VIEWS, Consensus, consensus, look
from tfake.landmarks.inputs import Picture, Pictures, Unreadable, list_files, open_pictures
from tfake.landmarks.landmarker import VALID_SIGMA, ThermalLandmarker
from tfake.landmarks.point_finder import PointFinder
from tfake.landmarks.preprocessing import preprocess
from tfake.landmarks.real_faces import REAL, cut_crop, split_by_subject
from tfake.landmarks.real_labelling import subject_of
from tfake.landmarks.video import VideoFrame, track_video
from tfake.thermal_io.films import DEFAULT_RATE
from tfake.thermal_io.pictures import turn_upright
from tfake.thermal_io.scales import Scale
from tfake.training.training_faces import MESH_WEIGHT, Levels, TrainingFace


@dataclass(frozen=True)
class LabelSettings:
    """When a landmarker's own answers are believed. Lengths are over sqrt(w h) of the face's box.

    Attributes:
        most_faces: faces to learn from and to check on, at most.
        point_spread: standard deviation between the answers on a point's views from which on it does not count.
        least_points: fraction of a face's points that have to count.
        from_track: how far the points may be from where the face's track has them, on the average.
        least_pixels: sqrt(w h) of the smallest face.
    """

    most_faces: int = 400
    point_spread: float = 0.03
    least_points: float = 0.6
    from_track: float = 0.05
    least_pixels: float = 16.0


class FoundFace(NamedTuple):
    """A face that was found in the first pass.

    Attributes:
        file: its number in the folder.
        picture: its number among the file's readable ones.
        name: of the picture.
        subject: who it is, as far as anybody knows.
        track: its number in a film; -1 in a picture.
        points: (L, 2) pixels of the upright picture, smoothed in a film.
    """

    file: int
    picture: int
    name: str
    subject: str
    track: int
    points: np.ndarray


@dataclass(frozen=True, eq=False)
class PseudoFace:
    """A face with points that nobody set.

    Attributes:
        found: what it was in the first pass.
        shown: (H, W, 3) float32 in 0..1, what surrounds it as the landmarker sees it.
        corner: (2,) left and top of it in the upright picture.
        box: left, top, right, bottom of its points in ``shown``.
        celsius: (h, w) float16 °C; relative values are spread over 20 to 40.
        points: (L, 2) float32 pixels of ``celsius``.
        sigma: (L,) float32 pixels of it.
        is_sure: (L,) bool: which points count.
        verdict: ``sure``; or why it is nothing to learn from: ``points``, ``track`` or ``size``.
    """

    found: FoundFace
    shown: np.ndarray
    corner: np.ndarray
    box: Box
    celsius: np.ndarray
    points: np.ndarray
    sigma: np.ndarray
    is_sure: np.ndarray
    verdict: str

    @property
    def weights(self) -> np.ndarray:
        """(L,) float32 how much each point counts in a training: of a network for both sets, either set alike."""
        weights = self.is_sure.astype(np.float32)
        if len(weights) == BOTH_POINTS:
            weights[LANDMARKS:] *= np.float32(MESH_WEIGHT)
        return weights

    def to_learn_from(self) -> TrainingFace:
        """The face as a training crops it."""
        levels: dict[str, Levels] = {"thermal": build_pyramid(self.celsius.astype(np.float32)), "foreground": ()}
        return TrainingFace(self.points, self.weights, self.celsius.shape, (REAL,), lambda kind, variant: levels[kind])


def find_all(
    folder: str | Path,
    landmarker: ThermalLandmarker,
    rate: float | None = None,
    scale: Scale | None = None,
    subjects: str | None = None,
) -> tuple[list[FoundFace], dict[str, int]]:
    """Look for the faces of a folder, or of one file.

    Args:
        folder: pictures and films of any format that is read.
        landmarker: what finds faces.
        rate: frames a second, where films do not tell.
        scale: what numbers are declared to be; None: what their type says.
        subjects: a regular expression whose first group, or whole match, is who is on a picture, by its name; None:
            each film, and each picture, is one of its own.

    Returns:
        The faces, by file and picture; and counts of ``pictures`` and ``unreadable``.

    Raises:
        FileNotFoundError: it is not there.
        ValueError: a folder without pictures, or a name without a subject.
    """
    found: list[FoundFace] = []
    counts: Counter[str] = Counter(pictures=0, unreadable=0)
    for number, (name, path) in enumerate(files_of(folder)):
        pictures = open_pictures(path, scale=scale, strict=False)
        subject = subject_of(name, subjects, name)
        names: list[str] = []
        if pictures.count == 1:
            for place, (picture, upright) in enumerate(readable(pictures)):
                faces = landmarker.process(upright, sliding_window=True, multi=True, mode=picture.mode)
                found += [FoundFace(number, place, name, subject, -1, points) for points in faces.landmarks]
                names.append(name)
        else:
            for answer in track_video(landmarker, _frames(pictures, rate, names)):
                found += [
                    FoundFace(number, answer.frame, f"{name}#{names[answer.frame]}", subject, track, points)
                    for points, track, observed in zip(
                        answer.faces.landmarks, answer.track_ids.tolist(), answer.observed, strict=True
                    )
                    if observed
                ]
        counts["pictures"] += len(names)
        counts["unreadable"] += len(pictures.unreadable)
    return found, dict(counts)


def label_faces(
    folder: str | Path,
    found: Sequence[FoundFace],
    finder: PointFinder,
    settings: LabelSettings,
    scale: Scale | None = None,
) -> Iterator[PseudoFace]:
    """Look at found faces from several sides, and say of each whether it is one to learn from.

    Args:
        folder: as ``find_all`` took it.
        found: some of what it gave, in its order.
        finder: the network that is to be adapted, with all of its points.
        settings: when it is believed.
        scale: as ``find_all`` took it.

    Yields:
        Each face.
    """
    wanted: dict[tuple[int, int], list[FoundFace]] = {}
    for face in found:
        wanted.setdefault((face.file, face.picture), []).append(face)
    files = {face.file for face in found}
    window = "scene" if finder.thermal_stretch else "fixed"
    for number, (_, path) in enumerate(files_of(folder)):
        if number not in files:
            continue
        for place, (picture, upright) in enumerate(readable(open_pictures(path, scale=scale, strict=False))):
            faces = wanted.get((number, place), [])
            if faces:
                shown = preprocess(upright, picture.mode, window)
                yield from (_label(face, picture, upright, shown, finder, settings) for face in faces)


def split_found(found: Sequence[FoundFace], share: float) -> tuple[list[FoundFace], list[FoundFace]]:
    """Part faces into those to learn from and those to check on.

    No subject is in both; of a single one, the last pictures are what is checked on.
    """
    learnt, held = split_by_subject(found, share)
    if learnt and not held:
        stop = len(learnt) - round(share * len(learnt))
        # What one picture shows stays together.
        while 0 < stop < len(learnt) and _place_of(learnt[stop - 1]) == _place_of(learnt[stop]):
            stop -= 1
        learnt, held = learnt[:stop], learnt[stop:]
    return learnt, held


def choose_evenly(found: Sequence[FoundFace], most: int, run: int = 1) -> list[FoundFace]:
    """At most so many faces at equal distances, in runs of some that follow each other, by track."""
    ordered = sorted(found, key=lambda face: (face.file, face.track, face.picture))
    runs = [ordered[start : start + run] for start in range(0, len(ordered), run)]
    count = min(max(1, most // run), len(runs))
    places = np.unique(np.linspace(0, len(runs) - 1, count).round().astype(int)) if runs else []
    return [face for place in places for face in runs[place]]


def _place_of(face: FoundFace) -> tuple[int, int]:
    return face.file, face.picture


def judge(answer: Consensus, tracked: np.ndarray, settings: LabelSettings) -> tuple[np.ndarray, str]:
    """Which points of a face count, and the verdict on the face.

    Args:
        answer: what its views come to.
        tracked: (K, 2) where its first K points, or all, were found before.
        settings: when it is believed.

    Returns:
        (L,) bool and a verdict as of ``PseudoFace``.
    """
    size = answer.size
    is_sure = (answer.spread < settings.point_spread * size) & (answer.sigma < VALID_SIGMA * size)
    count = min(len(tracked), len(answer.points))
    away = np.linalg.norm(answer.points[:count] - tracked[:count], axis=1).mean()
    if size < settings.least_pixels:
        return is_sure, "size"
    if is_sure.mean() < settings.least_points:
        return is_sure, "points"
    return is_sure, "sure" if away <= settings.from_track * size else "track"


def _label(
    face: FoundFace,
    picture: Picture,
    upright: np.ndarray,
    shown: np.ndarray,
    finder: PointFinder,
    settings: LabelSettings,
) -> PseudoFace:
    box = (*face.points.min(axis=0).tolist(), *face.points.max(axis=0).tolist())
    # A network for both sets learnt on crops around all of its points: around the 70 alone, it answers lower.
    around_all = consensus(look(finder, shown, box, VIEWS[:1])).box
    answer = consensus(look(finder, shown, around_all, VIEWS))
    is_sure, verdict = judge(answer, face.points, settings)
    is_relative = picture.mode != "temperature"
    # What has no number is black when it is looked at, too.
    numbers = np.where(np.isfinite(upright), upright, np.nanmin(upright)).astype(np.float32)
    celsius, points = cut_crop(numbers, is_relative, answer.points)
    zoom = float(np.ptp(points, axis=0).max() / np.ptp(answer.points, axis=0).max())
    near, corner = _surroundings(shown, box)
    return PseudoFace(
        face,
        near,
        corner,
        tuple((np.array(box) - np.tile(corner, 2)).tolist()),
        celsius,
        points,
        answer.sigma * np.float32(zoom),
        is_sure,
        verdict,
    )


def _surroundings(shown: np.ndarray, box: Box) -> tuple[np.ndarray, np.ndarray]:
    """A face's picture cut down to what windows on it and beside it see, and its left top corner in the picture."""
    middle, half = (np.array(box[:2]) + box[2:]) / 2, 2.0 * max(box[2] - box[0], box[3] - box[1])
    low = np.maximum(np.floor(middle - half), 0).astype(int)
    high = np.minimum(np.ceil(middle + half), shown.shape[1::-1]).astype(int)
    return np.ascontiguousarray(shown[low[1] : high[1], low[0] : high[0]]), low


def files_of(folder: str | Path) -> list[tuple[str, Path]]:
    """Names and paths of the pictures and films of a folder, or of the one that is given."""
    folder = Path(folder)
    if not folder.exists():
        raise FileNotFoundError(f"{folder}: no such image, folder or video")
    if not folder.is_dir():
        return [(folder.name, folder)]
    return [(file.relative_to(folder).as_posix(), file) for file in list_files(folder)[0]]


def readable(pictures: Pictures) -> Iterator[tuple[Picture, np.ndarray]]:
    """Pictures that a landmarker takes, and their images upright; of the others it is noted why not."""
    for picture in pictures.items:
        upright = turn_upright(picture.image, picture.orientation)
        reason = _why_not(picture, upright)
        if reason is not None:
            pictures.unreadable.append(Unreadable(picture.name, reason))
            continue
        yield picture, upright


def _why_not(picture: Picture, upright: np.ndarray) -> str | None:
    """Why a picture is nothing to look at; None where it is."""
    if upright.ndim != 2:
        return f"expected a thermal picture, found {'; '.join(picture.interpretation.assumed)}"
    try:
        preprocess(upright, picture.mode)
    except ValueError as error:
        return str(error)
    return None


def _frames(pictures: Pictures, rate: float | None, names: list[str]) -> Iterator[VideoFrame]:
    for number, (picture, upright) in enumerate(readable(pictures)):
        seconds = number / (rate or pictures.rate or DEFAULT_RATE)
        names.append(picture.name)
        yield VideoFrame(upright, seconds if picture.time_seconds is None else picture.time_seconds, picture.mode)
