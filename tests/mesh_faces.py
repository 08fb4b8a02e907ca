"""Thermal faces for the realism study, made of formulas: the mean head from the front, with a heat that is planted."""

import csv
import json
from pathlib import Path

import cv2
import numpy as np

from tfake.labels.conventions import convention
from tfake.landmarks.adapters import plain_map
from tfake.mesh.template import face_vertices
from tfake.studies.realism_faces import MAP_PIXELS, PREVIEW_PIXELS, FaceSet, ThermalSample

PIXELS = 160


def front_points(size: float = 8.0, middle=(80.0, 80.0), roll: float = 0.0, yaw: float = 0.0) -> np.ndarray:
    """The 478 points (x, y) of the mean head, ``size`` pixels a cm; angles in degrees."""
    vertices = face_vertices()
    vertices = np.concatenate([vertices[:468], np.repeat(vertices[468:470], 5, axis=0)])
    turn, tilt = np.radians(yaw), np.radians(roll)
    x = vertices[:, 0] * np.cos(turn) + (vertices[:, 2] - 5) * np.sin(turn)
    flat = np.column_stack([x, -vertices[:, 1]]) * size
    turned = flat @ np.array([[np.cos(tilt), np.sin(tilt)], [-np.sin(tilt), np.cos(tilt)]])
    return turned + middle


def heat(points_cm: np.ndarray) -> np.ndarray:
    """A pattern of heat in K at places (..., 2) of the face in cm: a cold nose, and cheeks unlike the forehead."""
    x, y = points_cm[..., 0], points_cm[..., 1]
    return 0.12 * y - 2.0 * np.exp(-(x**2 + (y + 2) ** 2) / 4) + 0.05 * np.abs(x)


def place_cm(size: float = 8.0, middle=(80.0, 80.0), pixels: int = PIXELS) -> np.ndarray:
    """Where on the face, in cm, each pixel of an image lies: (pixels, pixels, 2), y upwards."""
    y, x = np.mgrid[:pixels, :pixels].astype(float)
    return np.stack([(x - middle[0]) / size, -(y - middle[1]) / size], axis=-1)


def sample(values: np.ndarray | None = None, person: str = "a", **changes) -> ThermalSample:
    """A face of the planted heat around 33 °C."""
    values = (33 + heat(place_cm())).astype(np.float32) if values is None else values.astype(np.float32)
    given = {"name": person, "person": person, "values": values, "valid": np.ones(values.shape, bool)}
    return ThermalSample(**{**given, "points": front_points(), **changes})


def face_set(count: int, patterns=None, maps=None, persons=None, radiometric=True, title="made", size=112.0) -> FaceSet:
    """A set of given values at the points, or of given pictures of the skin; the rest stands for nothing."""
    return FaceSet(
        title=title,
        radiometric=radiometric,
        names=np.array([f"{number:03d}" for number in range(count)]),
        persons=np.array([f"{number:03d}" for number in range(count)] if persons is None else persons),
        patterns=np.zeros((count, 478), np.float32) if patterns is None else np.asarray(patterns, np.float32),
        maps=np.zeros((count, MAP_PIXELS, MAP_PIXELS), np.float32) if maps is None else np.asarray(maps, np.float32),
        sizes=np.full(count, size, np.float32),
        pitches=np.zeros(count, np.float32),
        borders=np.full(count, np.nan, np.float32),
        previews=np.zeros((count, PREVIEW_PIXELS, PREVIEW_PIXELS), np.uint8),
    )


def noise_maps(count: int, seed: int, sigma: float = 0.0) -> np.ndarray:
    """White noise, blurred by ``sigma`` pixels, as pictures of the skin."""
    noise = np.random.default_rng(seed).standard_normal((count, MAP_PIXELS, MAP_PIXELS)).astype(np.float32)
    return noise if not sigma else np.array([cv2.GaussianBlur(image, (0, 0), sigma) for image in noise])


def write_real_folder(folder: Path, people: int = 10, images: int = 2, seed: int = 0) -> tuple[Path, Path]:
    """A folder of "real" faces, 8 bit with background 0, ``S00_0.png`` …, and the JSON file of their points."""
    folder.mkdir(parents=True, exist_ok=True)
    rng, points = np.random.default_rng(seed), {}
    for person in range(people):
        own = cv2.GaussianBlur(rng.standard_normal((PIXELS, PIXELS)), (0, 0), 12) * 8
        for number in range(images):
            values = 140 + 25 * heat(place_cm()) + 20 * own + rng.normal(0, 1, own.shape)
            gray = np.clip(values, 1, 255).astype(np.uint8)
            shown = np.hypot(*(place_cm() - [0, -1]).transpose(2, 0, 1)) < 9.4
            name = f"S{person:02d}_{number}.png"
            assert cv2.imwrite(str(folder / name), np.where(shown, gray, 0))
            points[name] = front_points().round(2).tolist()
    table = folder.parent / f"{folder.name}_478.json"
    table.write_text(json.dumps(points))
    return folder, table


def write_annotated(folder):
    """Real faces with 68 points each, as a CSV in the manner of AFLW's lists."""
    write_real_folder(folder, people=2, images=1)
    points = plain_map(front_points(), "mesh478", "ibug68")
    names = [f"original_{number}_{axis}" for number in range(len(convention("ibug68").places)) for axis in "xy"]
    with open(folder / "points.csv", "w", newline="") as file:
        table = csv.writer(file)
        table.writerow(["image_name", *names])
        for image in sorted(folder.glob("*.png")):
            table.writerow([image.name, *points.ravel().round(2)])
