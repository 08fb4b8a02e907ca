"""The landmarker on sequences: where faces are found, how they are followed, how still points are, and breath.

Each sequence is looked at in three ways: ``frames``, every frame searched as if it were alone; ``causal`` and ``both``,
as a video is followed (:mod:`tfake.landmarks.video`). Scenes of several people are followed by ``causal`` and ``both``.
What comes of it are records of counts and sums, that add up over films.
"""

from collections.abc import Iterator, Sequence
from dataclasses import asdict
from typing import Any, NamedTuple

import numpy as np

from tfake.config.plan_studies import PACKAGE
from tfake.landmarks.breathing import Breathing
from tfake.landmarks.landmarker import LandmarkDetections, ThermalLandmarker
from tfake.landmarks.nostril_signal import breath_signal, nose_patch, signal_rate
from tfake.landmarks.point_finder import SHIPPED
from tfake.landmarks.tracking import FaceTracker, TrackedFaces
from tfake.landmarks.video import FaceFinder, VideoFrame, smoothed_answers
from tfake.reader.sequences import SequenceDataset, ThermalSequence
from tfake.studies.crossing_people import KINDS, ScenePerson, compose_scene, group_people, walk_shifts
from tfake.studies.motion_measures import sum_motion
from tfake.studies.track_measures import FrameBoxes, assigned, count_tracks

#: How frames are looked at: each alone, as they come, and by those before and after.
FRAMES, CAUSAL, BOTH = "frames", "causal", "both"
WAYS = (FRAMES, CAUSAL, BOTH)
#: A box of a face is found from this overlap on (intersection over union).
IOU_THRESHOLD = 0.5
#: A face of which less can be seen need not be found.
VISIBLE = 0.5


class CrossingSettings(NamedTuple):
    """Which scenes of several people there are.

    Attributes:
        scenes: how many.
        people: in each.
        seconds: that one walk takes, and a scene at most.
        seed: who meets whom, and how.
    """

    scenes: int
    people: int
    seconds: float
    seed: int


def open_landmarker(weights: str, device: str) -> ThermalLandmarker:
    """The landmarker of a file, or of the package.

    Args:
        weights: a path, or ``package``.
        device: as :class:`ThermalLandmarker` takes it.
    """
    return ThermalLandmarker(SHIPPED if weights == PACKAGE else weights, device)


def measure_sequence(landmarker: ThermalLandmarker, sequence: ThermalSequence, rate: float) -> dict[str, Any]:
    """Look at one sequence in every way.

    Args:
        landmarker: what finds faces.
        sequence: of one person.
        rate: frames a second.

    Returns:
        ``sequence_id``, ``subject_id``, ``expression``, ``state``, ``frames``; ``ways``: by name ``tracks``
        (:class:`tfake.studies.track_measures.TrackCounts`; none of ``frames``) and ``motion``
        (:class:`tfake.studies.motion_measures.MotionSums`); ``detections``: uncertainty and whether it is the face, of
        each found in ``frames``; ``breathing``: ``true_rate``, and the rates by the points found and by the true ones.
    """
    celsius = sequence.read("thermal")
    truth = sequence.read(f"landmarks_{landmarker.n_landmarks}")[..., :2]
    alone = [landmarker.process(image, sliding_window=True, multi=True) for image in celsius]
    causal, both = follow(landmarker, celsius, rate)
    followed = {CAUSAL: causal, BOTH: both}
    found = {FRAMES: _found_points(alone, truth)}
    found |= {way: _found_points([answer.faces for answer in answers], truth) for way, answers in followed.items()}
    ways: dict[str, dict[str, Any]] = {way: {"motion": asdict(sum_motion(found[way], truth))} for way in WAYS}
    visible = np.ones((len(truth), 1))
    for way, answers in followed.items():
        ways[way]["tracks"] = asdict(count_tracks(frame_boxes(answers, truth[:, None], visible)))
    times = sequence.read("time").astype(np.float64)
    columns = sequence.curves()
    return {
        "sequence_id": sequence.sequence_id,
        "subject_id": sequence.subject_id,
        "expression": sequence.expression.name.lower(),
        "state": sequence.state.name.lower(),
        "frames": len(sequence),
        "ways": ways,
        "detections": [
            detection for faces, points in zip(alone, truth, strict=True) for detection in _judge(faces, points)
        ],
        "breathing": {
            "true_rate": float(columns["breaths_per_minute"][0]),
            "found": film_breathing(celsius, times, _observed(found[BOTH], both))._asdict(),
            "true_points": film_breathing(celsius, times, truth)._asdict(),
        },
    }


def follow(
    landmarker: ThermalLandmarker, celsius: np.ndarray, rate: float
) -> tuple[list[TrackedFaces], list[TrackedFaces]]:
    """Follow faces through a film once, and answer causally and by what comes later.

    Args:
        landmarker: what finds faces.
        celsius: (T, H, W) °C.
        rate: frames a second.
    """
    tracker = FaceTracker(threshold=landmarker.threshold, keeps_history=True)
    finder = FaceFinder(landmarker, tracker)
    causal = [finder.find(VideoFrame(image, number / rate)) for number, image in enumerate(celsius)]
    times = [answer.time_seconds for answer in causal]
    return causal, list(smoothed_answers(tracker, times, landmarker.n_landmarks))


