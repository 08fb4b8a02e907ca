"""A training job: from files and settings to a thermalizer's files, in one process or as one of a group."""

import logging
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
import torch

from tfake.archive.image_reader import SourceImages
from tfake.archive.index import read_index
from tfake.archive.mesh_reader import SourceMeshes
from tfake.archive.pairs import open_pairs
from tfake.core.files import write_whole
from tfake.heat.face_heat import FaceHeat
from tfake.store.manifest import file_sha256
from tfake.thermalizer.inference import Thermalizer
from tfake.thermalizer.pair_sampling import TrainingData
from tfake.thermalizer.patch_bank import load_patch_bank
from tfake.thermalizer.prior_table import PriorTable, load_prior
from tfake.thermalizer.terms import TERMS
from tfake.thermalizer.thermalizer_file import save_provenance, save_weights
from tfake.thermalizer.thermalizer_kinds import KINDS, ThermalizerKind
from tfake.thermalizer.thermalizer_settings import PairedSettings
from tfake.thermalizer.thermalizer_training import Trained, train
from tfake.training.curves import LossCurve, plot_loss_terms, plot_samples
from tfake.training.distributed import rank_zero_only
from tfake.training.training_job import TrainingJob
from tfake.training.weights_file import run_digest

_SAMPLES_DRAWN = 6


@dataclass(frozen=True, kw_only=True)
class ThermalizerJob(TrainingJob):
    """Everything a job reads, writes and is told, beside what every training does.

    Attributes:
        weights: the weights to write.
        sample_figure: the PNG of some sources and their temperatures to write.
        archive: one zip, or all its raw split parts in order: the unpaired images.
        index: the archive's index.
        image_pixels: height and width of the archive's images.
        pairs: folder or zip of paired images (:func:`tfake.archive.pairs.open_pairs`).
        pair_layout: how their files are named.
        pair_values: what their thermal images hold, as :func:`tfake.thermal_io.scales.parse_scale` reads it.
        supervision: ``absolute`` or ``within_class``.
        patches: the bank of real thermal patches; None for a kind that is not compared with any.
        condition: the condition's name.
        ambient_celsius: lowest and highest ambient temperature trained for.
        prior_table: the prior's table, a name or a path.
        read_prior_at_celsius: read the body's temperatures of the table at this ambient; None: at its own.
        prior_offsets_kelvin: class name to what is added to its temperature in the table.
        prior_per_pixel: whether skin is held to the heat field, where the network takes it, and not to class means.
        kind: of :data:`tfake.thermalizer.thermalizer_kinds.KINDS`.
        images: the folder ``images.zarr``, where the source is kept decoded; None: the archive is read.
        encoder: file of the pretrained encoder that the settings ask for; None where they ask for none.
        faces: the folder ``faces.zarr``, finished, which has the points that heat fields need; None: no source has one.
    """

    weights: str
    sample_figure: str
    archive: list[str]
    index: str
    image_pixels: int
    pairs: str
    pair_layout: str
    pair_values: str | Mapping[str, Any]
    supervision: str
    patches: str | None
    condition: str
    ambient_celsius: tuple[float, float]
    prior_table: str
    read_prior_at_celsius: float | None
    prior_offsets_kelvin: Mapping[str, float]
    images: str | None = None
    encoder: str | None = None
    faces: str | None = None
    prior_per_pixel: bool = True
    kind: str = "unet"


def run_thermalizer_job(job: ThermalizerJob) -> None:
    """Train and write; of a group of processes the first one writes.

    Raises:
        ValueError: a setting, a table or a paired set that cannot be used; the message names it.
        FloatingPointError: the loss is not finite any more.
        TrainingStoppedError: SIGTERM came; the checkpoint is written and the same job goes on from it.
    """
    prepared = job.prepare()
    kind = KINDS[job.kind]
    settings: PairedSettings = kind.load("settings").from_mapping(job.settings)
    prior = load_prior(job.prior_table).shifted(job.prior_offsets_kelvin)
    prior.check_ambients(job.ambient_celsius, job.read_prior_at_celsius)
    table = read_index(job.index)
    sources = SourceImages(job.archive, table, job.image_pixels, job.images)
    paired = open_pairs(job.pairs, job.pair_values, job.pair_layout)
    data = TrainingData(
        pairs=paired,
        pair_subjects=paired.subjects,
        pair_values=paired.values,
        supervision=job.supervision,
        sources=sources,
        bank=None if job.patches is None else load_patch_bank(job.patches),
        prior=prior,
        ambient_celsius=job.ambient_celsius,
        read_prior_at_celsius=job.read_prior_at_celsius,
        meshes=None if job.faces is None else SourceMeshes(job.faces, table),
        prior_per_pixel=job.prior_per_pixel,
    )
    source_sha256, keys = table.attrs["source_sha256"], ("batch_pairs", "batch_sources", "image_pixels")
    digest = partial(_digest, job, prior, source_sha256)
    with job.controlled(prepared, settings, digest, keys, kind.section) as (chosen, control):
        trained = train(chosen, data, control, job.encoder and Path(job.encoder))
        with rank_zero_only() as writes:
            if writes:
                _write_products(job, settings, data, trained, source_sha256, control.device)


