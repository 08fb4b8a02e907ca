"""What makes one person's temperatures differ from the mean subject's; the same person at every ambient."""

from dataclasses import dataclass
from enum import IntEnum
from functools import cache

import numpy as np

from tfake.heat.tables import read_materials, read_points, read_regions
from tfake.heat.vascular import Vessels, Waves, draw_vessels, draw_waves

#: Correlation of two regions' offsets: what all share (metabolism, clothing, time of day) and what neighbours share.
COMMON_CORRELATION = 0.35
CORRELATION_LENGTH_CM = 5.0
#: Half the difference left minus right, as a part of a region's spread.
ASYMMETRY = 0.25
#: SD of the skin's fine perfusion pattern in the cold (K).
PERFUSION_KELVIN = 0.22


class Stream(IntEnum):
    """Third member of the seed sequence (seed, face, stream); the renderer's streams are below 100."""

    REGIONS = 101
    PERFUSION = 102
    VESSELS = 103
    COVERINGS = 104
    CAMERA = 105
    FIXED_PATTERN = 106


@dataclass(frozen=True)
class Subject:
    """One person.

    Attributes:
        regional: (R,) float64 standard scores of the regions' offsets, correlated between neighbours.
        asymmetry: (R,) float64 standard scores of left against right.
        perfusion: smooth pattern of the skin.
        vessels: superficial vessels.
        strands: pattern of hair.
        stubble: pattern of the beard.
        folds: pattern of cloth.
        fraction: (M,) float32 offset of each material's fraction between ambient and skin.
        breath: phase of breathing, -1 (in) .. 1 (out).
    """

    regional: np.ndarray
    asymmetry: np.ndarray
    perfusion: Waves
    vessels: Vessels
    strands: Waves
    stubble: Waves
    folds: Waves
    fraction: np.ndarray
    breath: float

    def region_kelvin(self, ambient_celsius: float) -> np.ndarray:
        """Offsets (R,) of the region means in K."""
        return self.regional * read_regions().spread(ambient_celsius)

    def asymmetry_kelvin(self, ambient_celsius: float) -> np.ndarray:
        """Half the difference left minus right (R,) in K."""
        return ASYMMETRY * self.asymmetry * read_regions().spread(ambient_celsius)


@cache
def _correlation_root() -> np.ndarray:
    """Lower Cholesky factor (R, R) of the correlation c + (1 - c) exp(-distance / length) between regions."""
    samples = read_points("sample")
    regions = len(read_regions().names)
    # One side stands for both; a region without sample points (the open mouth) has no neighbour.
    place = np.full((regions, 3), np.inf)
    for region in np.unique(samples.region):
        place[region] = np.abs(samples.position[samples.region == region] * (1, 0, 0)).mean(axis=0)
        place[region, 1:] = samples.position[samples.region == region, 1:].mean(axis=0)
    known = np.isfinite(place).all(axis=1)
    near = np.eye(regions)
    distance = np.linalg.norm(place[known, None] - place[known], axis=-1)
    near[np.ix_(known, known)] = np.exp(-distance / CORRELATION_LENGTH_CM)
    return np.linalg.cholesky(COMMON_CORRELATION + (1.0 - COMMON_CORRELATION) * near)


def draw_subject(seed: int, face: int) -> Subject:
    """Draw the person of a face.

    Args:
        seed: the source's seed.
        face: number of the face.
    """
    regions, materials = read_regions(), read_materials()
    rng = np.random.default_rng([seed, face, Stream.REGIONS])
    # Scores beyond 2.5 SD would put skin above the core or a nose below ambient.
    regional = np.clip(_correlation_root() @ rng.standard_normal(len(regions.names)), -2.5, 2.5)
    asymmetry = np.clip(rng.standard_normal(len(regions.names)), -2.5, 2.5)
    perfusion = draw_waves(np.random.default_rng([seed, face, Stream.PERFUSION]), 2.2, 7.0, 24)
    vessels = draw_vessels(np.random.default_rng([seed, face, Stream.VESSELS]))
    rng = np.random.default_rng([seed, face, Stream.COVERINGS])
    strands = draw_waves(rng, 0.3, 1.4, 20, stretch=(1.0, 6.0, 1.0))
    stubble = draw_waves(rng, 0.25, 1.2, 24, stretch=(1.0, 1.5, 1.0))
    folds = draw_waves(rng, 3.0, 10.0, 28, stretch=(1.0, 1.5, 1.0))
    fraction = materials.fraction_sd * np.clip(rng.standard_normal(len(materials.names)), -2.0, 2.0)
    return Subject(
        regional=regional,
        asymmetry=asymmetry,
        perfusion=perfusion,
        vessels=vessels,
        strands=strands,
        stubble=stubble,
        folds=folds,
        fraction=fraction.astype(np.float32),
        breath=float(rng.uniform(-1.0, 1.0)),
    )
