"""A pretraining job: from stores, folders and settings to an encoder's files."""

import logging
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from typing import Any

import torch
from torch.utils.data import Subset

from tfake.core.files import write_whole
from tfake.core.subject_splits import split_by_subject
from tfake.landmarks.landmark_job import StoredFaces, open_faces
from tfake.pretraining.pretext import Encoder
from tfake.pretraining.pretraining import PretrainedEncoder, pretrain
from tfake.pretraining.pretraining_images import FolderImages, JoinedImages, StoredImages, UnlabelledFolder
from tfake.pretraining.pretraining_settings import PretrainingSettings
from tfake.pretraining.pretraining_views import PretrainingImage
from tfake.pretraining.registry import PRETEXTS
from tfake.store.manifest import file_sha256
from tfake.training.curves import LossCurve, plot_loss_terms
from tfake.training.distributed import rank_zero_only
from tfake.training.training_job import TrainingJob
from tfake.training.weights_file import bare_tensors, run_digest, save_encoder, save_record

_RECORDED_PACKAGES = ("torch", "timm", "numpy", "opencv-contrib-python")
_BACKBONE = "backbone."


@dataclass(frozen=True, kw_only=True)
class PretrainingJob(TrainingJob):
    """Everything a job reads, writes and is told, beside what every training does.

    Attributes:
        encoder: the file to write (:func:`tfake.training.weights_file.save_encoder`).
        stored: stores to take thermal images from; None: folders alone.
        sums: the stores' checksum lists: what the run is told apart by.
        folders: fields of :class:`tfake.pretraining.pretraining_images.UnlabelledFolder` by name.
        validation_share: fraction of each folder's subjects that are held out.
        name: of the pretext, or of several together.
    """

    encoder: str
    stored: StoredFaces | None
    sums: Sequence[str]
    folders: Mapping[str, Mapping[str, Any]]
    validation_share: float
    name: str


@dataclass(frozen=True)
class _Images:
    stored: Sequence[PretrainingImage]
    folders: Sequence[PretrainingImage]
    held_out: Sequence[PretrainingImage]
    subjects: int
    digests: list[str]


def run_pretraining_job(job: PretrainingJob) -> None:
    """Pretrain and write; of a group of processes the first one writes.

    Raises:
        FileNotFoundError: no such folder.
        ValueError: a setting, a store or a folder that cannot be used; the message names it.
        FloatingPointError: the loss is not finite any more.
        TrainingStoppedError: SIGTERM came; the checkpoint is written and the same job goes on from it.
    """
    prepared = job.prepare()
    settings = PretrainingSettings.from_mapping(job.settings)
    images = _open_images(job, settings)
    said = "%d images of stores and %d of folders to learn from, %d subjects; %d images to validate on"
    logging.info(said, len(images.stored), len(images.folders), images.subjects, len(images.held_out))
    digest = partial(_digest, job, images=images)
    with job.controlled(prepared, settings, digest, ("batch",), "pretraining") as (chosen, control):
        trained = pretrain(chosen, images.stored, images.folders, images.held_out, images.subjects, control)
        with rank_zero_only() as writes:
            if writes:
                _write_products(job, settings, trained, images, control.device)


def _open_images(job: PretrainingJob, settings: PretrainingSettings) -> _Images:
    cuts = settings.crop_scale[0], settings.image_pixels
    stored: Sequence[PretrainingImage] = ()
    subjects, learnt, held_out, digests = 0, [], [], []
    if job.stored is not None:
        known, others = (open_faces(job.stored, part) for part in ("train", "validation"))
        stored, subjects = StoredImages(known, job.stored.variants, *cuts), len(known)
        held_out.append((StoredImages(others, job.stored.variants, *cuts), 0))
    for folder in job.folders.values():
        images = FolderImages(UnlabelledFolder(**folder), *cuts)
        kept, held = split_by_subject(images.subjects, job.validation_share, settings.seed)
        learnt.append((Subset(images, kept), subjects))
        held_out.append((Subset(images, held), 0))
        subjects += len(set(images.subjects))
        digests.append(images.digest)
    return _Images(stored, JoinedImages(learnt), JoinedImages(held_out), subjects, digests)


def _write_products(
    job: PretrainingJob,
    settings: PretrainingSettings,
    trained: PretrainedEncoder,
    images: _Images,
    device: torch.device,
) -> None:
    said = ", ".join(f"{name}: {PRETEXTS[name].measure} {value:.4f}" for name, value in trained.measures.items())
    logging.info("on held-out images: %s", said)
    write_whole(job.losses, lambda part: trained.losses.to_csv(part, index=False, float_format="%.6g"))
    curves = {"total": LossCurve("total", "#0f172a")}
    for name in settings.tasks:
        curves |= {name: LossCurve(f"{name}: loss"), f"{name}_measure": LossCurve(f"{name}: {PRETEXTS[name].measure}")}
    title = f"pretraining {job.name}, {len(trained.losses)} steps"
    write_whole(job.loss_figure, lambda part: plot_loss_terms(part, trained.losses, curves, title))
    record = {
        "encoder_sha256": _save(job.encoder, trained.encoder, settings),
        "name": job.name,
        "tasks": {
            name: {
                "weight": settings.tasks[name],
                "measure": PRETEXTS[name].measure,
                "value": value,
                "on": "other crops of the same people" if PRETEXTS[name].closed_set else "held-out people",
            }
            for name, value in trained.measures.items()
        },
        "settings": settings.as_mapping(),
        "precision": trained.precision,
        "variants": list(job.stored.variants) if job.stored else [],
        "images": {"stores": len(images.stored), "folders": len(images.folders), "validation": len(images.held_out)},
        "subjects": images.subjects,
        "folders": dict(zip(job.folders, images.digests, strict=True)),
        "sources": [file_sha256(path) for path in job.sums],
        "device": device.type,
        "threads": torch.get_num_threads(),
    }
    save_record(job.provenance, record, _RECORDED_PACKAGES)


def _save(path: str, encoder: Encoder, settings: PretrainingSettings) -> str:
    """Write the encoder; its neck, too, where a task has trained it."""
    tensors = bare_tensors(encoder)
    neck = {name: value for name, value in tensors.items() if not name.startswith(_BACKBONE)}
    trains_neck = any(PRETEXTS[name].trains_neck for name in settings.tasks)
    return save_encoder(path, settings.backbone, encoder.backbone, neck if trains_neck else None)


def _digest(job: PretrainingJob, settings: PretrainingSettings, images: _Images) -> str:
    """Stands for everything the weights depend on, given the number format; where files lie is none of it."""
    variants = list(job.stored.variants) if job.stored else []
    sums = [file_sha256(path) for path in job.sums]
    return run_digest(settings, sums, variants, images.digests, job.validation_share)
