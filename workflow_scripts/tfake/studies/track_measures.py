"""How well faces were followed: MOTA, IDF1 and identity switches of answered boxes against true ones.

MOTA and switches are those of CLEAR MOT (Bernardin and Stiefelhagen, EURASIP JIVP 2008): a true box keeps the answer
that it had in the frame before as long as both overlap enough, the others are assigned by overlap, and a switch is a
true box that comes to have another answer than the one it had last. IDF1 (Ristani et al., ECCV 2016 workshops) assigns
whole tracks to whole people once and for all. Faces that count for nothing, such as hidden ones, take the answers that
lie on them out of the count, as the MOT challenge does with its distractors: to find one is neither right nor wrong.
"""

from collections.abc import Sequence
from dataclasses import astuple, dataclass
from typing import NamedTuple

import numpy as np
from scipy.optimize import linear_sum_assignment

from tfake.imaging.crops import box_iou

#: Intersection over union from which an answer is a face's.
IOU_THRESHOLD = 0.5


class FrameBoxes(NamedTuple):
    """True and answered boxes of one frame: left, top, right, bottom in pixels.

    Attributes:
        truth_ids: (T,) int, who is there.
        truth_boxes: (T, 4).
        is_counted: (T,) bool: it has to be found; otherwise it may be.
        answer_ids: (A,) int, the tracks.
        answer_boxes: (A, 4).
    """

    truth_ids: np.ndarray
    truth_boxes: np.ndarray
    is_counted: np.ndarray
    answer_ids: np.ndarray
    answer_boxes: np.ndarray


@dataclass(frozen=True)
class TrackCounts:
    """What was counted in some films; counts of several add up.

    Attributes:
        truths: true boxes that have to be found.
        answers: answered boxes that count.
        matches: of both, those that belong together.
        switches: how often a person got another number.
        identity_matches: boxes of people that lie on the one track that is theirs.
    """

    truths: int = 0
    answers: int = 0
    matches: int = 0
    switches: int = 0
    identity_matches: int = 0

    def __add__(self, other: "TrackCounts") -> "TrackCounts":
        """The counts of both."""
        return TrackCounts(*(own + others for own, others in zip(astuple(self), astuple(other), strict=True)))

    @property
    def misses(self) -> int:
        """True boxes without an answer."""
        return self.truths - self.matches

    @property
    def false_answers(self) -> int:
        """Answers where nobody is."""
        return self.answers - self.matches

    @property
    def mota(self) -> float:
        """1 - (misses + false answers + switches) / true boxes: 1 at best, and below 0 at worst; NaN without any."""
        return 1 - _share(self.misses + self.false_answers + self.switches, self.truths)

    @property
    def idf1(self) -> float:
        """Twice the identity matches over true and answered boxes, 0 to 1; NaN without any."""
        return _share(2 * self.identity_matches, self.truths + self.answers)


def count_tracks(frames: Sequence[FrameBoxes], iou_threshold: float = IOU_THRESHOLD) -> TrackCounts:
    """Count one film.

    Args:
        frames: in time.
        iou_threshold: intersection over union from which an answer is a face's.
    """
    counted = [_without_uncounted(frame, iou_threshold) for frame in frames]
    truths, answers = (sum(len(frame[place]) for frame in counted) for place in (0, 3))
    matches = switches = 0
    last: dict[int, int] = {}
    before: dict[int, int] = {}
    for frame in counted:
        now = _continued(frame, before, iou_threshold)
        matches += len(now)
        switches += sum(last.get(person, track) != track for person, track in now.items())
        last |= now
        before = now
    return TrackCounts(truths, answers, matches, switches, _identity_matches(counted, iou_threshold))


def assigned(truth: np.ndarray, answers: np.ndarray, iou_threshold: float) -> list[tuple[int, int]]:
    """Pairs of a true box's place and an answer's, as many as overlap enough, then with the largest overlaps.

    Args:
        truth: (T, 4).
        answers: (A, 4).
        iou_threshold: below which two are no pair.
    """
    overlaps = _overlaps(truth, answers)
    # More pairs go before better ones, for a miss and a false answer cost more than any overlap.
    worth = np.where(overlaps >= iou_threshold, len(truth) + 1 + overlaps, 0.0)
    rows, columns = linear_sum_assignment(worth, maximize=True)
    return [(int(row), int(column)) for row, column in zip(rows, columns, strict=True) if worth[row, column] > 0]


def _overlaps(truth: np.ndarray, answers: np.ndarray) -> np.ndarray:
    return np.array([[box_iou(one, other) for other in answers] for one in truth]).reshape(len(truth), len(answers))


def _without_uncounted(frame: FrameBoxes, iou_threshold: float) -> FrameBoxes:
    pairs = assigned(frame.truth_boxes, frame.answer_boxes, iou_threshold)
    ignored = [answer for truth, answer in pairs if not frame.is_counted[truth]]
    kept = np.setdiff1d(np.arange(len(frame.answer_ids)), ignored)
    own = frame.is_counted
    return FrameBoxes(
        frame.truth_ids[own], frame.truth_boxes[own], own[own], frame.answer_ids[kept], frame.answer_boxes[kept]
    )


def _continued(frame: FrameBoxes, before: dict[int, int], iou_threshold: float) -> dict[int, int]:
    """Who has which track in a frame, given who had which in the one before."""
    people, tracks = frame.truth_ids.tolist(), frame.answer_ids.tolist()
    now = {}
    for person, track in before.items():
        if person in people and track in tracks:
            pair = frame.truth_boxes[people.index(person)], frame.answer_boxes[tracks.index(track)]
            if box_iou(*pair) >= iou_threshold:
                now[person] = track
    free = [place for place, person in enumerate(people) if person not in now]
    open_tracks = [place for place, track in enumerate(tracks) if track not in now.values()]
    for truth, answer in assigned(frame.truth_boxes[free], frame.answer_boxes[open_tracks], iou_threshold):
        now[people[free[truth]]] = tracks[open_tracks[answer]]
    return now


def _identity_matches(frames: Sequence[FrameBoxes], iou_threshold: float) -> int:
    people = sorted({person for frame in frames for person in frame.truth_ids.tolist()})
    tracks = sorted({track for frame in frames for track in frame.answer_ids.tolist()})
    together = np.zeros((len(people), len(tracks)), int)
    for frame in frames:
        for row, column in np.argwhere(_overlaps(frame.truth_boxes, frame.answer_boxes) >= iou_threshold):
            together[people.index(frame.truth_ids[row]), tracks.index(frame.answer_ids[column])] += 1
    return int(together[linear_sum_assignment(together, maximize=True)].sum())


def _share(part: float, whole: float) -> float:
    return part / whole if whole else float("nan")
