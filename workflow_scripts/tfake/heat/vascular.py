"""What differs from skin to skin at one mean: perfusion as band-limited noise, and warm superficial vessels."""

from dataclasses import dataclass

import numpy as np

_ROWS_AT_ONCE = 8192
_MIRROR = np.array((-1.0, 1.0, 1.0), np.float32)
_ONES = np.ones((3, 1), np.float32)

#: Courses on the subject's left, rest frame, cm: the vessels that stand out on thermal faces (Buddharaju et al.,
#: "Physiology-based face recognition in the thermal infrared spectrum", PAMI 2007); courses after Gray's Anatomy.
VESSELS: dict[str, tuple[tuple[float, float, float], ...]] = {
    "supratrochlear": ((1.1, 2.6, 9.6), (1.3, 4.8, 9.6), (1.8, 7.2, 9.0), (2.3, 9.4, 7.6)),
    "supraorbital": ((2.6, 3.2, 8.9), (2.9, 5.4, 8.7), (3.7, 7.8, 7.6)),
    "temporal": ((7.0, 0.8, 2.0), (6.7, 2.8, 3.2), (6.1, 4.8, 4.6), (5.2, 7.2, 5.6)),
    "angular": ((1.6, 1.3, 8.6), (2.0, -0.6, 8.9), (2.8, -2.8, 8.6), (3.6, -4.8, 7.6)),
    "jugular": ((5.4, -8.5, 1.6), (5.0, -11.0, 2.0), (4.4, -14.0, 2.6)),
}
VESSEL_SPACING_CM = 0.4
#: Depth counts less than the course seen from the front: the mean head's surface differs from the table by millimetres.
_METRIC = np.array([1.0, 1.0, 0.4])


@dataclass(frozen=True)
class Waves:
    """A sum of plane waves in the rest frame, of unit variance.

    Attributes:
        vectors: (3, K) float32 rad/cm.
        phases: (K,) float32 rad.
    """

    vectors: np.ndarray
    phases: np.ndarray

    def evaluate_mirrored(self, positions: np.ndarray, symmetric: float) -> np.ndarray:
        """As ``evaluate``, with so much of the variance (0..1) alike on the left and the right, the rest opposite."""
        here, there = self.evaluate(positions), self.evaluate(positions * _MIRROR)
        alike, opposite = np.sqrt(symmetric / 2.0), np.sqrt((1.0 - symmetric) / 2.0)
        return np.float32(alike + opposite) * here + np.float32(alike - opposite) * there

    def evaluate(self, positions: np.ndarray) -> np.ndarray:
        """Evaluate at (N, 3) float32 cm; gives (N,) float32 of mean 0 and variance 1 over phases."""
        values = np.empty(len(positions), np.float32)
        scale = np.full(len(self.phases), np.sqrt(2.0 / len(self.phases)), np.float32)
        for start in range(0, len(positions), _ROWS_AT_ONCE):
            rows = slice(start, start + _ROWS_AT_ONCE)
            values[rows] = np.cos(positions[rows] @ self.vectors + self.phases) @ scale
        return values


def draw_waves(
    rng: np.random.Generator,
    shortest_cm: float,
    longest_cm: float,
    count: int,
    stretch: tuple[float, float, float] = (1.0, 1.0, 1.0),
) -> Waves:
    """Draw plane waves of random direction and of wavelengths log-uniform in a band.

    Args:
        rng: source of randomness.
        shortest_cm: shortest wavelength.
        longest_cm: longest wavelength.
        count: number of waves.
        stretch: factor on the wavelength along x, y and z; (1, 6, 1) gives fibres that run along y.
    """
    directions = rng.standard_normal((count, 3))
    directions /= np.linalg.norm(directions, axis=1, keepdims=True)
    lengths = np.exp(rng.uniform(np.log(shortest_cm), np.log(longest_cm), (count, 1)))
    vectors = 2.0 * np.pi * directions / lengths / np.array(stretch)
    phases = rng.uniform(0.0, 2.0 * np.pi, count)
    return Waves(vectors.T.astype(np.float32), phases.astype(np.float32))


