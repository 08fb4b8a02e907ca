"""A classifier's training job: from sequences, labelled sets and settings to its files."""

import hashlib
import logging
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from typing import Any

import torch

from tfake.classification.classification_settings import ClassificationSettings
from tfake.classification.classifier_network import save_classifier
from tfake.classification.classifier_training import ClassifierState, TrainedClassifier, train_classifier
from tfake.classification.clip_sources import ClipSources
from tfake.classification.face_clips import FaceClip
from tfake.core.ethics_note import require_accepted
from tfake.core.files import write_whole
from tfake.store.manifest import file_sha256
from tfake.training.curves import LossCurve, plot_loss_terms
from tfake.training.distributed import rank_zero_only
from tfake.training.training_job import TrainingJob
from tfake.training.weights_file import run_digest, save_record

_RECORDED_PACKAGES = ("torch", "timm", "numpy", "opencv-contrib-python")
_CURVES = {
    "total": LossCurve("cross-entropy", "#0f172a"),
    "accuracy": LossCurve("fraction of right answers"),
    "validation": LossCurve("cross-entropy, validation people"),
    "validation_accuracy": LossCurve("fraction of right answers, validation people"),
}


@dataclass(frozen=True, kw_only=True)
class ClassifierJob(TrainingJob):
    """Everything a job reads, writes and is told, beside what every training does.

    Attributes:
        weights: the file to write (:func:`tfake.classification.classifier_network.save_classifier`).
        sources: where clips come from.
        sums: the checksum list of the sequences: what the run is told apart by.
        regime: ``synthetic``, ``hybrid`` or ``real``.
        accepts_ethics_note: whether the configuration accepts the note (:mod:`tfake.core.ethics_note`).
    """

    weights: str
    sources: ClipSources
    sums: str
    regime: str
    accepts_ethics_note: bool


def run_classifier_job(job: ClassifierJob) -> None:
    """Train and write; of a group of processes the first one writes.

    Raises:
        EthicsNoteError: apparent sex is to be learnt, and the note is not accepted.
        FileNotFoundError: a labelled set is not there; the message says where to ask for it.
        ValueError: a setting, a store or a set that cannot be used; the message names it.
        FloatingPointError: the loss is not finite any more.
        TrainingStoppedError: SIGTERM came; the checkpoint is written and the same job goes on from it.
    """
    require_accepted(job.sources.attribute, job.accepts_ethics_note)
    prepared = job.prepare()
    settings = ClassificationSettings.from_mapping(job.settings)
    synthetic, real, held_out = job.sources.to_learn_from(job.regime)
    said = "%d synthetic and %d real clips to learn from, of %d people; %d clips of %d people to choose the weights"
    counts = _people(synthetic) + _people(real), len(held_out), _people(held_out)
    logging.info(said, len(synthetic), len(real), *counts)
    covered = True, False, job.regime == "synthetic"
    clips = [
        [_identity(clip, known) for clip in part]
        for known, part in zip(covered, (synthetic, real, held_out), strict=True)
    ]

    def digest(chosen: ClassificationSettings) -> str:
        return run_digest(chosen, file_sha256(job.sums), job.sources.classes, clips, job.regime)

    with job.controlled(prepared, settings, digest, ("batch",), "face_classification") as (chosen, control):
        trained = train_classifier(chosen, job.sources.classes, synthetic, real, held_out, control)
        with rank_zero_only() as writes:
            if writes:
                _write_products(job, settings, trained, (synthetic, real, held_out), control.device)


def _write_products(
    job: ClassifierJob,
    settings: ClassificationSettings,
    trained: TrainedClassifier,
    clips: tuple[Sequence[FaceClip], Sequence[FaceClip], Sequence[FaceClip]],
    device: torch.device,
) -> None:
    loss, right = trained.validation
    logging.info("validation people: cross-entropy %.4f, %.1f %% right", loss, 100 * right)
    write_whole(job.losses, lambda part: trained.losses.to_csv(part, index=False, float_format="%.6g"))
    title = f"{job.sources.attribute}, {settings.backbone}, {len(trained.losses)} steps"
    # Measured at some steps alone, and drawn as they stand until the next.
    held = {name: trained.losses[name].ffill() for name in ClassifierState.validation_names}
    measured = trained.losses.assign(**held)
    write_whole(job.loss_figure, lambda part: plot_loss_terms(part, measured, _CURVES, title))
    named = dict(zip(("synthetic", "real", "validation"), clips, strict=True))
    record = {
        "weights_sha256": save_classifier(job.weights, trained.network),
        "attribute": job.sources.attribute,
        "classes": list(job.sources.classes),
        "regime": job.regime,
        "settings": settings.as_mapping(),
        "precision": trained.precision,
        "parameters": sum(parameter.numel() for parameter in trained.network.parameters()),
        "validation": {"cross_entropy": loss, "accuracy": right},
        "clips": {name: len(own) for name, own in named.items()},
        "people": {name: _people(own) for name, own in named.items()},
        "division": {key: asdict(job.sources)[key] for key in ("validation_share", "test_share", "split_seed")},
        "sequences_sha256": file_sha256(job.sums),
        "device": device.type,
        "threads": torch.get_num_threads(),
    }
    save_record(job.provenance, record, _RECORDED_PACKAGES)


def _identity(clip: FaceClip, is_covered: bool) -> list[Any]:
    """What tells a clip from others; of images that no checksum list covers, what they show, too."""
    told = [clip.name, clip.subject, clip.label]
    if is_covered:
        return told
    box = None if clip.box is None else [float(edge) for edge in clip.box]
    return [*told, box, hashlib.sha256(clip.read().tobytes()).hexdigest()]


def _people(clips: Sequence[FaceClip]) -> int:
    return len({clip.subject for clip in clips})
