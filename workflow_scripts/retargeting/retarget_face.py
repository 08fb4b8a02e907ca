"""Set one still in motion and write its shard of the retargeted sequences."""

from collections.abc import Callable, Mapping
from functools import partial
from pathlib import Path
from typing import Any

import cv2
import numpy as np
from tqdm import tqdm

from tfake.archive.image_reader import open_images
from tfake.archive.index import read_index
from tfake.core.codes import (
    BodyState,
    ExpressionClass,
    RetargetStatus,
    SampleStatus,
    ThermalOrigin,
    encode_ids,
    sequence_name,
    subject_name,
)
from tfake.core.compute_threads import limit_compute_threads
from tfake.core.radiometry import NO_IMAGE, decode_counts
from tfake.retargeting.animation import Animation, Picture
from tfake.retargeting.driver import FilmedMeshes, film_motion
from tfake.retargeting.live_portrait import LivePortrait, Repainting
from tfake.retargeting.mesh_motion import MeshMotion
from tfake.retargeting.motion_curves import draw_motion
from tfake.retargeting.mouth import mouth_celsius
from tfake.retargeting.rows import RetargetedRows
from tfake.retargeting.still import StillError
from tfake.store.arrays import open_store, write_shard
from tfake.store.layouts import retargeted_layout
from tfake.store.manifest import count_codes, finish_shard
from tfake.store.shards import StoreError


def retarget_face(
    manifest: str,
    store: str,
    faces_store: str,
    thermal_store: str,
    archive: list[str],
    index: str,
    shard: int,
    rows: tuple[int, int],
    sequence: Mapping[str, Any],
    settings: Mapping[str, Any],
    film: str | None = None,
    film_file: str | None = None,
    live_portrait: Mapping[str, str] | None = None,
    device: str = "cpu",
    images: str | None = None,
) -> None:
    """Set a still in motion.

    Args:
        manifest: the shard's manifest to write, last of its files.
        store: the store's folder, with its metadata in place.
        faces_store: the ``faces.zarr`` of the source.
        thermal_store: the ``thermal.zarr`` of the variant whose temperatures move.
        archive: one zip, or all its raw split parts in order; none where ``images`` are given.
        index: the archive's index.
        shard: the shard's number.
        rows: first row, and stop (exclusive).
        sequence: ``row`` of the faces store, ``expression``, and ``driver``, the film's name, or None for curves.
        settings: what all sequences have in common: keys of the config's ``retargeting``.
        film: the driver's meshes (:class:`tfake.retargeting.driver.FilmedMeshes`).
        film_file: the film itself, where LivePortrait paints what it drives.
        live_portrait: where that is: ``checkout`` and ``python``; only with ``film_file``.
        device: where that computes: ``cuda``, the first GPU that this process sees, or else the CPU.
        images: the folder ``images.zarr``, where the source is kept decoded.

    Raises:
        StoreError: the stores are of different sources, or what was written does not read back.
        SampleError: a sample that was good when indexed is not any more.
        LivePortraitError: it failed.
    """
    # A job is one core's work, and the same whatever the machine has.
    limit_compute_threads(1)
    cv2.setNumThreads(1)
    faces, thermal, table = open_store(faces_store), open_store(thermal_store), read_index(index)
    source = faces.attrs["source_sha256"]
    for where, found in ((thermal_store, thermal.attrs["source_sha256"]), (index, table.attrs["source_sha256"])):
        if found != source:
            raise StoreError(f"{where} is of the source {found}; expected {source}, that of {faces_store}")
    row, driver = sequence["row"], sequence["driver"]
    pixels = thermal["thermal"].shape[1]
    seconds = np.arange(settings["frames"]) / settings["frames_per_second"]
    made = RetargetedRows(retargeted_layout(pixels), len(seconds))
    kind = ExpressionClass[sequence["expression"].upper()]
    name = f"{subject_name(row)}_{driver}" if driver else sequence_name(row, 0, "rest", sequence["expression"])
    made.fill_columns(
        sequence_id=encode_ids([name]),
        subject_id=encode_ids([subject_name(row)]),
        image_id=faces["image_id"][row : row + 1],
        look=0,
        frame=np.arange(len(seconds)),
        time=seconds,
        expression=kind,
        state=BodyState.REST,
    )
    counts = thermal["thermal"][row]
    if faces["status"][row] != SampleStatus.OK or (counts == NO_IMAGE).all():
        made.fill_missing(RetargetStatus.NO_IMAGE)
    else:
        reader, record = open_images(archive, pixels, images, source), next(table.iloc[row : row + 1].itertuples())
        points = (faces[name][row] for name in ("landmarks_70", "landmarks_478"))
        picture = Picture(decode_counts(counts), reader.read_rgb(record), faces["segmentation"][row], *points)
        motions = _motions(kind, row, seconds, settings, film)
        inside_celsius = mouth_celsius(settings["tables"], thermal.attrs["ambient_celsius"])
        paint = None
        if film_file is not None:
            tool = LivePortrait(Path(live_portrait["checkout"]), live_portrait["python"], on_gpu=device == "cuda")
            paint = partial(Repainting, tool, picture, Path(film_file), seconds)
        _fill_frames(made, picture, motions, inside_celsius, paint)
    write_shard(store, made.values, shard)
    made_from = {"source_sha256": open_store(store).attrs["source_sha256"], "stills_sha256": source}
    counted = count_codes("retargeted", RetargetStatus, made.values["status"])
    finish_shard(manifest, store, retargeted_layout(pixels), shard, rows, made_from, counted, made.statistics)


