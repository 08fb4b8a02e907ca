"""The picture of a person: visibility, light, materials, background and the camera's tone."""

from dataclasses import dataclass, replace

import cv2
import numpy as np

from heads.background import draw_background, surroundings
from heads.glasses import look_through
from heads.groom import groom_skin
from heads.lighting import Lighting, crevices, draw_lighting, shadow, soften
from heads.parts import Assembly, Material, assemble
from heads.person import Person, Stream
from heads.shading import Points, normalised, shade_cloth, shade_eye, shade_frame, shade_hair, shade_teeth
from heads.skin import shade_skin, skin_albedo, skin_normals
from heads.viewpoint import Viewpoint, pose
from tfake.core.classes import FaceClass
from tfake.mesh import template
from tfake.mesh.raster import Fragments, SurfaceBuffer, rasterise
from tfake.mesh.topology import vertex_normals


@dataclass(frozen=True)
class Scenery:
    """What is around a person: (H, W, 3) linear background, and the light."""

    background: np.ndarray
    lighting: Lighting


def draw_scenery(stream: Stream, side: int, lab: bool) -> Scenery:
    """Draw background and light for an image of ``side`` pixels."""
    background = draw_background(stream("background"), side, studio=lab)
    return Scenery(background, draw_lighting(stream("light"), surroundings(background), studio=lab))


def paint(
    person: Person,
    viewpoint: Viewpoint,
    stream: Stream,
    lab: bool,
    scenery: Scenery | None = None,
    grain: np.random.Generator | None = None,
) -> tuple[np.ndarray, SurfaceBuffer]:
    """Render the picture (H, W, 3) uint8 and the surface under it.

    Args:
        person: who is seen.
        viewpoint: pose and camera.
        stream: gives a generator for a named purpose.
        lab: plain background and even light.
        scenery: what is around the person; None draws it.
        grain: of the sensor's noise; None takes that of the exposure, the same in every picture.
    """
    side = viewpoint.pixels
    shape = (side, side)
    scenery = draw_scenery(stream, side, lab) if scenery is None else scenery
    background, lighting = scenery.background, scenery.lighting

    assembly = assemble(person.parts)
    placed = pose(assembly, viewpoint)
    fragments = rasterise(viewpoint.project(placed), assembly.triangles, shape, assembly.two_sided)
    normals = vertex_normals(placed, assembly.triangles)
    points = _points(assembly, placed, normals, fragments, lighting, viewpoint)
    classes = assembly.classes[fragments.triangle]
    radiance = _shade(person, points, classes, assembly.material[fragments.triangle], lighting, viewpoint)

    covered = np.zeros(0, dtype=np.int64)
    if person.glasses is not None:
        radiance, covered = look_through(person.glasses, person.traits, viewpoint, fragments, lighting, radiance)

    rng = stream("exposure")
    image = _expose(radiance, classes, rng, lab)
    canvas = background.reshape(-1, 3).copy()
    canvas[fragments.pixels] = image
    rgb = _develop(canvas.reshape(side, side, 3), _edges(fragments, classes), rng, grain)
    return rgb, _surface(points, classes, fragments, covered)


def _points(
    assembly: Assembly,
    placed: np.ndarray,
    normals: np.ndarray,
    fragments: Fragments,
    lighting: Lighting,
    viewpoint: Viewpoint,
) -> Points:
    """Gather everything shading needs at the visible points."""
    table = np.concatenate([assembly.rest, placed, normals, assembly.coordinates, assembly.colour], axis=1)
    values = fragments.interpolate(table.astype(np.float32), assembly.triangles)
    position, normal = values[:, 3:6], normalised(values[:, 6:9])
    view = normalised(-position)
    away = assembly.two_sided[fragments.triangle] & (np.einsum("ij,ij->i", normal, view) < 0)
    normal[away] *= -1
    lit = soften(shadow(placed, assembly.triangles, lighting, position, normal), fragments, viewpoint.pixels / 360)
    openness = template.openness(values[:, :3]) * crevices(fragments, viewpoint.focal)
    return Points(values[:, :3], normal, view, lit, openness, values[:, 9:12], values[:, 12:15])


