"""Videos: faces are looked for where they are expected, in the whole picture now and then, and followed.

A search of the whole picture costs more than a known face (docs/landmarks.md has figures), so a frame is searched where
a face has just been lost, or is near or behind another one, where nobody is known, and every few frames for who has
come in.
"""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import replace
from itertools import groupby
from pathlib import Path
from typing import NamedTuple

import cv2
import numpy as np

from tfake.imaging.crops import box_overlap, square_around
from tfake.landmarks import kalman
from tfake.landmarks.inputs import Pictures, Unreadable, open_pictures
from tfake.landmarks.landmarker import LandmarkDetections, ThermalLandmarker
from tfake.landmarks.preprocessing import preprocess
from tfake.landmarks.tracking import (
    HIDDEN,
    FaceTracker,
    Track,
    TrackedFaces,
    TrackingSettings,
    TrackStep,
    estimate,
    gathered,
)
from tfake.thermal_io.films import DEFAULT_RATE
from tfake.thermal_io.pictures import points_as_stored, turn_upright

SMOOTHINGS = ("both", "causal", "none")
SEARCH_EVERY = 5
#: Correlation of two frames' thumbnails below which they are two scenes. Of the feverscreen recordings, in which people
#: come in and go at 9 frames a second, no two frames have less than .71.
_SAME_SCENE = 0.5
_THUMBNAIL, _MIN_CONTRAST, _MIN_BESIDE = (32, 24), 1e-3, 0.2
#: The share of the faces just seen that must be found again where another scene seems to begin: in another crowd, a few
#: are by chance where others were.
_MIN_CONTINUED = 0.5
#: What a face of the whole picture's search must not overlap (over the smaller box) to be one that was not known.
_KNOWN = 0.3


class VideoFrame(NamedTuple):
    """One frame to look at.

    Attributes:
        image: as :meth:`ThermalLandmarker.process` takes it, upright.
        seconds: its time, later than that of the frame before; an earlier one begins another recording.
        mode: as ``process`` takes it.
    """

    image: np.ndarray
    seconds: float
    mode: str = "auto"


class FaceFinder:
    """Finds the faces of one frame after the other: around what a tracker expects, and in the whole picture."""

    def __init__(self, landmarker: ThermalLandmarker, tracker: FaceTracker, search_every: int = SEARCH_EVERY) -> None:
        """Begin before the first frame.

        Raises:
            ValueError: ``search_every`` is below 1.
        """
        if search_every < 1:
            raise ValueError(f"search_every: expected 1 or more frames, found {search_every}")
        self.landmarker, self.tracker = landmarker, tracker
        self._search_every = self._waited = search_every
        self._thumbnail: np.ndarray | None = None
        self._seconds = -np.inf

    def find(self, frame: VideoFrame) -> TrackedFaces:
        """The faces of the next frame, followed.

        Raises:
            ValueError: the image is none that ``process`` takes.
        """
        thumbnail = _thumbnail(frame)
        if frame.seconds <= self._seconds:
            self._begin_anew()
        boxes, just_seen = self.tracker.boxes(frame.seconds)
        # Who is looked for where somebody else is as well would be taken for that one: such faces are searched for.
        alone = np.array([_is_alone(place, boxes) for place in range(len(boxes))], bool)
        looked = self.landmarker.to_whole_face(boxes[alone])
        known = self.landmarker.process(frame.image, mode=frame.mode, boxes=looked)
        is_face = known.score < self.landmarker.threshold * self.tracker.settings.uncertain_ratio
        lost = bool((just_seen[alone] & ~is_face).any())
        crowded = self.tracker.hides_somebody or not alone.all()
        # Somebody who comes in changes a picture as well; but then those who were there are where they were.
        looks_cut = not is_face.any() and not _same_scene(self._thumbnail, thumbnail, _beside(boxes, frame.image.shape))
        self._thumbnail, self._seconds = thumbnail, frame.seconds
        found = _chosen(known, np.flatnonzero(is_face))
        self._waited += 1
        if lost or crowded or looks_cut or self._waited >= self._search_every:
            self._waited = 0
            others = self.landmarker.process(frame.image, sliding_window=True, multi=True, mode=frame.mode)
            new = [
                place
                for place, box in enumerate(others.boxes)
                if all(box_overlap(box, other) <= _KNOWN for other in found.boxes)
            ]
            found = gathered((found, _chosen(others, new)), known.landmarks.shape[1:])
        # Of a crowd nobody is looked for alone; where the camera turned, the search finds them beside where they were.
        if looks_cut and self.tracker.share_found(found, frame.seconds) < _MIN_CONTINUED:
            self.tracker.reset()
        return self.tracker.update(found, frame.seconds)

    def _begin_anew(self) -> None:
        self.tracker.reset()
        self._waited = self._search_every


