"""The thermal truth of a rendered face: what a radiometric camera without noise would read at every pixel.

It knows the visible surface (class, place on the mean head, angle of view, glasses), the ambient and, in one of its two
forms, the person; it never sees the RGB image. Layers, in order: skin as a smooth field through the region lines
measured on CHARLOTTE (:mod:`tfake.heat.regions`), the person's offsets, perfusion and vessels
(:mod:`tfake.heat.subject`, :mod:`tfake.heat.vascular`), cornea and open mouth, coverings between skin and ambient
(:mod:`tfake.heat.coverings`), and what a camera reads of a surface temperature.

A surface at T emits eps E(T) and reflects (1 - eps) E(T_ambient) of its surroundings. The camera is set, as is usual
for skin, to an emissivity of .98 and a reflected temperature equal to ambient, and inverts

    eps_set E(T_read) + (1 - eps_set) E(T_ambient) = eps E(T) + (1 - eps) E(T_ambient),

so bare skin seen at a right angle reads its own temperature, anything at ambient reads ambient, and what emits less
reads nearer to ambient. E is Planck's law over 8-14 um, near 300 K a power law E(T) = T^4.57 with T in kelvin (the
slope of log E over log T; the full spectrum would give Stefan-Boltzmann's 4).
"""

import cv2
import numpy as np

from tfake.core.classes import FaceClass
from tfake.core.radiometry import ZERO_CELSIUS_KELVIN
from tfake.heat.coverings import centimetres_per_pixel, covering_fraction, distance_to, material_of_class
from tfake.heat.regions import contrast, control_celsius, skin_field
from tfake.heat.subject import PERFUSION_KELVIN, Subject, draw_subject
from tfake.heat.tables import read_materials, read_regions
from tfake.mesh.raster import SurfaceBuffer

BAND_EXPONENT = 4.57
CAMERA_EMISSIVITY = 0.98
#: Pores and fine wrinkles: even where the surface turns away, some of it faces the camera.
ROUGHNESS = 0.12


def directional_emissivity(
    normal_emissivity: np.ndarray | float, facing: np.ndarray, warm_beyond: np.ndarray | float = 0.0
) -> np.ndarray:
    """Emissivity of a smooth dielectric seen at an angle: 1 minus Schlick's approximation of the Fresnel reflectance.

    With R0 = 1 - normal_emissivity, Schlick (1994) has R = R0 + (1 - R0)(1 - cos)^5, hence
    eps = (1 - R0)(1 - (1 - cos)^5): flat up to 60 degrees, then falling, as measured on skin (Watmough et al. 1970).
    At such angles the mirror shows what lies just beyond the edge: the room at a silhouette, but more skin where the
    jaw hides the neck. That fraction counts as emitted, since it is as warm.

    Args:
        normal_emissivity: emissivity at normal view, scalar or of facing's shape.
        facing: cosine between normal and view ray, 0..1, any shape.
        warm_beyond: fraction of the grazing reflection that shows skin instead of the room, scalar or facing's shape.

    Returns:
        Effective emissivity, facing's shape.
    """
    away = (1.0 - ROUGHNESS) * (1.0 - facing)
    return normal_emissivity * (1.0 - away**5 * (1.0 - warm_beyond))


def apparent_celsius(celsius: np.ndarray, emissivity: np.ndarray | float, ambient_celsius: float) -> np.ndarray:
    """Read a surface with the camera.

    Args:
        celsius: surface temperature, °C, float32 of any shape.
        emissivity: towards the camera, scalar or of the same shape.
        ambient_celsius: temperature of the surroundings, °C.

    Returns:
        float32 array of the same shape: the temperature read, °C.
    """
    # Relative to ambient, so that ambient maps to itself exactly and float32 suffices.
    ambient = np.float32(ambient_celsius + ZERO_CELSIUS_KELVIN)
    ratio = 1.0 + (np.asarray(celsius, np.float32) - np.float32(ambient_celsius)) / ambient
    excess = np.power(ratio, np.float32(BAND_EXPONENT)) - np.float32(1.0)
    excess *= np.asarray(emissivity, np.float32) / np.float32(CAMERA_EMISSIVITY)
    read = np.power(1.0 + excess, np.float32(1.0 / BAND_EXPONENT)) - np.float32(1.0)
    return read * ambient + np.float32(ambient_celsius)


#: The cornea is cooler than the lids around it (facts 3: cornea 33.3, inner canthus 34.3 °C); K in the cold.
CORNEA_KELVIN = -0.7
#: Width of the soft border of cornea, brows and open mouth (cm): heat spreads, hairs thin out.
SOFT_EDGE_CM = 0.12
#: Skin this far (cm) inside the outline mirrors mostly other skin at grazing angles, and the room by the rest.
SILHOUETTE_CM = 1.0
SKIN_IN_MIRROR = 0.75
_EYES = (FaceClass.RIGHT_EYE, FaceClass.LEFT_EYE)
_BROWS = (FaceClass.RIGHT_BROW, FaceClass.LEFT_BROW)


def expected_temperature(surface: SurfaceBuffer, ambient_celsius: float) -> np.ndarray:
    """Give the noise-free truth for the mean subject: nothing that the RGB image and the ambient cannot tell.

    Args:
        surface: the visible surface, (H, W).
        ambient_celsius: temperature of the room, its walls and the background, °C.

    Returns:
        (H, W) float32 °C; the background is exactly ambient.
    """
    return _read_surface(surface, ambient_celsius, None)