def measure_scenes(
    landmarker: ThermalLandmarker, sequences: SequenceDataset, settings: CrossingSettings
) -> Iterator[dict[str, Any]]:
    """Follow people who pass in front of one another.

    Args:
        landmarker: what finds faces.
        sequences: of two people or more.
        settings: which scenes.

    Yields:
        Of each scene ``scene``, ``group`` (nobody is in two), ``kind``, ``sequences``, ``frames``, ``least_visible``
        (share of the face that was hidden most) and ``ways``: by name ``tracks``.

    Raises:
        ValueError: there are fewer than two people.
    """
    groups = group_people(sorted(set(sequences.subject_ids)), settings.people, settings.seed)
    rate = sequences.frames_per_second
    for number in range(settings.scenes):
        group, kind = number % len(groups), KINDS[number // len(groups) % len(KINDS)]
        rng = np.random.default_rng([settings.seed, number])
        chosen = [_drawn(sequences, subject, rng) for subject in rng.permutation(groups[group])]
        frames = min(sequences.frames, max(3, round(settings.seconds * rate)))
        people = [_person(sequence, frames, landmarker.n_landmarks) for sequence in chosen]
        height, width = people[0].celsius.shape[1:]
        shifts = walk_shifts(kind, frames, len(people), width, height, rng)
        scene = compose_scene(people, shifts, rng)
        followed = dict(zip((CAUSAL, BOTH), follow(landmarker, scene.celsius, rate), strict=True))
        counts = {
            way: {"tracks": asdict(count_tracks(frame_boxes(answers, scene.points, scene.visible)))}
            for way, answers in followed.items()
        }
        yield {
            "scene": number,
            "group": f"g{group}",
            "kind": kind,
            "sequences": [sequence.sequence_id for sequence in chosen],
            "frames": frames,
            "least_visible": float(scene.visible.min()),
            "ways": counts,
        }


def frame_boxes(answers: Sequence[TrackedFaces], points: np.ndarray, visible: np.ndarray) -> list[FrameBoxes]:
    """What the measures of tracks take.

    Args:
        answers: one a frame. A face that was not found in a frame, whose place follows from others, is an answer.
        points: (T, P, L, 2) true ones.
        visible: (T, P) the share of each face that can be seen.
    """
    return [
        FrameBoxes(
            np.arange(truth.shape[0]),
            np.concatenate((truth.min(axis=1), truth.max(axis=1)), axis=1),
            seen >= VISIBLE,
            answer.track_ids,
            answer.faces.boxes,
        )
        for answer, truth, seen in zip(answers, points, visible, strict=True)
    ]


def film_breathing(celsius: np.ndarray, times: np.ndarray, points: np.ndarray) -> Breathing:
    """The breathing rate of a face in a film.

    Args:
        celsius: (T, H, W) °C.
        times: (T,) s.
        points: (T, L, 2) pixels; NaN where no face was found.
    """
    seen = np.flatnonzero(np.isfinite(points).all(axis=(1, 2)))
    if not len(seen):
        return signal_rate(times[:0], times[:0])
    patches = np.stack([nose_patch(celsius[frame], points[frame]) for frame in seen])
    return signal_rate(times[seen], breath_signal(times[seen], patches))


def _drawn(sequences: SequenceDataset, subject: str, rng: np.random.Generator) -> ThermalSequence:
    own = sequences.where(subjects=[subject])
    return own[int(rng.integers(len(own)))]


def _person(sequence: ThermalSequence, frames: int, points: int) -> ScenePerson:
    part = slice(0, frames)
    return ScenePerson(
        sequence.read("thermal", part),
        sequence.read("segmentation", part),
        sequence.read(f"landmarks_{points}", part)[..., :2],
    )


def _box(points: np.ndarray) -> np.ndarray:
    return np.concatenate((points.min(axis=0), points.max(axis=0)))


def _found_at(faces: LandmarkDetections, truth: np.ndarray) -> int | None:
    """Which of the faces of a frame is the one there is."""
    pairs = assigned(_box(truth)[None], faces.boxes, IOU_THRESHOLD)
    return pairs[0][1] if pairs else None


def _found_points(answers: Sequence[LandmarkDetections], truth: np.ndarray) -> np.ndarray:
    """(T, L, 2) the points found of the face there is; NaN where it was not."""
    found = np.full(truth.shape, np.nan)
    for frame, (faces, points) in enumerate(zip(answers, truth, strict=True)):
        place = _found_at(faces, points)
        if place is not None:
            found[frame] = faces.landmarks[place]
    return found


def _judge(faces: LandmarkDetections, truth: np.ndarray) -> list[list[Any]]:
    """Uncertainty of each face found in a frame, and whether it is the one there is."""
    place = _found_at(faces, truth)
    uncertainty = np.where(np.isfinite(faces.confidence), 1 - faces.confidence, faces.score)
    return [[float(value), number == place] for number, value in enumerate(uncertainty)]


def _observed(points: np.ndarray, answers: Sequence[TrackedFaces]) -> np.ndarray:
    """Points (T, L, 2) without those of frames in which the face was not seen, whose place follows from others."""
    seen = points.copy()
    for frame, answer in enumerate(answers):
        if not any(np.array_equal(face, points[frame]) for face in answer.faces.landmarks[answer.observed]):
            seen[frame] = np.nan
    return seen
