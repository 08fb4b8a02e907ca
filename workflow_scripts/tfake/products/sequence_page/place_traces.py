"""What is known of a sequence's frames as charts of curves: temperatures of places, movements, pose, gaze, breath.

Temperatures of places are read where the exact points are, as :mod:`tfake.landmarks.temperatures` reads them where a
network finds them; nothing is read of a place that something covers.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from tfake.core.codes import BOTH_POINTS, EXPRESSION_PARAMETERS, PointState
from tfake.landmarks.temperatures import read_temperatures
from tfake.pages.wording import words_of
from tfake.products.exports.film_files import thermal_images
from tfake.reader.sequences import ThermalSequence

#: Places whose temperatures are shown, and a point of the 478 that is seen where the place is.
PLACES = {
    "forehead": 151,
    "nose_tip": 4,
    "right_cheek": 50,
    "left_cheek": 280,
    "right_nostril": 97,
    "left_nostril": 326,
}
#: Movements with charts of their own: the lids, and the jaw, which is in degrees.
_LIDS, _JAW = ("lid_right", "lid_left"), "jaw_degrees"
#: A movement is shown where it changes by this much; others stay as the person holds the face at rest.
_LEAST_CHANGE = 0.02


@dataclass(frozen=True, eq=False)
class Chart:
    """Curves on one scale.

    Attributes:
        title: what they are.
        unit: of them; empty where they have none.
        curves: name in words to (T,) values; NaN where there is none.
        least_range: the scale is at least so high, so that next to nothing looks like next to nothing.
    """

    title: str
    unit: str
    curves: dict[str, np.ndarray]
    least_range: float


@dataclass(frozen=True, eq=False)
class PlaceTrace:
    """The temperature of a place through a sequence.

    Attributes:
        place: its name.
        celsius: (T,) °C; NaN where it could not be read.
        reasons: of each frame, why not; empty where it was read.
    """

    place: str
    celsius: np.ndarray
    reasons: tuple[str, ...]


def read_places(sequence: ThermalSequence) -> list[PlaceTrace]:
    """Read the temperatures of the places of ``PLACES`` in every frame."""
    points = np.concatenate([sequence.read("landmarks_70"), sequence.read("landmarks_478")[..., :2]], axis=1)
    states = sequence.read("landmarks_478_visibility")
    exact = np.zeros(BOTH_POINTS)
    celsius = {place: np.full(len(sequence), np.nan) for place in PLACES}
    reasons: dict[str, list[str]] = {place: [] for place in PLACES}
    for number, image in enumerate(thermal_images(sequence)):
        readings = {reading.place: reading for reading in read_temperatures(image, points[number], exact)}
        for place, point in PLACES.items():
            state = PointState(states[number, point])
            hidden = "" if state in (PointState.VISIBLE, PointState.UNKNOWN) else _cover_in_words(state)
            reason = hidden or readings[place].reason
            reasons[place].append(reason)
            if not reason:
                celsius[place][number] = readings[place].celsius
    return [PlaceTrace(place, celsius[place], tuple(reasons[place])) for place in PLACES]


def draw_up_charts(sequence: ThermalSequence, traces: Sequence[PlaceTrace]) -> list[Chart]:
    """The charts of a sequence; curves that say nothing of it are left out.

    Args:
        sequence: which.
        traces: from :func:`read_places`.
    """
    curves = sequence.curves()
    moving = {
        _in_words(name): curves[name]
        for name in EXPRESSION_PARAMETERS
        if name not in (*_LIDS, _JAW) and np.ptp(curves[name]) >= _LEAST_CHANGE
    }
    body = {name: curves[f"{name}_kelvin"] for name in ("fever", "nose", "pulse", "drift")}
    pose, gaze, place = (curves[name] for name in ("head_pose", "gaze", "head_position"))
    charts = [
        Chart("Temperature of places", "°C", {_in_words(trace.place): trace.celsius for trace in traces}, 1.0),
        Chart("Expression", "strength", {"intensity": curves["intensity"], **moving}, 0.5),
        Chart("Lids, 1 is closed", "", {_in_words(name): curves[name] for name in _LIDS}, 1.0),
        Chart("Jaw", "°", {"opening": curves[_JAW]}, 5.0),
        Chart("Head", "°", _columns(pose, "yaw to the right", "pitch upwards", "roll clockwise"), 5.0),
        Chart("Gaze", "°", _columns(gaze, "right", "up"), 5.0),
        Chart("Way of the head", "cm", _columns(place - place[0], "right", "up", "towards the camera"), 0.5),
        Chart("Breath, 1 is out", "", {"breath": curves["breath"]}, 2.0),
        Chart("Body", "K", {name: values for name, values in body.items() if np.any(np.nan_to_num(values))}, 0.1),
        Chart("Perfusion", "", {"perfusion": curves["perfusion"]} if np.ptp(curves["perfusion"]) > 0 else {}, 0.5),
    ]
    return [chart for chart in charts if chart.curves]


def _columns(values: np.ndarray, *names: str) -> dict[str, np.ndarray]:
    return dict(zip(names, values.T, strict=True))


def _in_words(name: str) -> str:
    return name.replace("_", " ")


def _cover_in_words(state: PointState) -> str:
    plain = {PointState.OUTSIDE: "outside the picture", PointState.SELF_OCCLUDED: "behind the face itself"}
    return plain.get(state, f"covered by {words_of(state)}")
