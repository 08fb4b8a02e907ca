"""The heat field: what a camera without noise reads of a face in a room, for the mean person or for one of many.

Layers, in order: skin as a smooth field over the mean head (:mod:`tfake.heat.regions`), the person's offsets, perfusion
and vessels (:mod:`tfake.heat.subject`, :mod:`tfake.heat.vascular`), cornea and open mouth, coverings between skin and
ambient (:mod:`tfake.heat.coverings`), and what a camera reads of a surface temperature (:mod:`tfake.heat.apparent`).
The field knows places, classes and what a picture tells of hair and cloth; colours say nothing of temperature.
"""

from collections.abc import Callable
from dataclasses import dataclass
from functools import cached_property, partial

import cv2
import numpy as np

from tfake.heat.apparent import apparent_celsius
from tfake.heat.coverings import person_fraction
from tfake.heat.grain import GRAIN_KELVIN, lay_grain
from tfake.heat.regions import control_celsius, skin_field, skin_spread
from tfake.heat.rooms import CORE_CELSIUS, contrast
from tfake.heat.subject import PERFUSION_SYMMETRY, Subject, perfusion_spread
from tfake.heat.surface import HeatSurface
from tfake.heat.tables import read_materials, read_points, read_regions

#: The cornea is cooler than the lids around it (facts 3: cornea 33.3, inner canthus 34.3 °C); K in the cold.
CORNEA_KELVIN = -0.7
#: Between breathing out and the mean of a breath, at the nostrils in the cold (K; judgement: some tenths at rest).
BREATH_KELVIN = 0.6
_CLOTH, _MASK = 1, 2


@dataclass(frozen=True)
class HeatField:
    """Temperatures of one face in one room.

    Attributes:
        celsius: (H, W) float32 apparent temperature; background is exactly ambient.
        measure_spread: gives ``spread_kelvin``, which only trainings want.
    """

    celsius: np.ndarray
    measure_spread: Callable[[], np.ndarray]

    @cached_property
    def spread_kelvin(self) -> np.ndarray:
        """(H, W) float32 standard deviation between people of what is read there; 0 on background."""
        return self.measure_spread()


def heat_field(
    surface: HeatSurface, ambient_celsius: float, subject: Subject | None = None, tables: str = "measured"
) -> HeatField:
    """Give a face its temperatures.

    Args:
        surface: of :func:`tfake.heat.registration.register_face` or :func:`tfake.heat.surface.rendered_surface`.
        ambient_celsius: temperature of the room, its walls and the background, °C.
        subject: the person; None is the mean person: nothing that the picture and the room cannot tell.
        tables: which parameters of the model.
    """
    skin = _enlarge(_skin_below(surface, ambient_celsius, subject, tables), surface)
    skin += np.float32(CORNEA_KELVIN * contrast(ambient_celsius)) * surface.eyes
    breath, strength = (0.0, 1.0) if subject is None else (subject.breath, subject.marks)
    skin += np.float32(contrast(ambient_celsius) * strength) * surface.marks.warmth
    if subject is not None:
        grain = lay_grain(subject.grain, surface.places, surface.solid.shape)
        skin += np.float32(GRAIN_KELVIN * contrast(ambient_celsius) * subject.state.perfusion) * grain
    skin += (_region("mouth_interior", ambient_celsius, subject, tables) - skin) * surface.mouth
    # Breath reaches the nostrils, and the open mouth, at nearly the room's temperature and leaves warm.
    felt = np.float32(BREATH_KELVIN * contrast(ambient_celsius) * breath)
    skin += felt * np.maximum(surface.marks.breath, surface.mouth)
    fraction = surface.fraction if subject is None else surface.fraction + _person_covers(surface, subject, tables)
    above = np.clip(fraction, 0.0, 1.0) * (skin - np.float32(ambient_celsius))
    celsius = apparent_celsius(above + np.float32(ambient_celsius), surface.emissivity, ambient_celsius)
    celsius[~surface.solid & (surface.fraction == 0.0)] = ambient_celsius
    return HeatField(celsius, partial(_spread, surface, ambient_celsius, skin, tables))


