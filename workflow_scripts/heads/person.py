"""A person put together: traits, expression, what they wear, all parts in their shape, and the 70 points.

The points are FaceSynthetics' as places on the head mesh: iBUG-68's order and the two pupils.
"""

from collections.abc import Callable
from dataclasses import dataclass
from functools import partial

import numpy as np

from heads import features
from heads.clothing import build_clothing
from heads.expression import Expression, clear_eyes, draw_expression, express, turn_about_jaw
from heads.facewear import build_mask
from heads.glasses import Glasses, draw_glasses
from heads.groom import Grooming, draw_grooming
from heads.hair import Beard, build_hair, draw_haircut, grow_beard
from heads.headwear import draw_headwear
from heads.identity import Traits, draw_traits, shape_points
from heads.parts import Material, Part, make_part
from heads.skin import Complexion, draw_complexion
from tfake.mesh.head import head_mesh
from tfake.mesh.landmark_places import landmark_places
from tfake.mesh.template import FACE_VERTICES


@dataclass(frozen=True)
class Wardrobe:
    """Choices; the things themselves are drawn in their own rooms.

    Attributes:
        glasses: "none", "clear" or "opaque".
        hat: wears headwear.
        mask: wears facewear.
    """

    glasses: str
    hat: bool
    mask: bool


def draw_wardrobe(rng: np.random.Generator, lab: bool) -> Wardrobe:
    """Draw what is worn; a lab subject has no mask, no hat and no sunglasses."""
    glasses, hat, mask = rng.uniform(size=3)
    if lab:
        return Wardrobe("clear" if glasses < 0.25 else "none", False, False)
    kind = "clear" if glasses < 0.22 else "opaque" if glasses < 0.255 else "none"
    masked = bool(mask < 0.045) and kind != "opaque"
    return Wardrobe(kind, bool(hat < 0.17), masked)


def place_landmarks(surface: np.ndarray, pupils: np.ndarray) -> np.ndarray:
    """The 70 points on a head's surface, seen or not ("x-ray").

    Args:
        surface: (N, 3) positions of the fine head mesh's vertices, any expression.
        pupils: (2, 3) the right one, then the left one.

    Returns:
        (70, 3) float64 in FaceSynthetics' order.
    """
    points = np.empty((70, 3))
    # The shared places name FaceMesh's irises for the pupils, which the head has no vertices for.
    shared, head = landmark_places("shared"), landmark_places("head")
    points[shared.landmarks] = shared.on(np.concatenate([surface[:FACE_VERTICES], np.repeat(pupils, 5, axis=0)]))
    points[head.landmarks] = head.on(surface)
    return points


#: Draws an independent generator for a named purpose, so that one choice never shifts another.
Stream = Callable[[str], np.random.Generator]


@dataclass(frozen=True)
class Person:
    """A person in an expression, dressed, not yet posed.

    Attributes:
        traits, complexion, grooming, expression: what was drawn.
        parts: every mesh piece, the head first.
        landmarks: (70, 3) float64 cm the 70 points in the head's frame.
        mesh: (468, 3) float64 cm FaceMesh's vertices in the head's frame.
        gaze: (3,) unit direction of sight in the head's frame.
        glasses: clear or opaque glasses, None without; their opaque pieces are in parts.
    """

    traits: Traits
    complexion: Complexion
    grooming: Grooming
    expression: Expression
    parts: list[Part]
    landmarks: np.ndarray
    mesh: np.ndarray
    gaze: np.ndarray
    glasses: Glasses | None


@dataclass(frozen=True)
class Wearer:
    """A person dressed, at rest: what neither expression nor pose changes, made once for many pictures.

    Attributes:
        traits, complexion, grooming: who it is.
        control: (n, 3) float64 cm control positions after identity.
        eyes: centre (3,) cm of the right and the left eyeball.
        features: eyeballs, ears and upper teeth in this person's shape.
        jaw: lower teeth and tongue, the jaw closed.
        beard: what grows on the face, None without.
        worn: hair, clothes, hat and glasses.
        glasses: None without.
        draw_mask: gives the facewear's generator, None without a mask, which is built over each expression.
    """

    traits: Traits
    complexion: Complexion
    grooming: Grooming
    control: np.ndarray
    eyes: dict[str, np.ndarray]
    features: list[Part]
    jaw: list[Part]
    beard: Beard | None
    worn: list[Part]
    glasses: Glasses | None
    draw_mask: Callable[[], np.random.Generator] | None