def track_video(
    landmarker: ThermalLandmarker,
    frames: Iterable[VideoFrame],
    smoothing: str = "both",
    settings: TrackingSettings | None = None,
    search_every: int = SEARCH_EVERY,
) -> Iterator[TrackedFaces]:
    """Follow the faces of a video.

    Args:
        landmarker: what finds them.
        frames: in time.
        smoothing: ``causal`` answers each frame when it was seen, by it and those before it; ``both`` by those behind
            it, too, without any lag, when all have been seen, and in the frames before a face is confirmed and while it
            is hidden for a moment; ``none`` is ``both`` with the points as they were found.
        settings: how faces are followed.
        search_every: after how many frames the whole picture is searched, at least.

    Yields:
        One answer a frame.

    Raises:
        ValueError: an unknown smoothing, or an image that ``process`` does not take.
    """
    if smoothing not in SMOOTHINGS:
        raise ValueError(f"smoothing must be one of {', '.join(SMOOTHINGS)}; found {smoothing!r}")
    tracker = FaceTracker(settings, landmarker.threshold, keeps_history=smoothing != "causal")
    finder = FaceFinder(landmarker, tracker, search_every)
    answers = map(finder.find, frames)
    if smoothing == "causal":
        yield from answers
        return
    times = [answer.time_seconds for answer in answers]
    yield from smoothed_answers(tracker, times, landmarker.n_landmarks, smoothing == "both")


def smoothed_answers(
    tracker: FaceTracker, times: Sequence[float | None], n_landmarks: int, smooths: bool = True
) -> Iterator[TrackedFaces]:
    """All that a tracker has followed, by the frames before and after each.

    Args:
        tracker: which kept its history, after the last frame.
        times: of the frames.
        n_landmarks: points of a face.
        smooths: the points, too; otherwise they stay as they were found, where they were.

    Yields:
        One answer a frame.
    """
    places: list[list[tuple[int, LandmarkDetections, bool]]] = [[] for _ in times]
    for track in tracker.history():
        for frame, face, observed in _smoothed(track, tracker.settings, smooths):
            places[frame].append((track.track_id, face, observed))
    for frame, (seconds, faces) in enumerate(zip(times, places, strict=True)):
        ids, found, observed = zip(*faces, strict=True) if faces else ((), (), ())
        together = gathered(found, (n_landmarks, 2))
        yield TrackedFaces(frame, seconds, together, np.array(ids, np.int64), np.array(observed, bool))


def process_video(
    landmarker: ThermalLandmarker,
    frames: str | Path | Iterable[np.ndarray],
    rate: float | None = None,
    mode: str = "auto",
    smoothing: str = "both",
    settings: TrackingSettings | None = None,
    search_every: int = SEARCH_EVERY,
) -> Iterator[TrackedFaces]:
    """Follow the faces of a video; see :meth:`ThermalLandmarker.process_video`."""
    if isinstance(frames, str | Path):
        yield from track_pictures(landmarker, open_pictures(frames, mode), rate, smoothing, settings, search_every)
        return
    step = 1 / (rate or DEFAULT_RATE)
    taken = (VideoFrame(image, number * step, mode) for number, image in enumerate(frames))
    for answer in track_video(landmarker, taken, smoothing, settings, search_every):
        yield answer if rate else replace(answer, time_seconds=None)


def track_pictures(
    landmarker: ThermalLandmarker,
    pictures: Pictures,
    rate: float | None = None,
    smoothing: str = "both",
    settings: TrackingSettings | None = None,
    search_every: int = SEARCH_EVERY,
    strict: bool = True,
) -> Iterator[TrackedFaces]:
    """Follow faces through the frames of a file, or through the files of a folder as frames, by name.

    Args:
        landmarker: what finds them.
        pictures: what there is to look at; its items are used up.
        rate: frames a second, where the files do not tell times. None: an answer has no time there, and faces are
            followed as if there were 25.
        smoothing: as for ``track_video``.
        settings: the same.
        search_every: the same.
        strict: raise at a picture that cannot be looked at; otherwise note it in ``pictures.unreadable``, and go on.

    Yields:
        One answer a picture that was looked at, in the pixels that the file stores.
    """
    seen: list[_Seen] = []
    frames = _frames_of(pictures, rate, strict, seen)
    for answer in track_video(landmarker, frames, smoothing, settings, search_every):
        picture, faces = seen[answer.frame], answer.faces
        stored = points_as_stored(faces.landmarks, picture.orientation, picture.shape)
        yield replace(
            answer,
            time_seconds=answer.time_seconds if picture.has_time else None,
            faces=LandmarkDetections(stored, faces.sigma, faces.score),
        )


