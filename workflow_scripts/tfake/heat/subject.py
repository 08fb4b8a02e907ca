"""What makes one person's temperatures differ from the mean subject's; the same person at every ambient."""

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass, replace
from enum import IntEnum
from functools import cache

import numpy as np

from tfake.heat.grain import draw_grain
from tfake.heat.rooms import contrast
from tfake.heat.tables import read_materials, read_points, read_regions
from tfake.heat.vascular import Vessels, Waves, draw_vessels, draw_waves

#: Correlation of two regions' offsets: what all share (metabolism, clothing, time of day) and what neighbours share.
COMMON_CORRELATION = 0.1
CORRELATION_LENGTH_CM = 5.0
#: Half the difference left minus right, as a part of a region's spread.
ASYMMETRY = 0.25
#: Spots of perfusion: their spread as a part of the region's spread, up to a region that varies by this much (K), and
#: the part of their variance that is taken from what the region's spots share. Real faces decorrelate over 2 cm.
PERFUSION_PART, PERFUSION_UP_TO_KELVIN, TAKEN_FROM_REGION = 1.0, 1.0, 0.7
#: Part of the spots' variance that left and right share; of 18 real people's it is .83.
PERFUSION_SYMMETRY = 0.83
#: SD of how much more or less than the mean subject's a person's skin follows the room (fraction of the slopes).
COOLING = 0.5
#: SD between people of how strongly the places of one region differ (fraction): a nose may be cool all over, or at its
#: wings alone.
PATTERN_SPREAD = 0.4
#: SD between people of how strong the small marks of the skin are (judgement).
MARKS_SPREAD = 0.35


class Stream(IntEnum):
    """Third member of the seed sequence (seed, face, stream); the renderer's streams are below 100."""

    REGIONS = 101
    PERFUSION = 102
    VESSELS = 103
    COVERINGS = 104
    CAMERA = 105
    FIXED_PATTERN = 106
    GRAIN = 107


@dataclass(frozen=True)
class SubjectState:
    """What one person's temperatures do from day to day, on top of what is drawn.

    Attributes:
        fever_kelvin: rise of the core's temperature; skin follows the more the nearer it is to the core.
        nose_kelvin: added to the nose, in which vessels close in the cold and under stress.
        canthi_kelvin: added to the inner canthi.
        perfusion: factor on the fine pattern of perfusion and vessels.
        breath: phase of breathing, -1 (in) .. 1 (out), or None for the drawn one; a deep breath goes beyond.
        pulse_kelvin: what the beat of the heart adds to the skin at this moment.
        drift_kelvin: what else the skin has gained since.
    """

    fever_kelvin: float = 0.0
    nose_kelvin: float = 0.0
    canthi_kelvin: float = 0.0
    perfusion: float = 1.0
    breath: float | None = None
    pulse_kelvin: float = 0.0
    drift_kelvin: float = 0.0


@dataclass(frozen=True)
class Subject:
    """One person.

    Attributes:
        regional: (R,) float64 standard scores of the regions' offsets, correlated between neighbours.
        asymmetry: (R,) float64 standard scores of left against right.
        cooling: how much more than the mean subject's the differences between regions grow as a room cools (fraction).
        pattern: (R,) float64 factors on how far the places of each region are from its mean.
        perfusion: smooth pattern of the skin.
        vessels: superficial vessels.
        grain: texture of the skin's finest pattern (:mod:`tfake.heat.grain`).
        strands: pattern of hair.
        stubble: pattern of the beard.
        folds: pattern of cloth.
        covers: material to standard score of its fraction between ambient and skin.
        marks: factor on the small marks of the skin.
        breath: phase of breathing, -1 (in) .. 1 (out).
        state: how the person is today.
    """

    regional: np.ndarray
    asymmetry: np.ndarray
    cooling: float
    pattern: np.ndarray
    perfusion: Waves
    vessels: Vessels
    grain: np.ndarray
    strands: Waves
    stubble: Waves
    folds: Waves
    covers: Mapping[str, float]
    marks: float
    breath: float
    state: SubjectState = SubjectState()

    def region_kelvin(self, ambient_celsius: float, tables: str = "measured") -> np.ndarray:
        """Offsets (R,) of the region means in K."""
        regions = read_regions(tables)
        today = {"nose": self.state.nose_kelvin, "canthus": self.state.canthi_kelvin}
        spread = regions.spread(ambient_celsius)
        spots = contrast(ambient_celsius) * perfusion_spread(spread)
        shared = np.sqrt(np.maximum(np.square(spread) - TAKEN_FROM_REGION * np.square(spots), 0.0))
        return self.regional * shared + [today.get(name, 0.0) for name in regions.names]

    def asymmetry_kelvin(self, ambient_celsius: float, tables: str = "measured") -> np.ndarray:
        """Half the difference left minus right (R,) in K."""
        return ASYMMETRY * self.asymmetry * read_regions(tables).spread(ambient_celsius)