def _motions(
    kind: ExpressionClass, row: int, seconds: np.ndarray, settings: Mapping[str, Any], film: str | None
) -> list[MeshMotion | None]:
    strength, most = settings["strength"], settings["most_degrees"]
    if film is not None:
        return film_motion(FilmedMeshes.load(film), seconds, strength, most)
    key = [settings["seed"], row, 1 + int(kind)]
    return list(draw_motion(lambda name: np.random.default_rng([*key, *name.encode()]), kind, seconds, strength, most))


def _fill_frames(
    made: RetargetedRows,
    picture: Picture,
    motions: list[MeshMotion | None],
    inside_celsius: float,
    paint: Callable[[], Repainting] | None,
) -> None:
    if not np.isfinite(picture.landmarks_478).all():
        made.fill_still(picture, RetargetStatus.NO_MESH)
        return
    try:
        animation = Animation(picture, inside_celsius, motions)
    except StillError:
        made.fill_still(picture, RetargetStatus.UNFIT)
        return
    # Only what can be moved is painted: of a profile LivePortrait may find no face, and fail.
    portrait = None if paint is None else paint()
    if portrait is not None:
        made.fill_columns(thermal_origin=ThermalOrigin.REPAINTED)
    for number, frame in enumerate(tqdm(animation, "retarget still", len(motions))):
        made.fill_frame(number, frame if portrait is None else portrait.repaint(number, frame))


if __name__ == "__main__":
    from tfake.core.gpu_claims import claim_device
    from tfake.core.runlog import start_log

    start_log(snakemake.log[0])
    retarget_face(
        manifest=snakemake.output.manifest,
        store=str(Path(snakemake.input.root).parent),
        faces_store=str(Path(snakemake.input.faces_root).parent),
        thermal_store=str(Path(snakemake.input.thermal_root).parent),
        archive=list(snakemake.input.archive),
        index=snakemake.input.index,
        shard=int(snakemake.wildcards.shard),
        rows=tuple(snakemake.params.rows),
        sequence=snakemake.params.sequence,
        settings=snakemake.params.settings,
        film=snakemake.input.film[0] if snakemake.input.film else None,
        film_file=snakemake.input.film_file[0] if snakemake.input.film_file else None,
        live_portrait=snakemake.config["retargeting"]["live_portrait"],
        device=claim_device(snakemake.config["device"]) if snakemake.input.film_file else "cpu",
        images=str(Path(snakemake.input.images[0]).parent) if snakemake.input.images else None,
    )
