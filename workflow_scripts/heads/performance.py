"""What a person does in a sequence: expression, gaze, pose and distance at every frame, by curves in time.

A performance follows from its streams of random numbers and the times of its frames alone; the labels are the curves
themselves.
"""

from dataclasses import dataclass, replace

import numpy as np

from heads import motion
from heads.expression import Expression, draw_expression
from heads.expression_classes import express_class
from heads.person import Stream
from heads.scene import FaceState
from heads.viewpoint import Framing
from tfake.core.codes import ExpressionClass

#: Standard deviations of the head's sway about where it is held: yaw, pitch, roll in degrees; and its time constant.
_SWAY_DEGREES, _SWAY_SECONDS = (4.0, 2.5, 1.5), 0.7
#: Where the head is held: standard deviation of yaw and pitch from sequence to sequence, in front of any scenery and of
#: a plain sheet.
_HELD_DEGREES = {"wild": (14.0, 5.0), "lab": (4.0, 2.0)}
#: How far the face comes and goes, a fraction of its distance, and over which time.
_LEANING, _LEANING_SECONDS = 0.02, 2.0
#: Shake of a hand that holds the camera, fractions of the image; flicker of the light.
_SHAKE, _SHAKE_SECONDS, _FLICKER, _FLICKER_SECONDS = 0.003, 0.15, 0.03, 1.5
_BLINKS_PER_MINUTE, _GAZE_DEGREES, _FIXATION_SECONDS = 17.0, (8.0, 4.0), 0.9
#: Jaw (degrees), pucker and teeth of the widest syllable.
_SPEECH = (10.0, 0.55, 0.6)


@dataclass(frozen=True)
class Performance:
    """What is done at each of T moments.

    Attributes:
        seconds: (T,) times.
        intensity: (T,) of the expression, 0..1.
        states: what the person does at each.
        light: (T,) factor on the key light.
    """

    seconds: np.ndarray
    intensity: np.ndarray
    states: tuple[FaceState, ...]
    light: np.ndarray


def draw_performance(
    stream: Stream, rest: Expression, kind: ExpressionClass, seconds: np.ndarray, setting: str
) -> Performance:
    """Draw a performance.

    Args:
        stream: gives a generator for a named purpose, of this sequence alone.
        rest: how the person holds the face.
        kind: the expression that comes and goes in it.
        seconds: (T,) times of the frames, rising from 0.
        setting: "wild" or "lab" (:func:`heads.scene.render_face`).
    """
    intensity = _draw_intensity(stream("intensity"), kind, seconds)
    framings = _draw_framings(stream, seconds, setting)
    begins = motion.blink_times(stream("blinks"), float(seconds[-1]) + 1.0, _BLINKS_PER_MINUTE)
    closure = motion.blink_closure(seconds, begins)
    gaze = motion.saccades(stream("gaze"), seconds, _GAZE_DEGREES, _FIXATION_SECONDS)
    speech = motion.speech(stream("speech"), seconds) if kind == ExpressionClass.TALK else None
    states = []
    for number, framing in enumerate(framings):
        if speech is None:
            shown = express_class(kind, float(intensity[number]), rest)
        else:
            shown = _speak(rest, intensity[number] * speech[number])
        lids = tuple(lid + float(closure[number]) * max(0.0, 1.0 - lid) for lid in shown.lids)
        states.append(FaceState(replace(shown, lids=lids, gaze=tuple(gaze[number].tolist())), framing))
    light = 1.0 + _FLICKER * motion.smooth_noise(stream("flicker"), seconds, _FLICKER_SECONDS)
    return Performance(seconds, intensity, tuple(states), np.clip(light, 0.8, 1.2))


def draw_rest(rng: np.random.Generator) -> Expression:
    """Draw how a person holds the face: nearly neutral, the eyes open and ahead."""
    return replace(draw_expression(rng, neutral=True), gaze=(0.0, 0.0))


