"""Temperatures through time: breath, pulse, drift, and what stress, fever and cold do, each a number at every moment.

Breath: the nostrils and the open mouth cool while air is drawn in and warm while it leaves (Fei and Pavlidis, IEEE TBME
57(4), 2010). Pulse: skin follows the beat by hundredths of a kelvin (Garbey et al., IEEE TBME 54(8), 2007). Stress: the
nose cools within a minute or two, by one kelvin or more (Engert et al., PLoS ONE 9(3), 2014). Fever: the core warms
over tens of minutes. Cold: skin that comes in from the cold is pale and cool, most of all at the nose, and is perfused
again over minutes (time constants of the last two are judgement).
"""

from collections.abc import Mapping
from dataclasses import dataclass, fields
from typing import Any, Self

import numpy as np

from tfake.core.codes import BodyState
from tfake.heat.subject import SubjectState

#: Of the time that a breath takes, what drawing in takes.
_IN = 0.4
#: Second harmonic of the pulse's wave over the first, and by how much it lags: the dicrotic shoulder.
_SHOULDER, _SHOULDER_LAG = 0.35, 0.9
#: Time constants of slow changes, seconds.
TIME_CONSTANTS = {BodyState.STRESS: 60.0, BodyState.FEVER: 1200.0, BodyState.COLD: 300.0}
#: What cold does to skin and to the pattern of perfusion, beside what it does to the nose (fractions; judgement).
_COLD_SKIN, _COLD_PERFUSION = 0.4, 0.7


def breath_curve(cycles: np.ndarray | float) -> np.ndarray:
    """Phase of breathing: 1 when all air is out, -1 when it is drawn in; of period 1, any shape."""
    phase = np.asarray(cycles, float) % 1.0
    drawn_in = np.cos(np.pi * phase / _IN)
    let_out = -np.cos(np.pi * (phase - _IN) / (1.0 - _IN))
    return np.where(phase < _IN, drawn_in, let_out)


def pulse_curve(cycles: np.ndarray | float) -> np.ndarray:
    """The pulse's wave, within -1..1 and of mean 0; of period 1, any shape."""
    angle = 2.0 * np.pi * np.asarray(cycles, float)
    return (np.sin(angle) + _SHOULDER * np.sin(2.0 * angle - _SHOULDER_LAG)) / (1.0 + _SHOULDER)


@dataclass(frozen=True)
class Physiology:
    """What one body does in one sequence.

    Attributes:
        body: which slow change is under way.
        breaths_per_minute, breath_depth, breath_start: rate, swing (1 is a usual breath), cycles at time 0.
        beats_per_minute, pulse_kelvin, pulse_start: rate, amplitude at skin in a room of 20 degrees, cycles at time 0.
        drift_kelvin_per_minute: of the skin.
        nose_cooling_kelvin: by which stress cools the nose in the end.
        fever_kelvin: by which fever warms the core in the end.
        cold_kelvin: by which the nose is too cold when somebody comes in.
        begun_seconds: how long the slow change has been under way at time 0.
    """

    body: BodyState = BodyState.REST
    breaths_per_minute: float = 15.0
    breath_depth: float = 1.0
    breath_start: float = 0.0
    beats_per_minute: float = 70.0
    pulse_kelvin: float = 0.02
    pulse_start: float = 0.0
    drift_kelvin_per_minute: float = 0.0
    nose_cooling_kelvin: float = 1.5
    fever_kelvin: float = 1.5
    cold_kelvin: float = 4.0
    begun_seconds: float = 0.0

    def state_at(self, seconds: float) -> SubjectState:
        """The state at a moment."""
        cycles = self.breath_start + seconds * self.breaths_per_minute / 60.0
        beats = self.pulse_start + seconds * self.beats_per_minute / 60.0
        drift = self.drift_kelvin_per_minute * seconds / 60.0
        fever, nose, perfusion = 0.0, 0.0, 1.0
        if self.body != BodyState.REST:
            left = float(np.exp(-max(seconds + self.begun_seconds, 0.0) / TIME_CONSTANTS[self.body]))
            if self.body == BodyState.STRESS:
                nose = -self.nose_cooling_kelvin * (1.0 - left)
            elif self.body == BodyState.FEVER:
                fever = self.fever_kelvin * (1.0 - left)
            else:
                nose = -self.cold_kelvin * left
                drift -= _COLD_SKIN * self.cold_kelvin * left
                perfusion = 1.0 - _COLD_PERFUSION * left
        return SubjectState(
            fever_kelvin=fever,
            nose_kelvin=nose,
            perfusion=perfusion,
            breath=self.breath_depth * float(breath_curve(cycles)),
            pulse_kelvin=self.pulse_kelvin * float(pulse_curve(beats)),
            drift_kelvin=drift,
        )


@dataclass(frozen=True)
class PhysiologyRanges:
    """Between which bounds bodies are drawn; each (lowest, highest), but for what slow changes reach in the end."""

    breaths_per_minute: tuple[float, float] = (12.0, 20.0)
    breath_depth: tuple[float, float] = (0.7, 1.4)
    beats_per_minute: tuple[float, float] = (55.0, 95.0)
    pulse_kelvin: tuple[float, float] = (0.01, 0.04)
    drift_kelvin_per_minute: tuple[float, float] = (-0.05, 0.05)
    nose_cooling_kelvin: float = 1.5
    fever_kelvin: float = 1.5
    cold_kelvin: float = 4.0

    @classmethod
    def from_mapping(cls, settings: Mapping[str, Any]) -> Self:
        """Take plain values by the names of the attributes.

        Raises:
            TypeError: an unknown name.
        """
        return cls(**{name: tuple(own) if isinstance(own, list) else own for name, own in settings.items()})

    def draw(self, rng: np.random.Generator, body: BodyState) -> Physiology:
        """Draw a body in a state; a slow change has been under way for up to one and a half of its time constants."""
        drawn = {}
        for field in fields(self):
            bounds = getattr(self, field.name)
            drawn[field.name] = float(rng.uniform(*bounds)) if isinstance(bounds, tuple) else bounds
        breath, pulse, begun = rng.uniform(size=3)
        return Physiology(
            body=body,
            breath_start=float(breath),
            pulse_start=float(pulse),
            begun_seconds=float(1.5 * begun * TIME_CONSTANTS.get(body, 0.0)),
            **drawn,
        )
