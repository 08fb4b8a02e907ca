"""What a radiometric camera without noise reads of a surface: emission, reflection and the angle of view.

A surface at T emits eps E(T) and reflects (1 - eps) E(T_ambient) of its surroundings. The camera is set, as is usual
for skin, to an emissivity of .98 and a reflected temperature equal to ambient, and inverts

    eps_set E(T_read) + (1 - eps_set) E(T_ambient) = eps E(T) + (1 - eps) E(T_ambient),

so bare skin seen at a right angle reads its own temperature, anything at ambient reads ambient, and what emits less
reads nearer to ambient. E is Planck's law over 8-14 um, near 300 K a power law E(T) = T^4.57 with T in kelvin (the
slope of log E over log T; the full spectrum would give Stefan-Boltzmann's 4).
"""

import numpy as np

from tfake.core.radiometry import ZERO_CELSIUS_KELVIN

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