def _skin_below(surface: HeatSurface, ambient_celsius: float, subject: Subject | None, tables: str) -> np.ndarray:
    """Temperature of the skin at or below each coarse pixel (h, w), °C; ambient where there is nothing."""
    control = control_celsius(ambient_celsius, subject, tables)
    skin = skin_field(surface.control_weights(tables), control)
    if subject is not None:
        places = surface.inside_places
        spread = read_regions(tables).spread(ambient_celsius)[read_points(tables).region]
        pattern = perfusion_spread(skin_field(surface.control_weights(tables), spread))
        pattern *= subject.perfusion.evaluate_mirrored(places, PERFUSION_SYMMETRY)
        pattern += subject.vessels.evaluate(places)
        skin += np.float32(subject.state.perfusion * contrast(ambient_celsius)) * pattern
        # Skin is between room and core, and follows a core that rises by the same fraction; in a room within a kelvin
        # of the core nothing is between them, and all of it does.
        above = CORE_CELSIUS - ambient_celsius
        follows = (skin - np.float32(ambient_celsius)) / np.float32(above) if above > 1.0 else np.float32(1.0)
        skin += np.float32(subject.state.fever_kelvin) * follows
        gained = subject.state.pulse_kelvin + subject.state.drift_kelvin
        if gained:
            skin += np.float32(contrast(ambient_celsius) * gained)
    # Cloth hangs on neck and chest wherever its place lies; below a mask it is as warm as the lips.
    under = surface.under.ravel()[surface.inside]
    for covering, below in ((_CLOTH, "neck"), (_MASK, "mouth")):
        skin[under == covering] = _region(below, ambient_celsius, subject, tables)
    coarse = np.full(surface.places.shape[:2], ambient_celsius, np.float32)
    coarse.ravel()[surface.inside] = skin
    return coarse


def _enlarge(coarse: np.ndarray, surface: HeatSurface) -> np.ndarray:
    """(h, w, ...) to the image's size, (H, W, ...) float32."""
    height, width = surface.solid.shape
    if coarse.shape[:2] == (height, width):
        return coarse.copy()
    return cv2.resize(coarse, (width, height), interpolation=cv2.INTER_LINEAR)


def _region(name: str, ambient_celsius: float, subject: Subject | None, tables: str) -> np.float32:
    """One region's mean, °C."""
    lines = read_regions(tables)
    index = lines.names.index(name)
    offset = 0.0 if subject is None else subject.region_kelvin(ambient_celsius, tables)[index]
    return np.float32(lines.celsius(ambient_celsius)[index] + offset)


def _person_covers(surface: HeatSurface, subject: Subject, tables: str) -> np.ndarray:
    """What the person adds to the fraction of hair, cloth and glass, (H, W) float32."""
    added = np.zeros(surface.solid.shape, np.float32)
    for name, weight in surface.weights.items():
        if name != "skin":
            coarse = np.zeros(surface.places.shape[:2], np.float32)
            coarse.ravel()[surface.inside] = person_fraction(name, surface.inside_places, subject, tables)
            added += weight * _enlarge(coarse, surface)
    return added


def _spread(surface: HeatSurface, ambient_celsius: float, skin: np.ndarray, tables: str) -> np.ndarray:
    """Standard deviation between people, (H, W) float32 K: of regions and perfusion, and of coverings' fractions."""
    coarse = np.zeros(surface.places.shape[:2], np.float32)
    coarse.ravel()[surface.inside] = skin_spread(surface.control_weights(tables), ambient_celsius, tables)
    variance = np.square(surface.fraction * _enlarge(coarse, surface))
    table = read_materials(tables)
    for name, weight in surface.weights.items():
        variance += weight * np.square(table.fraction_sd[table.names.index(name)] * (skin - ambient_celsius))
    return np.sqrt(variance) * (surface.solid | (surface.fraction > 0))