def _shade(
    person: Person, points: Points, classes: np.ndarray, material: np.ndarray, lighting: Lighting, viewpoint: Viewpoint
) -> np.ndarray:
    """Linear radiance (P, 3) of every visible point by its material."""
    radiance = np.zeros((len(classes), 3), dtype=np.float32)
    shaders = {
        Material.HAIR: lambda p: shade_hair(p, lighting, viewpoint.head),
        Material.CLOTH: lambda p: shade_cloth(p, lighting),
        Material.FRAME: lambda p: shade_frame(p, lighting),
        Material.LASH: lambda p: 0.02 + 0.02 * p.colour,
        Material.EYE: lambda p: shade_eye(p, lighting, person.traits.iris, person.gaze, viewpoint.head),
        Material.TEETH: lambda p: shade_teeth(p, lighting),
    }
    for kind, shade in shaders.items():
        chosen = np.flatnonzero(material == kind)
        if len(chosen):
            radiance[chosen] = shade(points.of(chosen))
    chosen = np.flatnonzero(material == Material.SKIN)
    skin, ids = points.of(chosen), classes[chosen]
    albedo = skin_albedo(skin.rest, ids, person.traits, person.complexion)
    albedo, groomed = groom_skin(skin.rest, ids, albedo, person.grooming)
    classes[chosen] = groomed
    normal = skin_normals(skin, ids, person.traits, person.expression.smile, viewpoint.head)
    skin = replace(skin, normal=normal, colour=albedo)
    radiance[chosen] = shade_skin(skin, ids, lighting, person.complexion)
    return radiance


def _expose(radiance: np.ndarray, classes: np.ndarray, rng: np.random.Generator, lab: bool) -> np.ndarray:
    """Scale so that faces are neither black nor burnt, and encode as sRGB with a soft shoulder: (P, 3) 0..1."""
    face = radiance[(classes == FaceClass.SKIN) | (classes == FaceClass.NOSE)]
    level = float(np.median(face.mean(axis=1))) if len(face) else 0.2
    target = 0.24 if lab else float(np.exp(rng.normal(np.log(0.22), 0.35)))
    # Half of the way only: dark skin stays darker than light skin in the same light.
    gain = (target / max(level, 1e-3)) ** 0.6
    linear = np.maximum(radiance * gain, 0)
    linear = linear * (1 + linear / 4.0) / (1 + linear * 0.55)
    return np.clip(linear, 0, 1) ** (1 / 2.2)


def _edges(fragments: Fragments, classes: np.ndarray) -> np.ndarray:
    """Where the picture needs antialiasing (H, W) float32 0..1: steps in depth, and hair all over."""
    depth = fragments.depth
    step = cv2.morphologyEx(depth, cv2.MORPH_GRADIENT, np.ones((3, 3), np.uint8)) > 0.012 * depth.max()
    strands = np.zeros(depth.size, dtype=bool)
    strands[fragments.pixels] = (classes == FaceClass.HAIR) | (classes == FaceClass.BEARD)
    return np.maximum(step, 0.6 * strands.reshape(depth.shape)).astype(np.float32)


def _develop(
    canvas: np.ndarray, edges: np.ndarray, rng: np.random.Generator, own_grain: np.random.Generator | None
) -> np.ndarray:
    """Lens and sensor: smoothed edges, slight blur, grain, 8 bits."""
    canvas = canvas.astype(np.float32)
    smooth = cv2.GaussianBlur(canvas, (0, 0), 0.85)
    canvas += cv2.GaussianBlur(edges, (0, 0), 0.6)[..., None] * (smooth - canvas)
    soft = cv2.GaussianBlur(canvas, (0, 0), rng.uniform(0.35, 0.6))
    grain, strength = rng.standard_normal(soft.shape, dtype=np.float32), np.float32(rng.uniform(0.003, 0.012))
    if own_grain is not None:
        own_grain.standard_normal(dtype=np.float32, out=grain)
    grain *= strength
    return np.clip((soft + grain) * 255 + 0.5, 0, 255).astype(np.uint8)


def _surface(points: Points, classes: np.ndarray, fragments: Fragments, covered: np.ndarray) -> SurfaceBuffer:
    """Spread the visible points over the image; covered are the flat indices of pixels behind a clear lens."""
    shape = fragments.depth.shape
    ids = np.zeros(shape[0] * shape[1], dtype=np.uint8)
    rest = np.full((len(ids), 3), np.nan, dtype=np.float32)
    facing = np.zeros(len(ids), dtype=np.float32)
    ids[fragments.pixels] = classes
    rest[fragments.pixels] = points.rest
    facing[fragments.pixels] = np.clip(np.einsum("ij,ij->i", points.normal, points.view), 0, 1)
    lens = ids == FaceClass.GLASSES
    lens[covered] = True
    return SurfaceBuffer(ids.reshape(shape), rest.reshape(*shape, 3), facing.reshape(shape), lens.reshape(shape))
