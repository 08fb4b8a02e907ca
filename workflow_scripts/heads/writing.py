"""The procedural faces, their thermal truth and the lab pairs, each written as one zip, the same bytes at any speed.

Images are made by worker processes and written in order by this one. Members are stored, not deflated (PNG is), with a
fixed date, so that equal images make equal archives.
"""

import io
import logging
import os
import zipfile
from collections.abc import Callable, Iterable, Iterator, Sequence
from concurrent.futures import ProcessPoolExecutor
from functools import partial
from itertools import chain, islice
from multiprocessing import get_context
from pathlib import Path

import cv2
import numpy as np
from tqdm import tqdm

from heads.scene import render_face
from heads.truth_camera import record
from tfake.core.codes import PIXEL_CENTRE
from tfake.core.processes import single_threaded
from tfake.core.radiometry import encode_celsius
from tfake.heat.field import heat_field
from tfake.heat.subject import draw_subject
from tfake.heat.surface import rendered_surface

#: Lab faces are numbered from here, so that nobody is in both sets.
LAB_FIRST_FACE = 10_000_000
_ZIP_DATE = (1980, 1, 1, 0, 0, 0)
#: Images made ahead of the writer, a worker: bounds memory where the disk is slower than the workers.
_AHEAD = 4

Members = list[tuple[str, bytes]]


def write_faces(path: str | Path, seed: int, images: int, pixels: int, processes: int = 1) -> None:
    """Write the main set in FaceSynthetics' layout.

    Args:
        path: zip to write: ``{id}.png`` RGB8, ``{id}_seg.png`` L8, ``{id}_ldmks.txt`` of 70 lines ``x y`` in pixels
            from the image's corner.
        seed: the source's seed.
        images: number of faces, ids ``000000`` on.
        pixels: width and height.
        processes: worker processes; they change the speed only.

    Raises:
        ValueError: images, pixels or processes is below 1.
    """
    _write(path, partial(_face_members, seed, pixels), images, pixels, processes)


def write_truth(
    path: str | Path,
    seed: int,
    images: int,
    pixels: int,
    ambient_celsius: float,
    processes: int = 1,
    tables: str = "measured",
) -> None:
    """Write the thermal truth of the main set at one ambient: for evaluation, never for training.

    Args:
        path: zip to write: ``{id}_camera.png`` (this person, as recorded) and ``{id}_expected.png`` (mean subject,
            without noise), uint16 counts of .01 K (see :mod:`tfake.core.radiometry`).
        seed: the source's seed.
        images: number of faces.
        pixels: width and height.
        ambient_celsius: °C.
        processes: worker processes; they change the speed only.
        tables: the parameters of the temperature model.

    Raises:
        ValueError: images, pixels or processes is below 1.
    """
    _write(path, partial(_truth_members, seed, pixels, ambient_celsius, tables), images, pixels, processes)


def write_lab(
    path: str | Path,
    seed: int,
    pairs: int,
    pixels: int,
    rooms: tuple[float, float],
    processes: int = 1,
    tables: str = "measured",
) -> None:
    """Write the lab set: frontal heads before a plain background, RGB with registered thermal, for training.

    Args:
        path: zip to write: ``{id}_v.png`` RGB8, ``{id}_t.png`` uint16 counts of .01 K as the camera recorded them,
            ``{id}_seg.png`` L8, ``{id}_mesh.npy`` FaceMesh's 468 vertices where they are, (468, 3) float32 pixels and
            depth; and last ``pairs.csv``, which tells the subject and the room of each.
        seed: the source's seed.
        pairs: number of pairs; each shows another subject.
        pixels: width and height.
        rooms: lowest and highest room temperature in °C; the pairs are spread evenly between them.
        processes: worker processes; they change the speed only.
        tables: the parameters of the temperature model.

    Raises:
        ValueError: pairs, pixels or processes is below 1.
    """
    ambients = np.linspace(*rooms, pairs).round(2).tolist() if pairs > 1 else [sum(rooms) / 2]
    rows = [f"{number:06d},{number:06d},{ambient:g}" for number, ambient in enumerate(ambients)]
    table = "\n".join(["name,subject,ambient_celsius", *rows, ""]).encode("ascii")
    _write(
        path, partial(_lab_members, seed, pixels, ambients, tables), pairs, pixels, processes, [("pairs.csv", table)]
    )


