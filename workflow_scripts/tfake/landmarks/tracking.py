"""Faces through the frames of a video: who is who, and where their points are between and behind the noise.

Faces are associated as SORT does it (Bewley et al., 2016): by the overlap of predicted and found boxes, solved as an
assignment. Less certain faces may continue a track and not begin one (ByteTrack, Zhang et al., 2022); boxes of tracks
that were not seen for a while are widened (C-BIoU, Yang et al., 2023). A face is certain where the landmark network is,
or where a detector found it.

A face that is lost where another one is stands behind it: its track stays with that one, wherever it goes, and takes
what appears on either side. A velocity from before would lead elsewhere, for people stop and turn, and the face in
front would be taken for it: so whoever is in front chooses first. Of several behind one face, each takes what is most
like its own points, relative to their mean, of a moment ago; nobody is recognised who comes back later.

Each point has a Kalman filter (:mod:`tfake.landmarks.kalman`). A head moves quickly and a face changes slowly, so what
is filtered are the mean of the points and each point's place relative to it, with a noise of its own. The noise of a
measurement is the network's own standard deviation; but most of that is an error that stays from frame to frame, which
no filter sees or takes away. ``jitter_share`` is the share that does not stay.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import NamedTuple

import numpy as np

from tfake.imaging.crops import box_overlap
from tfake.landmarks import kalman
from tfake.landmarks.association import associate, without_repeats
from tfake.landmarks.kalman import PointStates
from tfake.landmarks.landmarker import UNSURE, LandmarkDetections

#: What a face is not born within (over the smaller box): a part of a face that passes for one.
_WITHIN = 0.5
#: A face that is lost where it overlaps another one (over the smaller box) by this is behind that.
HIDDEN = 0.2
#: Points relative to their mean that differ by so much, over the face's size, make an overlap count half.
_SHAPE_TOLERANCE = 0.03
_MIN_SIGMA_PIXELS = 1e-3


@dataclass(frozen=True)
class TrackingSettings:
    """How faces are followed.

    The last three are those with which the filter's own errors are likeliest on four recordings of 9 frames a second.

    Attributes:
        iou_threshold: overlap (over the union) of a track's predicted and a found box from which they may be one face.
        coast_seconds: how long a track waits for its face.
        confirmations: in how many frames, one after the other, a face is found before it is a track.
        uncertain_ratio: a track takes faces whose score is up to so many times the threshold.
        hidden_seconds: how long a track waits for its face behind another one.
        acceleration: standard deviation of what the velocity of a face changes by in a second, face sizes/s (the face's
            size is sqrt(w h) of its points' box).
        deformation: the same of a point's velocity relative to its face: turning, nearing, speaking.
        jitter_share: the part of a point's standard deviation that is drawn anew in each frame.
    """

    iou_threshold: float = 0.2
    coast_seconds: float = 1.0
    confirmations: int = 2
    uncertain_ratio: float = UNSURE
    hidden_seconds: float = 3.0
    acceleration: float = 2.0
    deformation: float = 0.1
    jitter_share: float = 0.2

    def __post_init__(self) -> None:
        """Refuse what cannot be meant.

        Raises:
            ValueError: a number out of its range; with the name, what was expected and found.
        """
        for name, low, high in (
            ("iou_threshold", 0.0, 1.0),
            ("coast_seconds", 0.0, np.inf),
            ("confirmations", 1, np.inf),
            ("uncertain_ratio", 1.0, np.inf),
            ("hidden_seconds", 0.0, np.inf),
            ("acceleration", 1e-6, np.inf),
            ("deformation", 1e-6, np.inf),
            ("jitter_share", 1e-6, 1.0),
        ):
            if not low <= getattr(self, name) <= high:
                raise ValueError(f"{name}: expected {low} to {high}, found {getattr(self, name)}")


@dataclass(frozen=True, eq=False)
class TrackedFaces:
    """The faces of one frame, by ``track_ids``.

    Attributes:
        frame: its number, from 0.
        time_seconds: since the first frame; None where nothing tells.
        faces: where they are, smoothed; the scores as they were found.
        track_ids: (F,) int64, 0 or more: who they are. None is used twice.
        observed: (F,) bool: found in this frame; otherwise the place follows from the frames before and after.
    """

    frame: int
    time_seconds: float | None
    faces: LandmarkDetections
    track_ids: np.ndarray
    observed: np.ndarray

    def __len__(self) -> int:
        """How many faces."""
        return len(self.track_ids)


class TrackStep(NamedTuple):
    """What is known of a face in one frame.

    Attributes:
        frame: its number.
        elapsed: since the frame before, seconds.
        noise: with which the states were predicted for this frame.
        states: of the points relative to their mean, and of the mean, after this frame.
        measured: (L, 2) pixels as they were found; None where the face was not.
        sigma: (L,) pixels, the network's own, of this frame or the last one in which the face was found.
        score: the same.
        is_hidden: the face was not found, and is taken to be behind another one.
    """

    frame: int
    elapsed: float
    noise: np.ndarray
    states: PointStates
    measured: np.ndarray | None
    sigma: np.ndarray
    score: float
    is_hidden: bool = False


@dataclass(eq=False)
class Track:
    """A face that is followed.

    Attributes:
        track_id: who; None while it waits to be confirmed.
        steps: what was found of it, the last one last; only that one without a history.
        time_seconds: of the last step.
        seen_seconds: when it was found last.
        hits: in how many frames it was found.
        is_detected: a detector found it when it began, so that points which are less certain may confirm it.
        is_hidden: it was lost where another face is, and is taken to be behind that one wherever it goes.
        shape: (L, 2) pixels, its points relative to their mean when it was found last, filtered.
    """

    track_id: int | None
    steps: list[TrackStep]
    time_seconds: float
    seen_seconds: float
    hits: int = 1
    is_detected: bool = False
    is_hidden: bool = False
    shape: np.ndarray | None = None

    @property
    def points(self) -> np.ndarray:
        """(L, 2) pixels, filtered."""
        return joined(self.steps[-1].states)

    def waits(self, seconds: float, settings: TrackingSettings) -> bool:
        """Whether it still waits for its face at a time."""
        patience = settings.hidden_seconds if self.is_hidden else settings.coast_seconds
        return seconds - self.seen_seconds <= max(patience, settings.coast_seconds)

    def predict(self, seconds: float, settings: TrackingSettings) -> tuple[PointStates, np.ndarray]:
        """The states at a later time, and the noise that was assumed on the way."""
        noise = _process_noise(self.points, settings)
        return kalman.predict(self.steps[-1].states, seconds - self.time_seconds, noise), noise


class FaceTracker:
    """Follows the faces of one video, frame after frame."""

    def __init__(
        self, settings: TrackingSettings | None = None, threshold: float = np.inf, keeps_history: bool = False
    ) -> None:
        """Begin without any face.

        Args:
            settings: how; the defaults otherwise.
            threshold: score below which a face is certain (:attr:`ThermalLandmarker.threshold`): without one, all are.
            keeps_history: remember every step, for :meth:`history`.
        """
        self.settings = settings or TrackingSettings()
        self.threshold = threshold
        self._keeps_history = keeps_history
        self._ended: list[Track] = []
        self._tracks: list[Track] = []
        self._frame, self._next_id = -1, 0
        self._seconds = -np.inf

    def reset(self) -> None:
        """Forget all faces: what comes next is another scene, at any time. Numbers go on."""
        self._end(self._tracks)
        self._tracks, self._seconds = [], -np.inf

    @property
    def hides_somebody(self) -> bool:
        """Whether a face is taken to be behind another one."""
        return any(track.is_hidden for track in self._tracks)

    def boxes(self, seconds: float) -> tuple[np.ndarray, np.ndarray]:
        """Where the faces will be that are not behind others.

        Args:
            seconds: the next frame's time.

        Returns:
            (T, 4) left, top, right, bottom of each track's points, those that wait included; and (T,) bool: it was
            found in the last frame.
        """
        live = [track for track in self._tracks if track.waits(seconds, self.settings) and not track.is_hidden]
        boxes = [_box(joined(track.predict(seconds, self.settings)[0])) for track in live]
        return np.array(boxes).reshape(-1, 4), np.array([t.seen_seconds == t.time_seconds for t in live], bool)

    def share_found(self, found: LandmarkDetections, seconds: float) -> float:
        """The share, 0..1, of the faces of the last frame that the next one's continue; 0 where there were none.

        Args:
            found: the faces of the next frame, which are not taken.
            seconds: its time.
        """
        pairs, _ = self._associate(found, seconds)
        shown = [place for place, track in enumerate(self._tracks) if track.seen_seconds == track.time_seconds]
        return sum(place in pairs for place in shown) / max(1, len(shown))

    def update(self, found: LandmarkDetections, seconds: float) -> TrackedFaces:
        """Take the faces of the next frame.

        Args:
            found: in any order.
            seconds: the frame's time, later than the last one's.

        Returns:
            The confirmed faces that were found, filtered.

        Raises:
            ValueError: the time is not later, or a face has another number of points.
        """
        self._check(found, seconds)
        self._frame, self._seconds = self._frame + 1, seconds
        waited = [track for track in self._tracks if not track.waits(seconds, self.settings)]
        self._end(waited)
        self._tracks = [track for track in self._tracks if track not in waited]
        pairs, new = self._associate(found, seconds)
        predicted = [track.predict(seconds, self.settings) for track in self._tracks]
        shown = list(found.landmarks[list(pairs.values())])
        # Who is in front may be missed for a moment; whoever is behind stays there.
        missed = [
            joined(states)
            for place, (track, (states, _)) in enumerate(zip(self._tracks, predicted, strict=True))
            if place not in pairs and not track.is_hidden
        ]
        for place, (track, (states, noise)) in enumerate(zip(self._tracks, predicted, strict=True)):
            self._step(track, states, noise, found, pairs.get(place), seconds)
            if place not in pairs:
                self._hide(track, [*shown, *missed] if track.is_hidden else shown)
        # Who waits to be confirmed must be found again at once.
        unconfirmed = [track for track in self._tracks if track.track_id is None and track.seen_seconds < seconds]
        self._tracks = [track for track in self._tracks if track not in unconfirmed]
        self._tracks += [self._birth(found, place, seconds) for place in new]
        for track in self._tracks:
            if track.track_id is None and track.hits >= self.settings.confirmations:
                track.track_id, self._next_id = self._next_id, self._next_id + 1
        seen = [track for track in self._tracks if track.track_id is not None and track.seen_seconds == seconds]
        return self._answer(seen, found.landmarks.shape[1:], seconds)

    def history(self) -> list[Track]:
        """All confirmed tracks so far with their steps, up to the last in which each was found.

        Raises:
            ValueError: the tracker keeps none.
        """
        if not self._keeps_history:
            raise ValueError("expected a tracker with keeps_history=True")
        kept = []
        for track in (*self._ended, *self._tracks):
            if track.track_id is not None:
                last = max(place for place, step in enumerate(track.steps) if step.measured is not None)
                kept.append(Track(track.track_id, track.steps[: last + 1], track.time_seconds, track.seen_seconds))
        return sorted(kept, key=lambda track: track.track_id)

    def _check(self, found: LandmarkDetections, seconds: float) -> None:
        if not seconds > self._seconds:
            raise ValueError(f"expected a time after {self._seconds} s, found {seconds} s")
        points = {found.landmarks.shape[1]} if len(found) else set()
        points |= {len(track.steps[-1].sigma) for track in self._tracks}
        if len(points) > 1:
            raise ValueError(f"expected faces of one number of points, found {sorted(points)}")

    def _associate(self, found: LandmarkDetections, seconds: float) -> tuple[dict[int, int], list[int]]:
        """Which face continues each track, by the places of both; and the faces that begin one."""
        boxes = np.array([_box(joined(track.predict(seconds, self.settings)[0])) for track in self._tracks])
        boxes = boxes.reshape(-1, 4)
        margins = np.array([self._margin(track, seconds) for track in self._tracks])
        usable = without_repeats(found)
        detected = np.isfinite(found.confidence)
        certain = [place for place in usable if detected[place] or found.score[place] < self.threshold]
        loosest = self.threshold * self.settings.uncertain_ratio
        uncertain = [place for place in usable if place not in certain and found.score[place] < loosest]
        followed = [k for k, track in enumerate(self._tracks) if track.is_detected or track.track_id is not None]
        pairs: dict[int, int] = {}
        # Who stands in front comes first: a face that appears beside it is theirs who were hidden.
        for faces, tracks, is_hidden in (
            (certain, range(len(self._tracks)), False),
            (certain, followed, True),
            (uncertain, followed, False),
        ):
            free = [k for k in tracks if k not in pairs and self._tracks[k].is_hidden == is_hidden]
            taken = [found.boxes[face] for face in pairs.values()]
            some = [face for face in faces if not is_hidden or _is_apart(found.boxes[face], taken)]
            some = [face for face in some if face not in pairs.values()]
            alike = _alikeness([self._tracks[k] for k in free], found.landmarks[some]) if is_hidden else 1.0
            threshold = self.settings.iou_threshold
            for track, face in associate(boxes[free], found.boxes[some], threshold, margins[free], alike):
                pairs[free[track]] = some[face]
        taken = [found.boxes[face] for face in pairs.values()]
        new: list[int] = []
        for face in certain:
            around = [*taken, *(found.boxes[other] for other in new)]
            if face not in pairs.values() and _is_apart(found.boxes[face], around):
                new.append(face)
        return pairs, new

    def _margin(self, track: Track, seconds: float) -> float:
        """By how much a box is widened, pixels: one standard deviation of where its face may have moved to."""
        states, _ = track.predict(seconds, self.settings)
        return float(min(np.sqrt(states.variances[-1]), face_size(joined(states)) / 2))

    def _step(
        self,
        track: Track,
        states: PointStates,
        noise: np.ndarray,
        found: LandmarkDetections,
        face: int | None,
        seconds: float,
    ) -> None:
        elapsed, last = seconds - track.time_seconds, track.steps[-1]
        if face is None:
            step = TrackStep(self._frame, elapsed, noise, states, None, last.sigma, last.score)
        else:
            points, sigma = found.landmarks[face].astype(np.float64), found.sigma[face].astype(np.float64)
            states = kalman.update(states, split(points), _measurement_noise(sigma, self.settings))
            step = TrackStep(self._frame, elapsed, noise, states, points, sigma, float(found.score[face]))
            track.seen_seconds, track.hits = seconds, track.hits + 1
            track.is_hidden, track.shape = False, states.positions[:-1]
        track.time_seconds = seconds
        if not self._keeps_history:
            track.steps.clear()
        track.steps.append(step)

    def _hide(self, track: Track, faces: Sequence[np.ndarray]) -> None:
        """Put a track that was not found behind the face (of some, (L, 2) each) that it overlaps most, if there is one.

        Where it does not show, it is behind that face, and comes out on either side, whatever its velocity was.
        """
        own = _box(track.points)
        overlaps = [box_overlap(own, _box(points)) for points in faces]
        track.is_hidden = bool(overlaps) and max(overlaps) >= HIDDEN
        if track.is_hidden:
            mean = track.steps[-1].states.mean
            mean[-1, 0] = faces[int(np.argmax(overlaps))].mean(axis=0)
            mean[:, 1] = 0.0
            track.steps[-1] = track.steps[-1]._replace(is_hidden=True)

    def _birth(self, found: LandmarkDetections, face: int, seconds: float) -> Track:
        points, sigma = found.landmarks[face].astype(np.float64), found.sigma[face].astype(np.float64)
        noise = _process_noise(points, self.settings)
        # Nothing is known of the velocity: as much as it changes by in a second.
        states = kalman.begin(split(points), _measurement_noise(sigma, self.settings), np.sqrt(noise))
        step = TrackStep(self._frame, 0.0, noise, states, points, sigma, float(found.score[face]))
        return Track(None, [step], seconds, seconds, is_detected=bool(np.isfinite(found.confidence[face])))

    def _end(self, tracks: Sequence[Track]) -> None:
        if self._keeps_history:
            self._ended += tracks

    def _answer(self, tracks: Sequence[Track], shape: tuple[int, ...], seconds: float) -> TrackedFaces:
        faces = [estimate(track.steps[-1], track.steps[-1].states, self.settings) for track in tracks]
        ids = np.array([track.track_id for track in tracks], np.int64)
        return TrackedFaces(self._frame, seconds, gathered(faces, shape), ids, np.ones(len(tracks), bool))


def split(points: np.ndarray) -> np.ndarray:
    """What is filtered: (L, 2) points to (L + 1, 2), each relative to their mean, and the mean."""
    mean = points.mean(axis=0, keepdims=True)
    return np.concatenate((points - mean, mean))


def joined(states: PointStates) -> np.ndarray:
    """The (L, 2) points of states of what ``split`` gives."""
    return states.positions[:-1] + states.positions[-1]


def estimate(step: TrackStep, states: PointStates, settings: TrackingSettings) -> LandmarkDetections:
    """One face as it is answered: (1, L, 2).

    Its standard deviations are those of what filtering leaves of the jitter, and of the network's error that stays;
    where the face was found, they are the network's own at most.
    """
    staying = step.sigma**2 * (1 - settings.jitter_share**2)
    sigma = np.sqrt(staying + states.variances[:-1] + states.variances[-1])
    if step.measured is not None:
        sigma = np.minimum(sigma, step.sigma)
    return LandmarkDetections(
        joined(states)[None].astype(np.float32), sigma[None].astype(np.float32), np.array([step.score], np.float32)
    )


def gathered(faces: Sequence[LandmarkDetections], shape: tuple[int, ...]) -> LandmarkDetections:
    """Several answers of one face in one.

    Args:
        faces: each of a face.
        shape: (L, 2), where there are none.
    """
    if not faces:
        return LandmarkDetections(*(np.empty((0, *rest), np.float32) for rest in (shape, shape[:1], ())))
    parts = zip(*((face.landmarks, face.sigma, face.score, face.confidence) for face in faces), strict=True)
    return LandmarkDetections(*(np.concatenate(part) for part in parts))


def face_size(points: np.ndarray) -> float:
    """sqrt(w h) of the box around (L, 2) points, pixels; 1 at least."""
    return max(1.0, float(np.sqrt(np.prod(np.ptp(points, axis=0)))))


def _process_noise(points: np.ndarray, settings: TrackingSettings) -> np.ndarray:
    """(L + 1,) (pixels/s)²/s."""
    shares = np.full(len(points) + 1, settings.deformation)
    shares[-1] = settings.acceleration
    return (shares * face_size(points)) ** 2


def _measurement_noise(sigma: np.ndarray, settings: TrackingSettings) -> np.ndarray:
    """(L + 1,) square pixels. Neighbouring points err alike: their mean is no better than they are."""
    variances = (settings.jitter_share * np.maximum(sigma, _MIN_SIGMA_PIXELS)) ** 2
    return np.append(variances, variances.mean())


def _alikeness(tracks: Sequence[Track], faces: np.ndarray) -> np.ndarray:
    """How alike tracks' points and those of faces (F, L, 2) are, relative to their means: (T, F), 1 for the same."""
    alike = np.ones((len(tracks), len(faces)))
    for row, track in enumerate(tracks):
        for column, points in enumerate(faces):
            apart = np.linalg.norm(split(points)[:-1] - track.shape, axis=1).mean() / face_size(track.shape)
            alike[row, column] = 1 / (1 + (apart / _SHAPE_TOLERANCE) ** 2)
    return alike


def _is_apart(box: np.ndarray, others: Sequence[np.ndarray]) -> bool:
    """Whether a box is no part of another one."""
    return all(box_overlap(box, other) <= _WITHIN for other in others)


def _box(points: np.ndarray) -> np.ndarray:
    return np.concatenate((points.min(axis=0), points.max(axis=0)))