@dataclass(frozen=True)
class Vessels:
    """Chains of warm bumps (1 - d^2 / radius^2)^3, zero beyond the radius.

    Attributes:
        centres: (V, 3) float64 cm, rest frame.
        radii: (V,) float64 cm.
        kelvin: (V,) float64 height of each bump.
    """

    centres: np.ndarray
    radii: np.ndarray
    kelvin: np.ndarray

    def evaluate(self, positions: np.ndarray) -> np.ndarray:
        """Warmth in K, (N,) float32, at (N, 3) float32 cm."""
        warmth = np.zeros(len(positions), np.float32)
        # One side of the head after the other: half the pairs, and nothing of the torso.
        for chosen in (self.centres[:, 0] >= 0.0, self.centres[:, 0] < 0.0):
            if not chosen.any():
                continue
            centres, reach = self.centres[chosen, :2], self.radii[chosen].max()
            low, high = (
                (centres.min(axis=0) - reach).astype(np.float32),
                (centres.max(axis=0) + reach).astype(np.float32),
            )
            x, y = positions[:, 0], positions[:, 1]
            near = np.flatnonzero((x > low[0]) & (x < high[0]) & (y > low[1]) & (y < high[1]))
            for start in range(0, len(near), _ROWS_AT_ONCE):
                rows = near[start : start + _ROWS_AT_ONCE]
                warmth[rows] += self._warmth(positions[rows], chosen)
        return warmth

    def _warmth(self, positions: np.ndarray, chosen: np.ndarray) -> np.ndarray:
        place = positions * _METRIC.astype(np.float32)
        centres = self.centres[chosen] * _METRIC
        scale = -1.0 / self.radii[chosen] ** 2
        matrix = np.vstack((-2.0 * centres.T * scale, scale)).astype(np.float32)
        bump = np.concatenate((place, (place * place) @ _ONES), axis=1) @ matrix
        bump += (1.0 + np.sum(centres**2, axis=1) * scale).astype(np.float32)
        np.maximum(bump, 0.0, out=bump)
        return (bump * bump * bump) @ self.kelvin[chosen].astype(np.float32)


def draw_vessels(rng: np.random.Generator) -> Vessels:
    """Draw one subject's visible vessels: each of :data:`VESSELS`, left and right, winding, .15-.5 K warm or absent."""
    centres, radii, kelvin = [], [], []
    for nodes in VESSELS.values():
        for side in (1.0, -1.0):
            # All draws before the test, so that an absent vessel does not move the next one.
            warmth, radius, absent = rng.uniform(0.15, 0.5), rng.uniform(0.6, 1.0), rng.random() < 0.25
            shift, swing = rng.normal(0.0, 0.25, 3), rng.uniform(0.1, 0.3)
            wave, phase = rng.uniform(2.0, 4.0), rng.uniform(0.0, 2.0 * np.pi)
            if absent:
                continue
            course = np.array(nodes)
            along = np.concatenate(([0.0], np.cumsum(np.linalg.norm(np.diff(course, axis=0), axis=1))))
            at = np.arange(0.0, along[-1], VESSEL_SPACING_CM)
            chain = np.stack([np.interp(at, along, course[:, axis]) for axis in range(3)], axis=1) + shift
            chain[:, 0] += swing * np.sin(2.0 * np.pi * at / wave + phase)
            chain[:, 0] *= side
            # A vessel surfaces and dives: both ends fade. A chain of unit bumps sums to 32/35 radius / spacing.
            fade = np.sin(np.pi * (at + VESSEL_SPACING_CM) / (along[-1] + VESSEL_SPACING_CM)) ** 0.5
            centres.append(chain)
            radii.append(np.full(len(at), radius))
            kelvin.append(warmth * fade * VESSEL_SPACING_CM / (radius * 32.0 / 35.0))
    if not centres:
        return Vessels(np.zeros((0, 3)), np.zeros(0), np.zeros(0))
    return Vessels(np.concatenate(centres), np.concatenate(radii), np.concatenate(kelvin))
