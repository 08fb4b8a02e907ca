"""Training a classifier: what a step learns from, and how the weights are chosen by other people."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import pandas as pd
import torch
import torch.nn.functional as F
from torch import Tensor

from tfake.classification.classification_settings import ClassificationSettings
from tfake.classification.classifier_network import ClassifierArchitecture, ClassifierNetwork, classify
from tfake.classification.face_clips import FaceClip, ShownClips
from tfake.training.distributed import shard_of_batch
from tfake.training.loading import TensorBatch
from tfake.training.loop import RunControl, TrainState, reproducible, run_steps
from tfake.training.rng import SINGLE_PROCESS, BatchPart, ProcessShard, RngStream, derive_seed, sample_parts
from tfake.training.training_settings import resolve_precision

#: Clips of a validation, at most.
VALIDATION_CLIPS = 512


@dataclass(frozen=True)
class ClipBatch(TensorBatch):
    """Clips of a step.

    Attributes:
        images: (B, T, P, P) float16 in 0..1.
        labels: (B,) int64.
    """

    images: Tensor
    labels: Tensor


class ClassifierState(TrainState):
    """A classifier in training: cross-entropy, and the fraction of right answers. Validation errors are the same."""

    term_names = ("total", "accuracy")
    validation_names = ("validation", "validation_accuracy")

    def __init__(
        self, settings: ClassificationSettings, classes: Sequence[str], precision: str, device: torch.device
    ) -> None:
        """Start at step 0; random weights come from torch's global generator."""
        architecture = ClassifierArchitecture(
            tuple(classes),
            settings.backbone,
            settings.temporal,
            settings.frames,
            settings.image_pixels,
            settings.crop_scale,
            settings.thermal_stretch,
        )
        network = ClassifierNetwork(architecture, precision).to(device).train()
        super().__init__(settings, network, precision, device)

    def compute(self, step: int, batch: ClipBatch) -> tuple[Tensor, ...]:
        """The loss terms of a step."""
        return loss_and_accuracy(self._forward(batch.images), batch.labels)


def loss_and_accuracy(logits: Tensor, labels: Tensor) -> tuple[Tensor, Tensor]:
    """Cross-entropy, and the fraction of right answers: (B, K) and (B,) to () each."""
    return F.cross_entropy(logits, labels), (logits.argmax(dim=1) == labels).float().mean()


class ClipSampler:
    """Batches of clips: of synthetic people, of real ones, or of both in fixed shares."""

    def __init__(
        self,
        synthetic: ShownClips,
        real: ShownClips,
        settings: ClassificationSettings,
        shard: ProcessShard = SINGLE_PROCESS,
    ) -> None:
        """Keep the clips.

        Args:
            synthetic: of sequences.
            real: of labelled sets.
            settings: of the run.
            shard: which clips of a batch are made here.

        Raises:
            ValueError: there are none of either.
        """
        if not len(synthetic) and not len(real):
            raise ValueError("there are no clips to learn from")
        of_real = min(max(round(settings.real_share * settings.batch), 1), settings.batch - 1)
        if not len(synthetic) or not len(real):
            of_real = settings.batch if len(real) else 0
        parts = (
            BatchPart(len(synthetic), settings.batch - of_real, RngStream.SOURCE_ORDER, RngStream.SOURCE_CROPS),
            BatchPart(len(real), of_real, RngStream.REAL_ORDER, RngStream.REAL_CROPS),
        )
        self._sources = list(zip((synthetic, real), sample_parts(parts, settings.seed, shard), strict=True))

    def batch(self, step: int) -> tuple[ClipBatch]:
        """Make the batch of a step."""
        drawn = [(clips, index, rng) for clips, draw in self._sources for index, rng in draw(step)]
        images = np.stack([clips.show(index, rng) for clips, index, rng in drawn])
        labels = np.array([clips.clips[index].label for clips, index, _ in drawn], dtype=np.int64)
        return (ClipBatch(torch.from_numpy(images), torch.from_numpy(labels)),)


@dataclass(frozen=True)
class TrainedClassifier:
    """A finished run.

    Attributes:
        network: in evaluation mode, with the weights that were best on validation people.
        losses: one row a step with the columns ``ClassifierState.columns``.
        precision: the number format that it was trained in.
        validation: cross-entropy and fraction of right answers on validation people.
    """

    network: ClassifierNetwork
    losses: pd.DataFrame
    precision: str
    validation: tuple[float, float]


def train_classifier(
    settings: ClassificationSettings,
    classes: Sequence[str],
    synthetic: Sequence[FaceClip],
    real: Sequence[FaceClip],
    held_out: Sequence[FaceClip],
    control: RunControl,
) -> TrainedClassifier:
    """Train a classifier.

    Args:
        settings: of the run.
        classes: names of the classes.
        synthetic: clips of synthetic people to learn from.
        real: of real people.
        held_out: of validation people, who are in neither: they choose the weights.
        control: where it computes, and how it is stopped and goes on.

    Raises:
        ValueError: there is nobody to learn from or to validate on, or somebody is in both.
        FloatingPointError: the loss is not finite any more.
        TrainingStoppedError: the control's ``is_stopping`` said yes.
    """
    if not held_out:
        raise ValueError("there are no clips to validate on")
    if shared := {clip.subject for clip in held_out} & {clip.subject for clip in (*synthetic, *real)}:
        raise ValueError(f"expected other people to validate on; {', '.join(sorted(shared))} are learnt from, too")
    views = settings.views
    sampler = ClipSampler(
        ShownClips(synthetic, views), ShownClips(real, views), settings, shard_of_batch(settings.batch)
    )
    device = control.device
    precision = resolve_precision(settings.precision, device)
    shown = ShownClips(held_out, views)
    chosen = np.unique(np.linspace(0, len(shown) - 1, min(len(shown), VALIDATION_CLIPS)).astype(int)).tolist()
    images = [torch.from_numpy(shown.show(index)) for index in chosen]
    labels = torch.from_numpy(shown.labels[chosen])

    def measure(network: ClassifierNetwork) -> tuple[float, float]:
        was_training = network.training
        network.eval()
        found = loss_and_accuracy(classify(network, images, device, settings.batch), labels)
        network.train(was_training)
        return found[0].item(), found[1].item()

    with reproducible(derive_seed(settings.seed, RngStream.NETWORK), device):
        run = ClassifierState(settings, classes, precision, device)
        losses = run_steps(
            run,
            settings,
            sampler.batch,
            measure,
            control,
            f"train classifier, {settings.backbone}",
        )
        network = run.finish()
    return TrainedClassifier(network, losses, precision, measure(network))
