"""Follow people who pass in front of one another."""

import json
from collections.abc import Mapping
from typing import Any

from tqdm import tqdm

from tfake.core.devices import limit_threads
from tfake.core.files import write_text_whole
from tfake.reader.sequences import open_sequences
from tfake.studies.landmark_errors import finite
from tfake.studies.sequence_tasks import CrossingSettings, measure_scenes, open_landmarker


def follow_scenes(
    records: str, results: str, crossings: Mapping[str, Any], weights: str, device: str, threads: int
) -> None:
    """Write what came of each scene (:func:`tfake.studies.sequence_tasks.measure_scenes`).

    Args:
        records: the JSON to write.
        results: the folder that holds ``sequences/sequences.zarr``.
        crossings: :class:`tfake.studies.sequence_tasks.CrossingSettings` by name.
        weights: of the landmarker, or ``package``.
        device: ``auto``, ``cpu``, ``cuda`` or ``cuda:N``.
        threads: CPU threads.
    """
    limit_threads(threads)
    settings = CrossingSettings(**crossings)
    scenes = measure_scenes(open_landmarker(weights, device), open_sequences(results), settings)
    found = list(tqdm(scenes, total=settings.scenes, desc="scenes", disable=None))
    write_text_whole(records, json.dumps(finite(found), indent=1) + "\n")


if __name__ == "__main__":
    from pathlib import Path

    from tfake.core.gpu_claims import claim_device
    from tfake.core.runlog import start_log

    start_log(snakemake.log[0])
    follow_scenes(
        records=snakemake.output.records,
        results=str(Path(snakemake.input.report).parents[1]),
        crossings=snakemake.params.crossings,
        weights=snakemake.params.weights,
        device=claim_device(snakemake.config["device"]),
        threads=snakemake.threads,
    )