def _draw_intensity(rng: np.random.Generator, kind: ExpressionClass, seconds: np.ndarray) -> np.ndarray:
    """The expression comes in the first third and goes in the last one; its strength is .7 to 1."""
    strength, early, late = rng.uniform(0.7, 1.0), rng.uniform(0.05, 0.2), rng.uniform(0.7, 0.85)
    rise, fall = rng.uniform(0.3, 0.6), rng.uniform(0.5, 0.9)
    if kind == ExpressionClass.NEUTRAL:
        return np.zeros(len(seconds))
    length = float(seconds[-1]) if len(seconds) > 1 else 1.0
    onset, offset = early * length, late * length
    # However short the sequence is, the apex comes before the expression goes.
    apex, end = min(onset + rise, 0.6 * length), offset + min(fall, 0.15 * length)
    return strength * motion.envelope(seconds, onset, apex, offset, end)


def _speak(rest: Expression, moved: np.ndarray) -> Expression:
    jaw, pucker, teeth = (fraction * most for fraction, most in zip(moved.tolist(), _SPEECH, strict=True))
    return replace(rest, jaw_degrees=rest.jaw_degrees + jaw, pucker=rest.pucker + pucker, show_teeth=teeth)


def _draw_framings(stream: Stream, seconds: np.ndarray, setting: str) -> list[Framing]:
    """How the head is held and framed at each moment: neck, lens and place in the image are the sequence's own."""
    rng = stream("framing")
    held_yaw, held_pitch = np.clip(rng.normal(0.0, _HELD_DEGREES[setting]), -35.0, 35.0)
    distance, size = rng.uniform(70.0, 130.0), float(np.clip(rng.normal(0.38, 0.04), 0.3, 0.46))
    right, up = rng.normal(0.0, 0.02, 2)
    shaken, follows = rng.uniform() < 0.3, rng.uniform(0.1, 0.35)
    turned_torso = rng.normal(0.0, (4.0, 1.0, 1.5))
    angles = np.array([held_yaw, held_pitch, 0.0]) + np.array(_SWAY_DEGREES) * _paths(
        stream("sway"), seconds, _SWAY_SECONDS, 3
    )
    angles[:, :2] += _draw_gesture(stream("gesture"), seconds)
    angles = np.clip(angles, -45.0, 45.0)
    comes = distance * (1.0 - _LEANING * _paths(stream("leaning"), seconds, _LEANING_SECONDS, 1)[:, 0])
    shake = shaken * _SHAKE * _paths(stream("shake"), seconds, _SHAKE_SECONDS, 2)
    return [
        Framing(
            head=tuple(head.tolist()),
            torso=(turned_torso[0] + follows * head[0], turned_torso[1], turned_torso[2] + 0.15 * head[2]),
            distance_cm=float(at),
            size=size,
            shift=(right + moved[0], up + moved[1]),
            aim=(float(held_yaw), float(held_pitch), 0.0),
            focused_cm=float(distance),
        )
        for head, at, moved in zip(angles, comes, shake, strict=True)
    ]


def _paths(rng: np.random.Generator, seconds: np.ndarray, constant: float, count: int) -> np.ndarray:
    return np.stack([motion.smooth_noise(rng, seconds, constant) for _ in range(count)], axis=1)


def _draw_gesture(rng: np.random.Generator, seconds: np.ndarray) -> np.ndarray:
    """Yaw and pitch (T, 2) in degrees of a nod or a shake of the head; half of the sequences that last have one."""
    kind, start, lasts = rng.uniform(), rng.uniform(0.2, 0.5), rng.uniform(1.0, 1.6)
    cycles, swing = rng.uniform(1.5, 3.0), rng.uniform(5.0, 11.0)
    moved = np.zeros((len(seconds), 2))
    length = float(seconds[-1])
    if kind < 0.5 and length > 2.5:
        nods = kind < 0.3
        moved[:, int(nods)] = swing * motion.nod(seconds, start * length, start * length + lasts, cycles)
    return moved
