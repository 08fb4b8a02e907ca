"""Living skin: its colour from melanin and blood, its relief, and its light."""

from dataclasses import dataclass

import numpy as np

from heads import skinmaps
from heads.identity import Traits
from heads.lighting import Lighting
from heads.shading import Points, diffuse, gloss, normalised
from tfake.core.classes import FaceClass

#: Linear albedos from the lightest to the darkest skin, hand-picked.
_TONES = np.array(
    [
        (0.72, 0.475, 0.355),
        (0.64, 0.388, 0.268),
        (0.52, 0.292, 0.184),
        (0.36, 0.188, 0.108),
        (0.195, 0.096, 0.055),
        (0.092, 0.048, 0.030),
    ]
)
_LIGHT_LIP, _DARK_LIP = np.array([0.44, 0.15, 0.135]), np.array([0.13, 0.055, 0.05])


@dataclass(frozen=True)
class Complexion:
    """How this person's skin looks today.

    Attributes:
        tone: (3,) linear albedo.
        lips: (3,) linear albedo of the lips.
        oil: strength of the highlight.
        eye_shadow: (4,) linear RGB of make-up on the lids and its strength.
    """

    tone: np.ndarray
    lips: np.ndarray
    oil: float
    eye_shadow: np.ndarray


def draw_complexion(rng: np.random.Generator, traits: Traits) -> Complexion:
    """Draw a complexion that goes with the traits."""
    place = traits.melanin * (len(_TONES) - 1)
    tone = np.array([np.interp(place, np.arange(len(_TONES)), _TONES[:, c]) for c in range(3)])
    tone = tone * rng.uniform(0.92, 1.08) * (1 + rng.normal(0, (0.02, 0.025, 0.04)))
    lips = 0.30 * tone + 0.70 * (_LIGHT_LIP + (_DARK_LIP - _LIGHT_LIP) * traits.melanin)
    made_up = rng.uniform() < 0.5 * (traits.femininity > 0.5)
    if made_up:
        lips = 0.4 * lips + 0.6 * np.array([rng.uniform(0.25, 0.6), rng.uniform(0.02, 0.16), rng.uniform(0.04, 0.18)])
    shadow = np.append(rng.uniform(0.03, 0.35, 3), rng.uniform(0.2, 0.6) if made_up else 0.0)
    return Complexion(tone, lips, rng.uniform(0.5, 1.35), shadow)


def skin_albedo(rest: np.ndarray, classes: np.ndarray, traits: Traits, complexion: Complexion) -> np.ndarray:
    """Albedo (P, 3) linear RGB of skin, lips and mouth at rest points (P, 3) of classes (P,)."""
    blood, shade, mottle, freckles = skinmaps.sample(skinmaps.colour_map(), skinmaps.texture_coordinates(rest)).T
    pale = 1 - 0.75 * traits.melanin
    red = (0.20 + 0.55 * traits.redness) * blood * pale
    albedo = complexion.tone * (1 - red[:, None] * (0.06, 0.34, 0.36))
    albedo *= 1 + (0.05 + 0.035 * traits.age) * mottle[:, None] * (0.7, 1.0, 1.1)
    albedo *= 1 - (0.16 + 0.22 * traits.age) * shade[:, None] * (0.8, 1.0, 0.95)
    spots = (traits.freckles * freckles + 0.25 * traits.age * np.clip(mottle - 1.3, 0, 1))[:, None]
    albedo *= 1 - 0.42 * spots * (0.7, 1.0, 1.2)
    if complexion.eye_shadow[3] > 0:
        x, y = np.abs(rest[:, 0]), rest[:, 1]
        lid = np.exp(-0.5 * (((x - 3.2) / 0.95) ** 2 + ((y - 2.75) / 0.30) ** 2)) * complexion.eye_shadow[3]
        albedo += lid[:, None] * (complexion.eye_shadow[:3] - albedo)
    ears = (classes == FaceClass.RIGHT_EAR) | (classes == FaceClass.LEFT_EAR)
    albedo[ears] *= 1 - pale * np.array([0.0, 0.14, 0.15])
    lips = (classes == FaceClass.TOP_LIP) | (classes == FaceClass.BOTTOM_LIP)
    albedo[lips] = complexion.lips * (1 + 0.06 * mottle[lips, None])
    inside = classes == FaceClass.MOUTH_INTERIOR
    deep = np.clip((rest[inside, 2] - 3.4) / 4.6, 0.06, 1)[:, None]
    albedo[inside] = np.array([0.42, 0.12, 0.11]) * deep
    return albedo


def skin_normals(points: Points, classes: np.ndarray, traits: Traits, smile: float, turn: np.ndarray) -> np.ndarray:
    """Normals (P, 3) bent by pores, wrinkles, folds and lip grooves; turn (3, 3) is the head's rotation."""
    strengths = np.array([1.0, 0.12 + 1.15 * traits.age, 0.25 + 0.9 * max(smile, 0.0), 1.0])
    gradient = skinmaps.relief_gradient(points.rest, skinmaps.texture_coordinates(points.rest), strengths)
    flat = (classes == FaceClass.MOUTH_INTERIOR) | (classes == FaceClass.RIGHT_EAR) | (classes == FaceClass.LEFT_EAR)
    gradient[flat | (points.rest[:, 2] < 0)] = 0
    slope = gradient @ turn.T
    slope -= np.einsum("ij,ij->i", slope, points.normal)[:, None] * points.normal
    return normalised(points.normal - slope)


def shade_skin(points: Points, classes: np.ndarray, lighting: Lighting, complexion: Complexion) -> np.ndarray:
    """Radiance (P, 3) of skin whose albedo is in points.colour."""
    body = points.colour * diffuse(points, lighting, np.array([0.34, 0.16, 0.11]))
    lips = (classes == FaceClass.TOP_LIP) | (classes == FaceClass.BOTTOM_LIP)
    oily = np.exp(-0.5 * ((points.rest[:, 0] / 1.6) ** 2)) * (points.rest[:, 1] > -3.5)
    strength = complexion.oil * (0.5 + 0.5 * oily + 0.15 * lips) * (classes != FaceClass.MOUTH_INTERIOR)
    return body + gloss(points, lighting, 14.0, 0.65 * strength) + gloss(points, lighting, 55.0, 0.35 * strength)
