"""A landmark training job: from stores, archive and settings to a landmark network's files."""

import logging
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, field
from functools import partial
from pathlib import Path
from typing import Any, Self

import numpy as np
import torch
from torch.utils.data import ConcatDataset, Subset

from tfake.archive.index import read_index
from tfake.core.files import write_whole
from tfake.landmarks.distillation_training import Distillation, DistillationSettings
from tfake.landmarks.few_labels import choose_labelled
from tfake.landmarks.landmark_settings import LandmarkSettings
from tfake.landmarks.landmark_training import TrainedLandmarker, train_landmarks
from tfake.landmarks.landmarker_file import save_landmark_provenance, save_landmark_weights
from tfake.landmarks.real_faces import load_real_faces, split_by_subject
from tfake.landmarks.scoring import predict_samples
from tfake.reader.dataset import open_dataset
from tfake.store.manifest import file_sha256
from tfake.training.curves import plot_landmark_losses, plot_predictions
from tfake.training.distributed import rank_zero_only
from tfake.training.training_faces import TrainingFace, TrainingFaces
from tfake.training.training_job import TrainingJob
from tfake.training.weights_file import run_digest

FIELDS = ("thermal", "segmentation", "landmarks_70", "landmarks_478", "landmarks_478_visibility")
_DRAWN = 6


@dataclass(frozen=True)
class StoredFaces:
    """Where faces with points lie.

    Attributes:
        results: the folder of the stores (:func:`tfake.open_dataset`).
        archive: one zip, or all its raw split parts in order: the visible images.
        index: the archive's index.
        landmarks: 70, 478, or 548 for both.
        variants: thermal variants.
        images: the folder ``images.zarr``, where the source is kept decoded; None: the archive is read.
    """

    results: str
    archive: Sequence[str]
    index: str
    landmarks: int
    variants: Sequence[str]
    images: str | None = None

    @classmethod
    def of_files(
        cls,
        faces: str,
        archive: Sequence[str],
        index: str,
        images: Sequence[str],
        landmarks: int,
        variants: Sequence[str],
    ) -> Self:
        """The stores of a run, as a rule names what it waits for.

        Args:
            faces: the checksum list of the faces store.
            archive: as the attribute.
            index: the same.
            images: files of ``images.zarr``; none where the archive is read.
            landmarks: as the attribute.
            variants: the same.
        """
        decoded = str(Path(images[0]).parent) if images else None
        return cls(str(Path(faces).parents[1]), list(archive), index, landmarks, list(variants), decoded)


@dataclass(frozen=True, kw_only=True)
class LandmarkJob(TrainingJob):
    """Everything a job reads, writes and is told, beside what every training does.

    Attributes:
        weights: the weights to write.
        sample_figure: the PNG of some validation faces to write.
        stored: what to learn from.
        sums: the stores' checksum lists: what the run is told apart by.
        task: the network's name.
        encoder: file of the pretrained encoder that the settings ask for; None where they ask for none.
        real: files of real faces to learn from (:mod:`tfake.landmarks.real_faces`), by name of their folder.
        real_validation_share: fraction of the subjects of each that are held out.
        others: stores of other runs to learn from beside those; their lists are among the ``sums``.
        initial: file of weights to begin with (:mod:`tfake.landmarks.initial_weights`); None: random ones.
        distillation: how a teacher teaches (:class:`tfake.landmarks.distillation_training.DistillationSettings`);
            None: plain training.
        teacher: its weights; None: there is none.
        labels: which faces are labelled (:func:`tfake.landmarks.few_labels.choose_labelled`), every face being a person
            of its own; None: all.
        is_frozen: whether the backbone stays as it begins.
    """

    weights: str
    sample_figure: str
    stored: StoredFaces
    sums: Sequence[str]
    task: str
    encoder: str | None = None
    real: Mapping[str, str] = field(default_factory=dict)
    real_validation_share: float = 0.0
    others: Sequence[StoredFaces] = ()
    initial: str | None = None
    distillation: Mapping[str, Any] | None = None
    teacher: str | None = None
    labels: Mapping[str, Any] | None = None
    is_frozen: bool = False


def run_landmark_job(job: LandmarkJob) -> None:
    """Train and write; of a group of processes the first one writes.

    Raises:
        ValueError: a setting or a store that cannot be used; the message names it.
        FloatingPointError: the loss is not finite any more.
        TrainingStoppedError: SIGTERM came; the checkpoint is written and the same job goes on from it.
    """
    prepared = job.prepare()
    settings = LandmarkSettings.from_mapping(job.settings)
    faces, held_out = (open_faces(job.stored, part, settings.covered_weight) for part in ("train", "validation"))
    if job.labels is not None:
        people = [str(number) for number in range(len(faces))]
        faces = Subset(faces, choose_labelled(people, **job.labels))
    real, real_held_out = open_real_faces(job)
    parts = [open_faces(run, "train", settings.covered_weight) for run in job.others]
    others = ConcatDataset(parts) if parts else ()
    said = "%d faces to learn from, %d to validate on; %d of other runs; %d and %d real ones"
    logging.info(said, len(faces), len(held_out), len(others), len(real), len(real_held_out))
    teaching = _open_teaching(job, prepared.device)
    keys = ("batch", "image_pixels")
    with job.controlled(prepared, settings, partial(_digest, job), keys, "landmarks") as (chosen, control):
        trained = train_landmarks(
            chosen,
            faces,
            held_out,
            job.stored.landmarks,
            control,
            # Where the source is kept decoded, nothing has to be kept again.
            scratch_folder=None if job.stored.images else Path(job.checkpoint).parent,
            encoder=job.encoder and Path(job.encoder),
            real=real,
            real_held_out=real_held_out,
            others=others,
            initial=job.initial and Path(job.initial),
            teaching=teaching,
            is_frozen=job.is_frozen,
        )
        with rank_zero_only() as writes:
            if writes:
                counts = len(faces), len(real), len(real_held_out), len(others)
                _write_products(job, settings, trained, counts, held_out, control.device)