def _write_products(
    job: ThermalizerJob,
    settings: PairedSettings,
    data: TrainingData,
    trained: Trained,
    source_sha256: str,
    device: torch.device,
) -> None:
    kind = KINDS[job.kind]
    last = trained.losses.tail(max(1, settings.steps // 10)).mean()
    logging.info("last tenth of the steps: %s", ", ".join(f"{name} {last[name]:.3f}" for name in kind.column_labels()))
    title = f"thermalizer {job.condition}, {len(trained.losses)} steps"
    thermalizer = Thermalizer(trained.network, device, trained.precision, job.condition)
    write_whole(job.losses, lambda part: trained.losses.to_csv(part, index=False, float_format="%.6g"))
    write_whole(job.loss_figure, lambda part: plot_loss_terms(part, trained.losses, _loss_curves(kind), title))
    samples = list(_thermalize_samples(thermalizer, data))
    write_whole(job.sample_figure, lambda part: plot_samples(part, samples, data.middle_celsius, title))
    digest = save_weights(job.weights, trained.network, job.condition)
    save_provenance(
        job.provenance,
        settings,
        job.ambient_celsius,
        weights_sha256=digest,
        precision=trained.precision,
        condition=job.condition,
        prior=data.prior.name,
        pair_values=data.pair_values,
        supervision=job.supervision,
        prior_per_pixel=job.prior_per_pixel,
        pairs=len(data.pairs),
        validation_pairs=trained.validation_pairs,
        sources=len(data.sources),
        source_sha256=source_sha256,
        device=device.type,
        threads=torch.get_num_threads(),
    )


def _loss_curves(kind: ThermalizerKind) -> dict[str, LossCurve]:
    colours = {name: {"colour": term.colour} for name, term in TERMS.items()}
    return {name: LossCurve(f"{label}, K²", **colours.get(name, {})) for name, label in kind.column_labels().items()}


def _digest(job: ThermalizerJob, prior: PriorTable, source_sha256: str, settings: PairedSettings) -> str:
    """Stands for everything the weights depend on, given the number format; paths are no part of it."""
    return run_digest(
        settings,
        source_sha256,
        job.patches and file_sha256(job.patches),
        job.encoder and file_sha256(job.encoder),
        job.faces and file_sha256(Path(job.faces).with_name("SHA256SUMS")),
        _describe_files(Path(job.pairs)),
        [job.pair_layout, job.pair_values, job.supervision, list(job.ambient_celsius), job.read_prior_at_celsius],
        job.prior_per_pixel,
        [prior.ambients.tolist(), np.nan_to_num(prior.celsius).tolist(), prior.std_kelvin.tolist()],
    )


def _describe_files(path: Path) -> list:
    """Identity of a paired set: a zip's bytes, or the names, sizes and dates in a folder."""
    if path.is_file():
        return [file_sha256(path)]
    files = sorted(file for file in path.rglob("*") if file.is_file())
    return [[str(f.relative_to(path)), f.stat().st_size, f.stat().st_mtime_ns] for f in files]


def _thermalize_samples(thermalizer: Thermalizer, data: TrainingData) -> Iterator[tuple]:
    chosen = np.unique(np.linspace(0, len(data.sources) - 1, _SAMPLES_DRAWN).astype(int)).tolist()
    shown = [data.sources[image] for image in chosen]
    meshes = [None if data.meshes is None else data.meshes[image] for image in chosen]
    fields = [
        FaceHeat(persons="mean").render(mesh, classes, rgb, data.middle_celsius, "")
        for mesh, (rgb, classes) in zip(meshes, shown, strict=True)
    ]
    seen = ((*sample, field) for sample, field in zip(shown, fields, strict=True))
    for sample, celsius in zip(shown, thermalizer.thermalize_each(seen, data.middle_celsius), strict=True):
        yield *sample, celsius
