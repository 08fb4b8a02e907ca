"""Random generators of a camera: its own faults come from its seed, what is different in each shot also from the id."""

import hashlib
from enum import IntEnum

import numpy as np

from tfake.radiometry import ZERO_CELSIUS_KELVIN


class Stream(IntEnum):
    """Which random choice; each has a generator of its own, so that a changed setting moves no other choice."""

    VIEW = 201
    SURROUNDINGS = 202
    PATTERN = 203
    DEAD_PIXELS = 204
    DRIFT = 205
    NOISE = 206


def of_camera(seed: int, stream: Stream) -> np.random.Generator:
    """A generator that every shot of the camera shares: its fixed pattern, its dead pixels."""
    return np.random.default_rng([seed, stream])


def of_shot(seed: int, stream: Stream, image_id: str) -> np.random.Generator:
    """A generator for one choice of one shot, the same in every room: who stands where, in front of what."""
    return np.random.default_rng([seed, stream, _number(image_id)])


def of_exposure(seed: int, stream: Stream, image_id: str, ambient_celsius: float) -> np.random.Generator:
    """A generator for what differs even between two rooms: noise and drift."""
    millikelvin = round((ambient_celsius + ZERO_CELSIUS_KELVIN) * 1000)
    return np.random.default_rng([seed, stream, _number(image_id), millikelvin])


def _number(image_id: str) -> int:
    return int.from_bytes(hashlib.sha256(image_id.encode()).digest()[:8], "little")