def open_faces(stored: StoredFaces, part: str, occluded_weight: float = 0.0) -> TrainingFaces:
    """The faces of one part of the split: ``train``, ``validation`` or ``test``."""
    dataset = open_dataset(stored.results, stored.variants, part, fields=FIELDS)
    records = read_index(stored.index)
    return TrainingFaces(dataset, stored.archive, records, stored.landmarks, occluded_weight, stored.images)


def open_real_faces(job: LandmarkJob) -> tuple[list[TrainingFace], list[TrainingFace]]:
    """The real faces of a job, those to learn from and those held out, in memory."""
    parts: tuple[list[TrainingFace], list[TrainingFace]] = [], []
    for path in job.real.values():
        for part, chosen in zip(parts, split_by_subject(load_real_faces(path), job.real_validation_share), strict=True):
            part += [face.to_learn_from(job.stored.landmarks) for face in chosen]
    return parts


def _open_teaching(job: LandmarkJob, device: torch.device) -> Distillation | None:
    if job.distillation is None:
        return None
    settings = DistillationSettings(**job.distillation)
    return Distillation.open(settings, job.teacher, job.stored.landmarks, device)


def _write_products(
    job: LandmarkJob,
    settings: LandmarkSettings,
    trained: TrainedLandmarker,
    counts: tuple[int, int, int, int],
    held_out: TrainingFaces,
    device: torch.device,
) -> None:
    errors = ", ".join(f"{name} {error:.4f}" for name, error in trained.validation_nme.items())
    logging.info("validation NME, sqrt(w h) of the box: %s", errors)
    title = f"landmarks {job.task}, {len(trained.losses)} steps"
    write_whole(job.losses, lambda part: trained.losses.to_csv(part, index=False, float_format="%.6g"))
    write_whole(job.loss_figure, lambda part: plot_landmark_losses(part, trained.losses, title))
    chosen = [held_out[place] for place in np.unique(np.linspace(0, len(held_out) - 1, _DRAWN).astype(int))]
    samples = [
        drawn
        for variant in (None, *job.stored.variants)
        for drawn in predict_samples(trained.network, chosen, variant, variant or "rgb", device)
    ]
    write_whole(job.sample_figure, lambda part: plot_predictions(part, samples, f"{title}: validation faces"))
    digest = save_landmark_weights(job.weights, trained.network, trained.calibration)
    save_landmark_provenance(
        job.provenance,
        weights_sha256=digest,
        task=job.task,
        architecture=asdict(trained.network.architecture),
        settings=settings.as_mapping(),
        calibration=asdict(trained.calibration),
        validation_nme=trained.validation_nme,
        precision=trained.precision,
        variants=list(job.stored.variants),
        faces=counts[0],
        validation_faces=len(held_out),
        real={"folders": list(job.real), "faces": counts[1], "validation_faces": counts[2]},
        others=counts[3],
        parameters=sum(parameter.numel() for parameter in trained.network.parameters()),
        distillation=None if job.distillation is None else {**job.distillation, "teacher_sha256": _teacher_sums(job)},
        sources=[file_sha256(path) for path in (*job.sums, *job.real.values())],
        initial_sha256=job.initial and file_sha256(job.initial),
        labels=dict(job.labels) if job.labels else None,
        is_frozen=job.is_frozen,
        device=device.type,
        threads=torch.get_num_threads(),
    )


def _digest(job: LandmarkJob, settings: LandmarkSettings) -> str:
    """Stands for everything the weights depend on, given the number format; where files lie is none of it."""
    sums = [file_sha256(path) for path in (*job.sums, *job.real.values(), *filter(None, [job.encoder]))]
    parts = [sums, job.stored.landmarks, list(job.stored.variants)]
    parts += [job.real_validation_share] if job.real else []
    parts += [{"initial": file_sha256(job.initial)}] if job.initial else []
    parts += [] if job.distillation is None else [dict(job.distillation), _teacher_sums(job)]
    parts += [{"labels": dict(job.labels)}] if job.labels else []
    parts += ["frozen"] if job.is_frozen else []
    return run_digest(settings, *parts)


def _teacher_sums(job: LandmarkJob) -> list[str]:
    return [file_sha256(path) for path in filter(None, [job.teacher])]
