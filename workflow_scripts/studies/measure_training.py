"""Measure where a training step's time goes, and against a naive step."""

import json
from pathlib import Path
from typing import Any

from tfake.archive.image_reader import SourceImages
from tfake.archive.index import read_index
from tfake.archive.pairs import open_pairs
from tfake.core.devices import limit_threads, resolve_device
from tfake.core.files import write_text_whole
from tfake.core.processes import share_threads
from tfake.studies.costs import measure_costs
from tfake.thermalizer.pair_sampling import TrainingData
from tfake.thermalizer.patch_bank import load_patch_bank
from tfake.thermalizer.prior_table import load_prior
from tfake.thermalizer.thermalizer_settings import TrainingSettings


def measure_training(
    costs: str,
    archive: list[str],
    index: str,
    image_pixels: int,
    pairs: str,
    patches: str,
    prior_table: str,
    ambient_celsius: float,
    settings: dict[str, Any],
    steps: int,
    device: str,
    threads: int,
    images: str | None = None,
    encoder: str | None = None,
) -> None:
    """Train side by side as this workflow does and naively, and write what both cost.

    Args:
        costs: the JSON to write, of :func:`tfake.studies.costs.measure_costs`.
        archive: one zip, or all its raw split parts in order.
        index: the archive's index.
        image_pixels: height and width of the images.
        pairs: radiometric pairs in SEJONG's naming.
        patches: the bank of real thermal patches.
        prior_table: the prior's table, a name or a path.
        ambient_celsius: ambient temperature.
        settings: the config's block.
        steps: steps of each.
        device: ``auto``, ``cpu``, ``cuda`` or ``cuda:N``.
        threads: of the whole job; :func:`tfake.core.processes.share_threads` divides them.
        images: the folder ``images.zarr``, where the source is kept decoded; None: the archive is read.
        encoder: file of the pretrained encoder that the settings ask for; None where they ask for none.
    """
    where = resolve_device(device)
    # As in a training job.
    computing, workers = share_threads(threads, 1, beside_gpu=where.type == "cuda")
    limit_threads(computing)
    paired = open_pairs(pairs, "celsius")
    data = TrainingData(
        pairs=paired,
        pair_subjects=paired.subjects,
        pair_values="celsius",
        supervision="absolute",
        sources=SourceImages(archive, read_index(index), image_pixels, images),
        bank=load_patch_bank(patches),
        prior=load_prior(prior_table),
        ambient_celsius=(ambient_celsius, ambient_celsius),
    )
    chosen = TrainingSettings.from_mapping(settings)
    found = measure_costs(chosen, data, where, steps, workers, encoder and Path(encoder))
    write_text_whole(costs, json.dumps(found, indent=1) + "\n")


if __name__ == "__main__":
    from tfake.config.plan_rules import with_neutral
    from tfake.core.gpu_claims import claim_device
    from tfake.core.runlog import start_log

    start_log(snakemake.log[0])
    measure_training(
        costs=snakemake.output.costs,
        archive=list(snakemake.input.archive),
        index=snakemake.input.index,
        image_pixels=snakemake.params.image_pixels,
        pairs=snakemake.input.pairs,
        patches=str(snakemake.input.patches),
        prior_table=snakemake.params.prior["table"],
        ambient_celsius=snakemake.params.ambient_celsius,
        settings=with_neutral(snakemake.params.settings, snakemake.config["thermalizer"]),
        steps=snakemake.params.steps,
        device=claim_device(snakemake.config["device"]),
        threads=snakemake.threads,
        images=str(Path(snakemake.input.images[0]).parent) if snakemake.input.images else None,
        encoder=str(snakemake.input.encoder) or None,
    )
