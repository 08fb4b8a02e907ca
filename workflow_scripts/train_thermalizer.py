"""Train the thermalizer of one condition."""

import logging
import os
from collections.abc import Callable
from typing import Any

import numpy as np
import pandas as pd
import torch

from tfake.devices import limit_threads, resolve_device
from tfake.report.training_figures import draw_loss_curves, draw_samples
from tfake.sources.index import read_index
from tfake.sources.pairs import open_pairs
from tfake.sources.training_set import SourceImages
from tfake.thermalizer.inference import Thermalizer
from tfake.thermalizer.prior_table import load_prior
from tfake.thermalizer.settings import TrainingSettings
from tfake.thermalizer.training import train
from tfake.thermalizer.weights import save_provenance, save_weights

SAMPLES_DRAWN = 6


def train_thermalizer(
    weights: str,
    provenance: str,
    losses: str,
    loss_figure: str,
    sample_figure: str,
    archive: list[str],
    index: str,
    image_pixels: int,
    pairs: str,
    pair_values: str,
    pair_layout: str,
    condition: str,
    ambient_celsius: float,
    prior_table: str,
    prior_column: str,
    settings: dict[str, Any],
    device: str,
    threads: int,
) -> None:
    """Train a thermalizer and write its weights with what tells how they were made.

    Args:
        weights: the weights to write.
        provenance: the JSON to write beside them.
        losses: the CSV to write, one row a step.
        loss_figure: the PNG of the loss terms to write.
        sample_figure: the PNG of some sources and their temperatures to write.
        archive: one zip, or all its raw split parts in order: the unpaired images.
        index: the archive's index.
        image_pixels: height and width of the archive's images.
        pairs: folder or zip of paired images (:func:`tfake.sources.pairs.open_pairs`).
        pair_values: ``celsius`` or ``relative``.
        pair_layout: how the paired images are named (:data:`tfake.sources.pair_formats.PAIR_LAYOUTS`).
        condition: the condition's name.
        ambient_celsius: temperature of the surroundings: target of glass, and background of the samples drawn.
        prior_table: the prior's table, a name or a path.
        prior_column: ``warm`` or ``cold``, the table's column.
        settings: the config's block (:class:`tfake.thermalizer.settings.TrainingSettings`).
        device: ``auto``, ``cpu`` or ``cuda``.
        threads: threads for torch on the CPU.

    Raises:
        ValueError: a setting, a table or a paired set that cannot be used; the message names it.
        FloatingPointError: the loss is not finite any more.
    """
    limit_threads(threads)
    torch_device = resolve_device(device)
    checked = TrainingSettings.from_mapping(settings)
    targets = load_prior(prior_table, prior_column, ambient_celsius)
    table = read_index(index)
    paired, sources = open_pairs(pairs, pair_values, pair_layout), SourceImages(archive, table, image_pixels)
    trained = train(checked, paired, pair_values, sources, targets, torch_device)
    last = trained.losses.tail(max(1, checked.steps // 10)).mean()
    logging.info("last tenth of the steps: %s", ", ".join(f"{name} {last[name]:.3f}" for name in last.index[1:5]))
    title = f"thermalizer {condition}, {checked.steps} steps"
    thermalizer = Thermalizer(trained.network, torch_device, trained.precision, condition)
    _write(losses, lambda part: _write_losses(part, trained.losses))
    _write(loss_figure, lambda part: draw_loss_curves(part, trained.losses, title))
    samples = list(_thermalize_samples(thermalizer, sources, ambient_celsius))
    _write(sample_figure, lambda part: draw_samples(part, samples, ambient_celsius, title))
    digest = save_weights(weights, trained.network, condition)
    save_provenance(
        provenance,
        weights_sha256=digest,
        settings=checked,
        precision=trained.precision,
        condition=condition,
        ambient_celsius=ambient_celsius,
        prior=f"{os.path.basename(prior_table)}, {prior_column}",
        pair_values=pair_values,
        pairs=len(paired),
        sources=len(sources),
        source_sha256=table.attrs["source_sha256"],
        device=torch_device,
        threads=torch.get_num_threads(),
    )


def _write_losses(path: str, losses: pd.DataFrame) -> None:
    """Write the loss terms of every step as CSV, six significant digits."""
    losses.to_csv(path, index=False, float_format="%.6g")


def _thermalize_samples(thermalizer: Thermalizer, sources: SourceImages, ambient_celsius: float):
    for image in np.unique(np.linspace(0, len(sources) - 1, SAMPLES_DRAWN).astype(int)):
        rgb, classes = sources[image]
        yield rgb, classes, thermalizer.thermalize(rgb[None], classes[None], ambient_celsius)[0]


def _write(path: str, write: Callable[[str], None]) -> None:
    write(f"{path}.part")
    os.replace(f"{path}.part", path)


if __name__ == "__main__":
    from tfake.runlog import start_log

    start_log(snakemake.log[0])
    train_thermalizer(
        weights=snakemake.output.weights,
        provenance=snakemake.output.provenance,
        losses=snakemake.output.losses,
        loss_figure=snakemake.output.loss_figure,
        sample_figure=snakemake.output.sample_figure,
        archive=list(snakemake.input.archive),
        index=snakemake.input.index,
        image_pixels=snakemake.params.image_pixels,
        pairs=str(snakemake.input.pairs),
        pair_values=snakemake.params.condition["pairs"]["values"],
        pair_layout=snakemake.params.condition["pairs"]["layout"],
        condition=snakemake.wildcards.condition,
        ambient_celsius=snakemake.params.condition["ambient_celsius"],
        prior_table=snakemake.params.condition["prior"]["table"],
        prior_column=snakemake.params.condition["prior"]["column"],
        settings=snakemake.params.settings,
        device=snakemake.params.device,
        threads=snakemake.threads,
    )