def subject_temperature(surface: SurfaceBuffer, ambient_celsius: float, seed: int, face: int) -> np.ndarray:
    """Give the truth for this face's own person, before the camera.

    Args:
        surface: the visible surface, (H, W).
        ambient_celsius: temperature of the room, its walls and the background, °C.
        seed: the source's seed.
        face: number of the face; one face is one person, the same at every ambient.

    Returns:
        (H, W) float32 °C; the background is exactly ambient.
    """
    return _read_surface(surface, ambient_celsius, draw_subject(seed, face))


def _read_surface(surface: SurfaceBuffer, ambient_celsius: float, subject: Subject | None) -> np.ndarray:
    classes = surface.classes
    solid = (classes != FaceClass.BACKGROUND) & (classes != FaceClass.IGNORE)
    solid &= np.isfinite(surface.rest_position[..., 2])
    celsius = np.full(classes.shape, ambient_celsius, np.float32)
    inside = np.flatnonzero(solid)
    if not len(inside):
        return celsius
    table = read_materials()
    glass, brow = table.names.index("glass"), table.names.index("brow")
    cm_per_pixel = centimetres_per_pixel(surface)
    positions = np.ascontiguousarray(surface.rest_position.reshape(-1, 3)[inside], np.float32)
    material = material_of_class()[classes.ravel()[inside]]
    # Hairs of a brow thin out over its border, so brows count as skin here and come in by a soft mask below.
    bare_skin = table.names.index("skin")
    material[material == brow] = bare_skin
    bare = material == bare_skin
    eyes, brows, mouth = (
        _soft_mask(classes, group, cm_per_pixel)[inside] for group in (_EYES, _BROWS, (FaceClass.MOUTH_INTERIOR,))
    )
    skin = _skin_below(positions, material, ambient_celsius, subject)
    skin += np.float32(CORNEA_KELVIN * contrast(ambient_celsius)) * eyes
    skin += (_region("mouth_interior", ambient_celsius, subject) - skin) * mouth

    on_skin = np.zeros(classes.shape, bool)
    on_skin.ravel()[inside[bare]] = True
    depth = distance_to(on_skin, cm_per_pixel).ravel()[inside]
    facing = surface.facing.ravel()[inside]
    under_glass = surface.lens.ravel()[inside]
    material[under_glass] = glass
    fraction = covering_fraction(material, positions, facing, depth, subject)
    brow_fraction = table.deep[brow] + (0.0 if subject is None else subject.fraction[brow])
    fraction *= 1.0 - (1.0 - brow_fraction) * brows * ~under_glass

    emissivity = table.emissivity[material]
    smooth = material == bare_skin
    from_room = distance_to(~solid, cm_per_pixel).ravel()[inside][smooth]
    warm_beyond = np.float32(SKIN_IN_MIRROR) * np.minimum(from_room / np.float32(SILHOUETTE_CM), 1.0)
    emissivity[smooth] = directional_emissivity(emissivity[smooth], facing[smooth], warm_beyond)
    surface_celsius = np.float32(ambient_celsius) + fraction * (skin - np.float32(ambient_celsius))
    celsius.ravel()[inside] = apparent_celsius(surface_celsius, emissivity, ambient_celsius)
    return celsius


def _skin_below(
    positions: np.ndarray, material: np.ndarray, ambient_celsius: float, subject: Subject | None
) -> np.ndarray:
    """Temperature of the skin at or below each pixel (N,), °C; the person's fine pattern only where it is bare."""
    names = read_materials().names
    if subject is None:
        control = control_celsius(ambient_celsius)
    else:
        offsets = subject.region_kelvin(ambient_celsius), subject.asymmetry_kelvin(ambient_celsius)
        control = control_celsius(ambient_celsius, *offsets)
    skin = np.empty(len(positions), np.float32)
    placed = np.ones(len(positions), bool)
    # Cloth hangs on neck and chest wherever its rest position lies; below a mask it is as warm as the lips.
    for covering, below in (("clothing", "neck"), ("facewear", "mouth")):
        covered = material == names.index(covering)
        skin[covered] = _region(below, ambient_celsius, subject)
        placed &= ~covered
    skin[placed] = skin_field(positions[placed], control)
    if subject is not None:
        bare = material == names.index("skin")
        places = positions[bare]
        pattern = np.float32(PERFUSION_KELVIN) * subject.perfusion.evaluate(places) + subject.vessels.evaluate(places)
        skin[bare] += np.float32(contrast(ambient_celsius)) * pattern
    return skin


def _region(name: str, ambient_celsius: float, subject: Subject | None) -> np.float32:
    """One region's mean, °C."""
    lines = read_regions()
    index = lines.names.index(name)
    offset = 0.0 if subject is None else subject.region_kelvin(ambient_celsius)[index]
    return np.float32(lines.celsius(ambient_celsius)[index] + offset)


def _soft_mask(classes: np.ndarray, group: tuple[FaceClass, ...], cm_per_pixel: float) -> np.ndarray:
    """A class group with a soft border, flat (H * W,) float32 in 0..1."""
    mask = np.logical_or.reduce([classes == member for member in group])
    if not mask.any():
        return np.zeros(classes.size, np.float32)
    sigma = max(SOFT_EDGE_CM / cm_per_pixel, 0.3)
    return cv2.GaussianBlur(mask.astype(np.float32), (0, 0), sigma, borderType=cv2.BORDER_REFLECT).ravel()