class _Seen(NamedTuple):
    """What the answer to a picture needs of it: orientation, upright height and width, and whether it has a time."""

    orientation: int
    shape: tuple[int, int]
    has_time: bool


def _frames_of(pictures: Pictures, rate: float | None, strict: bool, seen: list[_Seen]) -> Iterator[VideoFrame]:
    for number, picture in enumerate(pictures.items):
        seconds = picture.time_seconds
        if seconds is None:
            seconds = (number if picture.frame is None else picture.frame) / (rate or DEFAULT_RATE)
        upright = turn_upright(picture.image, picture.orientation)
        try:
            preprocess(upright, picture.mode)
        except ValueError as error:
            if strict:
                raise ValueError(f"{picture.name}: {error}") from error
            pictures.unreadable.append(Unreadable(picture.name, str(error)))
            continue
        seen.append(_Seen(picture.orientation, upright.shape[:2], bool(rate) or picture.time_seconds is not None))
        yield VideoFrame(upright, seconds, picture.mode)


def _smoothed(
    track: Track, settings: TrackingSettings, smooths: bool
) -> Iterator[tuple[int, LandmarkDetections, bool]]:
    """The frames of a track: number, the face in it, and whether it was found there."""
    # Of a hidden face all that is known is behind whom: it tells nothing of where it looks, nor of where it was before.
    for is_hidden, run in groupby(track.steps, key=lambda step: step.is_hidden):
        if not is_hidden:
            yield from _smoothed_run(list(run), settings, smooths)


def _smoothed_run(
    steps: Sequence[TrackStep], settings: TrackingSettings, smooths: bool
) -> Iterator[tuple[int, LandmarkDetections, bool]]:
    later = steps[1:]
    states = kalman.smooth(
        [step.states for step in steps], [step.elapsed for step in later], [step.noise for step in later]
    )
    for step, state in zip(steps, states, strict=True):
        face = estimate(step, state, settings)
        if not smooths and step.measured is not None:
            face = LandmarkDetections(
                step.measured[None].astype(np.float32), step.sigma[None].astype(np.float32), face.score
            )
        yield step.frame, face, step.measured is not None


def _is_alone(place: int, boxes: np.ndarray) -> bool:
    """Whether a box overlaps no other one by as much as a face that hides behind that."""
    return all(box_overlap(boxes[place], other) < HIDDEN for other in np.delete(boxes, place, axis=0))


def _chosen(faces: LandmarkDetections, places: list[int] | np.ndarray) -> LandmarkDetections:
    places = np.asarray(places, int)
    return LandmarkDetections(
        faces.landmarks[places], faces.sigma[places], faces.score[places], confidence=faces.confidence[places]
    )


def _thumbnail(frame: VideoFrame) -> np.ndarray:
    gray = preprocess(frame.image, frame.mode, "scene").mean(axis=2)
    return cv2.resize(gray, _THUMBNAIL, interpolation=cv2.INTER_AREA)


def _beside(boxes: np.ndarray, shape: tuple[int, ...]) -> np.ndarray:
    """Which pixels of a thumbnail have no known face: one that is covered, or leaves, makes no other scene."""
    beside = np.ones(_THUMBNAIL[::-1], bool)
    scale = np.array(_THUMBNAIL) / shape[1::-1]
    for box in boxes:
        left, top, side = square_around(box)
        first = np.clip(np.floor(np.array((left, top)) * scale), 0, None).astype(int)
        last = np.clip(np.ceil(np.array((left + side, top + side)) * scale), 0, None).astype(int)
        beside[first[1] : last[1], first[0] : last[0]] = False
    return beside


def _same_scene(before: np.ndarray | None, now: np.ndarray, where: np.ndarray) -> bool:
    """Whether two thumbnails correlate there; where there is little, or no contrast (a shutter), nothing is known."""
    if before is None or where.mean() < _MIN_BESIDE or min(before[where].std(), now[where].std()) < _MIN_CONTRAST:
        return True
    return float(np.corrcoef(before[where], now[where])[0, 1]) >= _SAME_SCENE
