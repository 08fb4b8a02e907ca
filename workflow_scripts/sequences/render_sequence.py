"""Render one sequence and write its shard of ``sequences.zarr``."""

from collections.abc import Mapping
from typing import Any

import cv2
import numpy as np
from tqdm import tqdm

from heads.expression import movements
from heads.sequence import Clip, Sequence, SequenceFrame, prepare_sequence
from tfake.core.codes import BODY_TEMPERATURES, BodyState, ExpressionClass, encode_ids, sequence_name, subject_name
from tfake.core.compute_threads import limit_compute_threads
from tfake.core.radiometry import encode_celsius
from tfake.heat.physiology import PhysiologyRanges
from tfake.labels.visibility import point_states
from tfake.store.arrays import open_store, write_shard
from tfake.store.layouts import sequences_layout
from tfake.store.manifest import finish_shard
from tfake.store.statistics import CountStatistics


def render_sequence(
    manifest: str,
    store: str,
    shard: int,
    rows: tuple[int, int],
    sequence: Mapping[str, Any],
    settings: Mapping[str, Any],
) -> None:
    """Render a sequence.

    Args:
        manifest: the shard's manifest to write, last of its files.
        store: the store's folder, with its metadata in place.
        shard: the shard's number.
        rows: first row, and stop (exclusive).
        sequence: ``subject`` and ``look``, numbers; ``state`` and ``expression``, names.
        settings: what all sequences have in common: keys of the config's ``sequences``.

    Raises:
        ValueError: the settings cannot be rendered, or a temperature cannot be stored.
        StoreError: what was written does not read back.
    """
    # A job is one core's work, and the same whatever the machine has.
    limit_compute_threads(1)
    cv2.setNumThreads(1)
    clip = _clip_of(sequence, settings)
    prepared = prepare_sequence(clip)
    layout = sequences_layout(clip.pixels)
    values = {array.name: np.empty((clip.frames, *array.row_shape), array.dtype) for array in layout}
    statistics = CountStatistics()
    for number, frame in enumerate(tqdm(prepared, f"render sequence {shard}", clip.frames)):
        _fill_frame(values, number, frame)
        statistics.add(CountStatistics.sums_of(values["thermal"][number], values["segmentation"][number]))
    name = sequence_name(sequence["subject"], sequence["look"], sequence["state"], sequence["expression"])
    _fill_sequence(values, prepared, name, subject_name(sequence["subject"]))
    write_shard(store, values, shard)
    made_from = {"source_sha256": open_store(store).attrs["source_sha256"]}
    counts = {f"expression_{sequence['expression']}": clip.frames, f"state_{sequence['state']}": clip.frames}
    finish_shard(manifest, store, layout, shard, rows, made_from, counts, statistics.as_mapping())


def _clip_of(sequence: Mapping[str, Any], settings: Mapping[str, Any]) -> Clip:
    camera = ("blur_pixels", "netd_kelvin", "pattern_scale")
    alike = ("seed", "frames", "frames_per_second", "setting", "ambient_celsius", "tables", *camera)
    return Clip(
        subject=sequence["subject"],
        look=sequence["look"],
        expression=ExpressionClass[sequence["expression"].upper()],
        body=BodyState[sequence["state"].upper()],
        pixels=settings["image_pixels"],
        physiology=PhysiologyRanges.from_mapping(settings["physiology"]),
        **{name: settings[name] for name in alike},
    )


def _fill_frame(values: dict[str, np.ndarray], number: int, frame: SequenceFrame) -> None:
    """Put what a frame shows into its row."""
    classes = frame.rendering.surface.classes
    row = {
        "thermal": encode_celsius(frame.celsius),
        "rgb": frame.rendering.rgb,
        "segmentation": classes,
        "landmarks_70": frame.rendering.landmarks_70,
        "landmarks_478": frame.mesh_478,
        "landmarks_478_visibility": point_states(frame.mesh_478, classes),
        "expression_parameters": movements(frame.expression),
        "head_pose": frame.head_degrees,
        "head_position": frame.position_cm,
        "gaze": frame.expression.gaze,
    }
    for name, value in row.items():
        values[name][number] = value
    moment = [getattr(frame.state, name, np.nan) for name in BODY_TEMPERATURES]
    values["body_temperature"][number] = moment


def _fill_sequence(values: dict[str, np.ndarray], prepared: Sequence, name: str, subject: str) -> None:
    """Put what is known of all frames into the columns."""
    clip, body = prepared.clip, prepared.physiology
    columns = {
        "sequence_id": encode_ids([name]),
        "subject_id": encode_ids([subject]),
        "look": clip.look,
        "frame": np.arange(clip.frames),
        "time": prepared.performance.seconds,
        "expression": clip.expression,
        "intensity": prepared.performance.intensity,
        "state": clip.body,
        "apparent_sex": prepared.apparent_sex,
    }
    for column, value in columns.items():
        values[column][:] = value
    for rate in ("breaths_per_minute", "beats_per_minute"):
        values["body_temperature"][:, BODY_TEMPERATURES.index(rate)] = getattr(body, rate)


if __name__ == "__main__":
    from pathlib import Path

    from tfake.core.runlog import start_log

    start_log(snakemake.log[0])
    render_sequence(
        manifest=snakemake.output.manifest,
        store=str(Path(snakemake.input.root).parent),
        shard=int(snakemake.wildcards.shard),
        rows=tuple(snakemake.params.rows),
        sequence=snakemake.params.sequence,
        settings=snakemake.params.settings,
    )
