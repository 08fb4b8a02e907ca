"""Measure what landmark networks weigh and how fast they are."""

import json
from collections.abc import Mapping
from typing import Any

import pandas as pd

from tfake.core.devices import limit_threads, resolve_device
from tfake.core.files import write_text_whole, write_whole
from tfake.studies.landmark_speed import SpeedSettings, measure_speed


def measure_landmark_speed(speed: str, table: str, settings: Mapping[str, Any], device: str, threads: int) -> None:
    """Measure, and write what was measured.

    Args:
        speed: the JSON to write, of :func:`tfake.studies.landmark_speed.measure_speed`.
        table: the CSV to write, a row a network, runtime, device, number of threads and of crops.
        settings: the config's block.
        device: ``auto``, ``cpu``, ``cuda`` or ``cuda:N``.
        threads: of the job; larger numbers are not measured.

    Raises:
        ValueError: no number of threads is left, a backbone or a file that cannot be used, or no face to calibrate on.
    """
    limit_threads(1)
    how = {key: value for key, value in settings.items() if key not in ("networks", "weights")}
    possible = [count for count in settings["threads"] if count <= threads]
    if not possible:
        raise ValueError(f"landmark_speed.threads: expected one of at most {threads}, found {settings['threads']}")
    chosen = SpeedSettings(**{**how, "threads": possible})
    found = measure_speed(settings["networks"], settings["weights"], chosen, resolve_device(device))
    found["threads_left_out"] = [count for count in settings["threads"] if count > threads]
    write_whole(table, lambda part: pd.DataFrame(found["speeds"]).to_csv(part, index=False, float_format="%.6g"))
    write_text_whole(speed, json.dumps(found, indent=1) + "\n")


if __name__ == "__main__":
    from tfake.core.gpu_claims import claim_device
    from tfake.core.runlog import start_log

    start_log(snakemake.log[0])
    measure_landmark_speed(
        speed=snakemake.output.speed,
        table=snakemake.output.table,
        settings=snakemake.params.settings,
        device=claim_device(snakemake.config["device"]),
        threads=snakemake.threads,
    )