def _face_members(seed: int, pixels: int, number: int) -> Members:
    rendering = render_face(seed, number, pixels)
    points = "".join(f"{x:.3f} {y:.3f}\n" for x, y in rendering.landmarks_70 + PIXEL_CENTRE)
    return [
        (f"{number:06d}.png", _png(rendering.rgb)),
        (f"{number:06d}_seg.png", _png(rendering.surface.classes)),
        (f"{number:06d}_ldmks.txt", points.encode("ascii")),
    ]


def _truth_members(seed: int, pixels: int, ambient_celsius: float, tables: str, number: int) -> Members:
    surface = rendered_surface(render_face(seed, number, pixels).surface, tables)
    seen = heat_field(surface, ambient_celsius, draw_subject(seed, number), tables).celsius
    recorded = record(seen, ambient_celsius, seed, number)
    expected = heat_field(surface, ambient_celsius, tables=tables).celsius
    return [
        (f"{number:06d}_camera.png", _png(encode_celsius(recorded))),
        (f"{number:06d}_expected.png", _png(encode_celsius(expected))),
    ]


def _lab_members(seed: int, pixels: int, ambients: Sequence[float], tables: str, number: int) -> Members:
    face, ambient_celsius = LAB_FIRST_FACE + number, ambients[number]
    rendering = render_face(seed, face, pixels, setting="lab")
    surface = rendered_surface(rendering.surface, tables)
    seen = heat_field(surface, ambient_celsius, draw_subject(seed, face), tables).celsius
    recorded = record(seen, ambient_celsius, seed, face)
    return [
        (f"{number:06d}_v.png", _png(rendering.rgb)),
        (f"{number:06d}_t.png", _png(encode_celsius(recorded))),
        (f"{number:06d}_seg.png", _png(rendering.surface.classes)),
        (f"{number:06d}_mesh.npy", _npy(rendering.mesh.astype(np.float32))),
    ]


def _npy(values: np.ndarray) -> bytes:
    data = io.BytesIO()
    np.save(data, values)
    return data.getvalue()


def _png(image: np.ndarray) -> bytes:
    """Encode (H, W) or RGB (H, W, 3), uint8 or uint16."""
    pixels = cv2.cvtColor(image, cv2.COLOR_RGB2BGR) if image.ndim == 3 else image
    done, data = cv2.imencode(".png", pixels)
    if not done:
        raise ValueError(f"OpenCV cannot write a PNG of shape {image.shape} and type {image.dtype}")
    return data.tobytes()


def _write(
    path: str | Path,
    members: Callable[[int], Members],
    images: int,
    pixels: int,
    processes: int,
    last: Sequence[tuple[str, bytes]] = (),
) -> None:
    for name, value in (("images", images), ("pixels", pixels), ("processes", processes)):
        if value < 1:
            raise ValueError(f"{name} must be at least 1; found {value}")
    path = Path(path)
    path.parent.mkdir(parents=True, exist_ok=True)
    part = path.with_name(path.name + ".part")
    try:
        with zipfile.ZipFile(part, "w", zipfile.ZIP_STORED) as archive:
            made = _in_order(members, range(images), processes)
            for group in chain(tqdm(made, total=images, desc=path.name, unit="image", mininterval=1.0), [last]):
                for name, data in group:
                    archive.writestr(_zip_entry(name), data)
        os.replace(part, path)
        logging.info("%s: %d images of %d x %d pixels", path, images, pixels, pixels)
    finally:
        part.unlink(missing_ok=True)


def _zip_entry(name: str) -> zipfile.ZipInfo:
    entry = zipfile.ZipInfo(name, _ZIP_DATE)
    # Unix, rw-r--r--, on every platform.
    entry.create_system = 3
    entry.external_attr = 0o644 << 16
    return entry


def _in_order(work: Callable[[int], Members], numbers: Iterable[int], processes: int) -> Iterator[Members]:
    """Map over worker processes, at most a few results ahead of the consumer.

    Even one process is a worker: all of them run single-threaded linear algebra, whose rounding could otherwise depend
    on the threads of the machine.
    """
    numbers = iter(numbers)
    with (
        single_threaded(),
        ProcessPoolExecutor(
            processes, mp_context=get_context("spawn"), initializer=cv2.setNumThreads, initargs=(1,)
        ) as pool,
    ):
        waiting = [pool.submit(work, number) for number in islice(numbers, processes * _AHEAD)]
        try:
            while waiting:
                result = waiting.pop(0).result()
                waiting.extend(pool.submit(work, number) for number in islice(numbers, 1))
                yield result
        finally:
            for future in waiting:
                future.cancel()