def in_state(subject: Subject, state: SubjectState) -> Subject:
    """The same person in another state."""
    return replace(subject, state=state, breath=subject.breath if state.breath is None else state.breath)


def perfusion_spread(spread: np.ndarray) -> np.ndarray:
    """SD of the spots of perfusion (K) where skin varies by ``spread`` between people, in the cold; any shape."""
    return PERFUSION_PART * np.minimum(spread, PERFUSION_UP_TO_KELVIN)


def total_spread(spread: np.ndarray, ambient_celsius: float) -> np.ndarray:
    """SD between people (K) at one place where regions vary by ``spread``: regions, asymmetry and spots; any shape."""
    spots = contrast(ambient_celsius) * perfusion_spread(spread)
    return np.sqrt((1.0 + ASYMMETRY**2) * np.square(spread) + (1.0 - TAKEN_FROM_REGION) * np.square(spots))


@cache
def _correlation_root() -> np.ndarray:
    """Lower Cholesky factor (R, R) of the correlation c + (1 - c) exp(-distance / length) between regions."""
    # People do not depend on the tables that say how warm the mean one is.
    points = read_points("charlotte")
    regions = len(read_regions().names)
    # One side stands for both; a region without points (the open mouth) has no neighbour.
    place = np.full((regions, 3), np.inf)
    for region in np.unique(points.region):
        place[region] = np.abs(points.position[points.region == region] * (1, 0, 0)).mean(axis=0)
        place[region, 1:] = points.position[points.region == region, 1:].mean(axis=0)
    known = np.isfinite(place).all(axis=1)
    near = np.eye(regions)
    distance = np.linalg.norm(place[known, None] - place[known], axis=-1)
    near[np.ix_(known, known)] = np.exp(-distance / CORRELATION_LENGTH_CM)
    return np.linalg.cholesky(COMMON_CORRELATION + (1.0 - COMMON_CORRELATION) * near)


def draw_subject(seed: int, face: int | str, state: SubjectState = SubjectState()) -> Subject:
    """Draw the person of a face.

    Args:
        seed: of all people.
        face: number of a rendered face, or the id of any image. The person of an image "000007" has nothing to do with
            that of the rendered face 7.
        state: how the person is today.
    """
    if isinstance(face, str):
        face = int.from_bytes(hashlib.sha256(face.encode()).digest()[:8], "big")
    regions, materials = read_regions(), read_materials()
    rng = np.random.default_rng([seed, face, Stream.REGIONS])
    # Scores beyond 2.5 SD would put skin above the core or a nose below ambient.
    regional = np.clip(_correlation_root() @ rng.standard_normal(len(regions.names)), -2.5, 2.5)
    asymmetry = np.clip(rng.standard_normal(len(regions.names)), -2.5, 2.5)
    cooling = COOLING * float(np.clip(rng.standard_normal(), -2.0, 2.0))
    marks = rng.standard_normal()
    pattern = 1.0 + PATTERN_SPREAD * np.clip(rng.standard_normal(len(regions.names)), -2.0, 2.0)
    perfusion = draw_waves(np.random.default_rng([seed, face, Stream.PERFUSION]), 1.5, 6.0, 40)
    vessels = draw_vessels(np.random.default_rng([seed, face, Stream.VESSELS]))
    rng = np.random.default_rng([seed, face, Stream.COVERINGS])
    strands = draw_waves(rng, 0.3, 1.4, 20, stretch=(1.0, 6.0, 1.0))
    stubble = draw_waves(rng, 0.25, 1.2, 24, stretch=(1.0, 1.5, 1.0))
    folds = draw_waves(rng, 3.0, 10.0, 28, stretch=(1.0, 1.5, 1.0))
    scores = np.clip(rng.standard_normal(len(materials.names)), -2.0, 2.0)
    return Subject(
        regional=regional,
        asymmetry=asymmetry,
        cooling=cooling,
        pattern=pattern,
        perfusion=perfusion,
        vessels=vessels,
        grain=draw_grain(np.random.default_rng([seed, face, Stream.GRAIN])),
        strands=strands,
        stubble=stubble,
        folds=folds,
        covers=dict(zip(materials.names, scores.tolist(), strict=True)),
        marks=1.0 + MARKS_SPREAD * float(np.clip(marks, -2.0, 2.0)),
        breath=float(rng.uniform(-1.0, 1.0)) if state.breath is None else state.breath,
        state=state,
    )