def draw_wearer(stream: Stream, lab: bool) -> Wearer:
    """Draw who a person is and what they wear; arguments as of :func:`draw_person`."""
    traits = draw_traits(stream("identity"))
    complexion = draw_complexion(stream("complexion"), traits)
    wardrobe = draw_wardrobe(stream("wardrobe"), lab)
    cut, grooming = draw_haircut(stream("haircut"), traits, draw_grooming(stream("grooming"), traits))
    eyes = {side: shape_points(centre[None], traits)[0] for side, centre in features.EYE_CENTRE.items()}
    hat = draw_headwear(stream("headwear")) if wardrobe.hat else None
    worn = build_hair(stream("hair"), cut, grooming, hat.line if hat else None) + build_clothing(stream("clothing"))
    worn += hat.parts if hat else []
    glasses = draw_glasses(stream("glasses"), wardrobe.glasses == "opaque") if wardrobe.glasses != "none" else None
    worn += glasses.parts if glasses else []
    still, jaw = _features(traits, eyes)
    return Wearer(
        traits=traits,
        complexion=complexion,
        grooming=grooming,
        control=shape_points(head_mesh().control, traits),
        eyes=eyes,
        features=still,
        jaw=jaw,
        beard=grow_beard(stream("beard"), grooming, hidden=wardrobe.mask),
        worn=[part.with_shape(shape_points(part.rest, traits, detail=False)) for part in worn],
        glasses=glasses,
        draw_mask=partial(stream, "facewear") if wardrobe.mask else None,
    )


def wear_expression(wearer: Wearer, expression: Expression) -> Person:
    """Put a person into an expression."""
    mesh, eyes, traits = head_mesh(), wearer.eyes, wearer.traits
    control = express(wearer.control, expression, eyes)
    shaped = clear_eyes(mesh.refine @ control, eyes)
    parts = [make_part(mesh.rest, mesh.triangles, mesh.classes, Material.SKIN, shaped=shaped)]
    parts += wearer.features
    parts += [piece.with_shape(turn_about_jaw(piece.shaped, expression.jaw_degrees)) for piece in wearer.jaw]
    parts += [_lashes(control, side, traits) for side in ("right", "left")]
    parts += [] if wearer.beard is None else [wearer.beard.follow(shaped)]
    parts += wearer.worn
    if wearer.draw_mask is not None:
        parts += build_mask(wearer.draw_mask(), control)

    right, up = np.radians(expression.gaze)
    gaze = np.array([np.sin(right) * np.cos(up), np.sin(up), np.cos(right) * np.cos(up)])
    pupils = np.stack([eyes[side] + features.EYE_RADIUS * gaze for side in ("right", "left")])
    landmarks = place_landmarks(shaped, pupils)
    mesh_points = shaped[:FACE_VERTICES]
    return Person(
        traits, wearer.complexion, wearer.grooming, expression, parts, landmarks, mesh_points, gaze, wearer.glasses
    )


def draw_person(stream: Stream, lab: bool) -> Person:
    """Draw a person and build its parts.

    Args:
        stream: gives a generator for a named purpose.
        lab: near-neutral expression and nothing that hides the face but clear glasses.
    """
    return wear_expression(draw_wearer(stream, lab), draw_expression(stream("expression"), neutral=lab))


def _features(traits: Traits, eyes: dict[str, np.ndarray]) -> tuple[list[Part], list[Part]]:
    """In this person's shape: eyeballs, ears and upper teeth; and lower teeth and tongue, the jaw closed."""
    still = []
    for side in ("right", "left"):
        ball, ear = features.eyeball(side), features.ear(side)
        still.append(ball.with_shape(ball.rest - features.EYE_CENTRE[side] + eyes[side]))
        still.append(ear.with_shape(shape_points(ear.rest, traits)))
    upper, *lower = (
        piece.with_shape(shape_points(piece.rest, traits))
        for piece in (features.teeth("upper"), features.teeth("lower"), features.tongue())
    )
    return [*still, upper], lower


def _lashes(control: np.ndarray, side: str, traits: Traits) -> Part:
    """Lashes, whose rest position is the mean lid's."""
    length = 0.22 + 0.20 * traits.femininity
    at_rest = features.lashes(head_mesh().control, side, length)
    return at_rest.with_shape(features.lashes(control, side, length).rest)
