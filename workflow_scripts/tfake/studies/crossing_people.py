"""Films of several people who pass in front of one another, put together from sequences of one person each.

A sequence shows one person, in whom no tracker can mistake anybody. Here two or three walk in one picture, cut out by
their class maps and laid over one another, the nearer over the farther, in front of a wall as warm as their rooms. What
is known of each stays known: points move along, and how much of a face can be seen is counted. All of it follows from a
seed.

A person is cut off where the sequence's own picture ends, which the walk can bring into view.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import NamedTuple

import numpy as np

from tfake.core.classes import FaceClass

#: ``pass``: two change places, and one hides the other on the way. ``return``: one goes behind another, and comes back.
KINDS = ("pass", "return")
#: From one place to the next, over the width of a sequence's picture.
_SPACING = 0.8
#: By how much people stand lower than one another at most, over the height of a picture.
_MOST_LOWER = 0.08
_FACE = [
    *(FaceClass.SKIN, FaceClass.NOSE, FaceClass.RIGHT_EYE, FaceClass.LEFT_EYE, FaceClass.RIGHT_BROW),
    *(FaceClass.LEFT_BROW, FaceClass.MOUTH_INTERIOR, FaceClass.TOP_LIP, FaceClass.BOTTOM_LIP, FaceClass.BEARD),
    *(FaceClass.GLASSES, FaceClass.FACEWEAR),
]


class ScenePerson(NamedTuple):
    """Somebody of a scene.

    Attributes:
        celsius: (T, h, w) float32, °C.
        classes: (T, h, w) uint8, ids of :class:`tfake.core.classes.FaceClass`; 0 is not theirs.
        points: (T, L, 2) pixels.
    """

    celsius: np.ndarray
    classes: np.ndarray
    points: np.ndarray


@dataclass(frozen=True, eq=False)
class CrossingScene:
    """A film of P people.

    Attributes:
        celsius: (T, H, W) float32, °C.
        points: (T, P, L, 2) pixels.
        visible: (T, P) the share of each face that nobody hides, and that lies in the picture.
    """

    celsius: np.ndarray
    points: np.ndarray
    visible: np.ndarray


def walk_shifts(kind: str, frames: int, people: int, width: int, height: int, rng: np.random.Generator) -> np.ndarray:
    """Where everybody's picture lies in that of all.

    The first is the nearest. In a ``pass`` the first two change places; in a ``return`` the second walks behind the
    first, who stands, and comes back. Whoever else is there stands. All move with minimum jerk.

    Args:
        kind: of ``KINDS``.
        frames: T.
        people: P, two or more.
        width: of a sequence's picture, pixels.
        height: the same.
        rng: what decides how low each stands, and which two places the first two have.

    Returns:
        (T, P, 2) int: right and down.

    Raises:
        ValueError: another kind, or fewer than two people.
    """
    if kind not in KINDS or people < 2:
        raise ValueError(f"expected one of {', '.join(KINDS)} and 2 or more people, found {kind!r} and {people}")
    places = np.roll(np.arange(people), int(rng.integers(people - 1))).astype(float)
    if rng.random() < 0.5:
        places = people - 1 - places
    way = np.linspace(0, 1, frames)
    if kind == "return":
        way = 1 - np.abs(1 - 2 * way)
    gone = 10 * way**3 - 15 * way**4 + 6 * way**5
    right = np.repeat(places[None], frames, axis=0)
    apart = places[0] - places[1]
    right[:, 1] += gone * apart
    if kind == "pass":
        right[:, 0] -= gone * apart
    down = np.broadcast_to(rng.uniform(0, _MOST_LOWER * height, people), (frames, people))
    return np.round(np.stack((right * _SPACING * width, down), axis=2)).astype(int)


def compose_scene(people: Sequence[ScenePerson], shifts: np.ndarray, rng: np.random.Generator) -> CrossingScene:
    """Put people into one picture.

    Args:
        people: P, the nearest first, of pictures of one size.
        shifts: (T, P, 2) int, right and down.
        rng: of the wall's noise, which is as strong as that of the sequences' own backgrounds.

    Raises:
        ValueError: films of other lengths or sizes than the shifts and the first have.
    """
    frames, (height, width) = len(shifts), people[0].celsius.shape[1:]
    for person in people:
        if person.celsius.shape != (frames, height, width):
            raise ValueError(f"expected pictures of {(frames, height, width)}, found {person.celsius.shape}")
    shape = (height, int(shifts[..., 0].max()) + width)
    wall, noise = _wall(people)
    celsius = rng.normal(wall, noise, (frames, *shape)).astype(np.float32)
    visible = np.zeros((frames, len(people)))
    for frame, moves in enumerate(shifts):
        owner = np.full(shape, -1)
        for number in reversed(range(len(people))):
            person, (right, down) = people[number], moves[number]
            target = (slice(down, height), slice(right, right + width))
            own = person.classes[frame, : height - down] != FaceClass.BACKGROUND
            celsius[frame][target][own] = person.celsius[frame, : height - down][own]
            owner[target][own] = number
        for number, (person, (right, down)) in enumerate(zip(people, moves, strict=True)):
            face = _face(person.classes[frame], person.points[frame])
            seen = owner[down:, right : right + width][face[: height - down]] == number
            visible[frame, number] = seen.sum() / max(int(face.sum()), 1)
    moved = [person.points + shifts[:, number, None] for number, person in enumerate(people)]
    return CrossingScene(celsius, np.stack(moved, axis=1).astype(np.float32), visible)


def group_people(subjects: Sequence[str], size: int, seed: int) -> list[list[str]]:
    """Groups that meet; nobody is in two, so that what happens in one says nothing of another.

    Args:
        subjects: everybody, each once.
        size: of a group; the last ones may be smaller by one or, of few people, more.
        seed: who meets whom.

    Raises:
        ValueError: there are fewer than two people, or groups are asked to be of fewer.
    """
    if min(len(subjects), size) < 2:
        raise ValueError(f"expected groups of 2 or more out of 2 or more people, found {size} out of {len(subjects)}")
    order = np.random.default_rng(seed).permutation(sorted(subjects))
    count = max(1, min(-(-len(order) // size), len(order) // 2))
    return [part.tolist() for part in np.array_split(order, count)]


def _wall(people: Sequence[ScenePerson]) -> tuple[float, float]:
    """Mean temperature and noise of what is behind people: in time, for it stands still."""
    first = [person.celsius[0][person.classes[0] == FaceClass.BACKGROUND] for person in people]
    level = float(np.median(np.concatenate(first))) if sum(map(len, first)) else 22.0
    if len(people[0].celsius) < 2:
        return level, 0.0
    pairs = [(person.celsius[1] - person.celsius[0])[(person.classes[:2] == 0).all(axis=0)] for person in people]
    steps = np.concatenate(pairs)
    return level, float(steps.std() / np.sqrt(2)) if len(steps) else 0.0


def _face(classes: np.ndarray, points: np.ndarray) -> np.ndarray:
    """(h, w) bool: the face, within the box of its points."""
    low = np.clip(np.floor(points.min(axis=0)), 0, None).astype(int)
    high = np.clip(np.ceil(points.max(axis=0)) + 1, 0, None).astype(int)
    inside = np.zeros(classes.shape, bool)
    inside[low[1] : high[1], low[0] : high[0]] = True
    return inside & np.isin(classes, _FACE)
