"""Pretraining an encoder: the network of all heads, what a step learns from, and how it is judged on other people."""

import math
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace

import numpy as np
import pandas as pd
import torch
from torch import Tensor, nn

from tfake.pretraining.pretext import Encoder, Views
from tfake.pretraining.pretraining_settings import PretrainingSettings
from tfake.pretraining.pretraining_views import PretrainingImage
from tfake.pretraining.registry import PRETEXTS
from tfake.training.distributed import shard_of_batch
from tfake.training.loop import RunControl, TrainState, reproducible, run_steps
from tfake.training.rng import SINGLE_PROCESS, BatchPart, ProcessShard, RngStream, derive_seed, sample_parts
from tfake.training.training_settings import resolve_precision

#: Images of a validation, at most, and of the measures in the end.
VALIDATION_IMAGES, MEASURED_IMAGES = 96, 960


class PretrainingNetwork(nn.Module):
    """The encoder with a head a pretext; its answer is the loss, as a group of processes wants it: in one call."""

    def __init__(self, settings: PretrainingSettings, subjects: int, precision: str = "float32") -> None:
        """Build it; random weights come from torch's global generator."""
        super().__init__()
        self.encoder = Encoder(settings.backbone, settings.thermal_stretch, precision)
        self.heads = nn.ModuleDict({name: PRETEXTS[name].make_head(self.encoder, subjects) for name in settings.tasks})
        self._weights = dict(settings.tasks)

    def forward(self, *views: Views) -> Tensor:
        """The weighted sum of the losses, each loss, then each measure: (1 + 2 tasks,), views in the tasks' order."""
        found = [head(self.encoder, own) for head, own in zip(self.heads.values(), views, strict=True)]
        losses = torch.stack([loss for loss, _ in found])
        weights = losses.new_tensor(list(self._weights.values()))
        return torch.cat(((losses * weights).sum()[None], losses, torch.stack([measure for _, measure in found])))


class PretrainingState(TrainState):
    """Encoder and heads in training.

    Terms: the loss, each pretext's loss by its name, and each one's measure, ``{name}_measure``. Validation errors are
    the same on held-out images: the first is the loss.
    """

    _settings: PretrainingSettings

    def __init__(self, settings: PretrainingSettings, subjects: int, precision: str, device: torch.device) -> None:
        """Start at step 0; random weights come from torch's global generator."""
        measures = [f"{name}_measure" for name in settings.tasks]
        self.term_names = ("total", *settings.tasks, *measures)
        self.validation_names = ("validation", *(f"validation_{name}" for name in measures))
        network = PretrainingNetwork(settings, subjects, precision).to(device).train()
        super().__init__(settings, network, precision, device)

    def compute(self, step: int, *views: Views) -> tuple[Tensor, ...]:
        """The loss terms of a step."""
        return self._forward(*views).unbind()


class ViewSampler:
    """Views of a step's images, one batch a pretext; all pretexts see the same images."""

    def __init__(
        self,
        stored: Sequence[PretrainingImage],
        folders: Sequence[PretrainingImage],
        settings: PretrainingSettings,
        shard: ProcessShard = SINGLE_PROCESS,
    ) -> None:
        """Keep the images.

        Args:
            stored: of the stores.
            folders: of folders; subjects are numbered after those of the stores.
            settings: of the run.
            shard: which images of a batch are taken here.

        Raises:
            ValueError: there are no images, or none with points where a pretext needs them.
        """
        if not len(stored) and not len(folders):
            raise ValueError("there are no images to learn from")
        of_folders = settings.batch if not len(stored) else round(settings.folder_share * settings.batch)
        of_folders = of_folders if len(folders) else 0
        for name in settings.tasks:
            if PRETEXTS[name].needs_points and of_folders == settings.batch:
                raise ValueError(f"{name}: expected images with points, found only folders, which have none")
        self._tasks, self._views = tuple(settings.tasks), settings.views
        parts = (
            BatchPart(len(stored), settings.batch - of_folders, RngStream.UNLABELLED_ORDER, RngStream.UNLABELLED_VIEWS),
            BatchPart(len(folders), of_folders, RngStream.FOLDER_ORDER, RngStream.FOLDER_VIEWS),
        )
        self._parts = list(zip((stored, folders), sample_parts(parts, settings.seed, shard), strict=True))

    def batch(self, step: int) -> tuple[Views, ...]:
        """Draw the views of a step."""
        drawn = [(images[index], rng) for images, draw in self._parts for index, rng in draw(step)]
        items = [(image, rng.spawn(len(self._tasks))) for image, rng in drawn]
        return tuple(
            stack_views([PRETEXTS[name].draw_views(image, own[place], self._views) for image, own in items])
            for place, name in enumerate(self._tasks)
        )


def stack_views(items: Sequence[Mapping[str, np.ndarray]]) -> Views:
    """The views of several images as one batch."""
    return Views(**{name: torch.from_numpy(np.stack([item[name] for item in items])) for name in items[0]})


@dataclass(frozen=True)
class PretrainedEncoder:
    """A finished run.

    Attributes:
        encoder: the encoder, in evaluation mode.
        losses: one row a step with the columns ``PretrainingState.columns``.
        precision: the number format that it was trained in.
        measures: each pretext's measure on images of held-out people, or, of a closed set, on other crops of the same.
    """

    encoder: Encoder
    losses: pd.DataFrame
    precision: str
    measures: dict[str, float]


def pretrain(
    settings: PretrainingSettings,
    stored: Sequence[PretrainingImage],
    folders: Sequence[PretrainingImage],
    held_out: Sequence[PretrainingImage],
    subjects: int,
    control: RunControl,
) -> PretrainedEncoder:
    """Pretrain an encoder.

    Args:
        settings: of the run.
        stored: images of the stores.
        folders: images of folders.
        held_out: images of other people, to validate on.
        subjects: how many subjects the first two have.
        control: where it computes, and how it is stopped and goes on.

    Returns:
        The encoder and its record.

    Raises:
        ValueError: there are no images on either side, or a batch cannot be split evenly.
        FloatingPointError: the loss is not finite any more.
        TrainingStoppedError: the control's ``is_stopping`` said yes.
    """
    device = control.device
    precision, shard = resolve_precision(settings.precision, device), shard_of_batch(settings.batch)
    if not len(held_out):
        raise ValueError("there are no images to validate on: a split of so few subjects has an empty part")
    sampler = ViewSampler(stored, folders, settings, shard)
    known = stored if len(stored) else folders
    fixed = next(_validation_batches(settings, known, held_out, VALIDATION_IMAGES))

    def validate(network: PretrainingNetwork) -> tuple[float, ...]:
        found = _measure(network, fixed, device)
        return found[0], *found[1 + len(settings.tasks) :]

    with reproducible(derive_seed(settings.seed, RngStream.NETWORK), device):
        run = PretrainingState(settings, subjects, precision, device)
        losses = run_steps(
            run,
            settings,
            sampler.batch,
            validate if settings.validate_every else None,
            control,
            f"pretrain {', '.join(settings.tasks)}",
        )
        network = run.finish()
    return PretrainedEncoder(
        network.encoder, losses, precision, measure_pretexts(network, settings, known, held_out, device)
    )


def measure_pretexts(
    network: PretrainingNetwork,
    settings: PretrainingSettings,
    known: Sequence[PretrainingImage],
    held_out: Sequence[PretrainingImage],
    device: torch.device,
) -> dict[str, float]:
    """Each pretext's measure on images of held-out people, or of known ones where none else can be asked.

    Args:
        network: the encoder with its heads.
        settings: of the run.
        known: images that were learnt from.
        held_out: of other people.
        device: where the network is.

    Returns:
        By the pretext's name, the mean over ``MEASURED_IMAGES`` images at most, in batches of ``VALIDATION_IMAGES``
        at most; batches without what a pretext asks for are left out.
    """
    found = [_measure(network, views, device) for views in _validation_batches(settings, known, held_out)]
    return dict(zip(settings.tasks, np.nanmean(found, axis=0)[1 + len(settings.tasks) :].tolist(), strict=True))


def _measure(network: PretrainingNetwork, batch: Sequence[Views], device: torch.device) -> list[float]:
    """The network's answer to one batch of views a task, in evaluation mode."""
    was_training = network.training
    network.eval()
    with torch.no_grad():
        found: list[float] = network(*(views.to(device) for views in batch)).tolist()
    network.train(was_training)
    return found


def _validation_batches(
    settings: PretrainingSettings,
    known: Sequence[PretrainingImage],
    held_out: Sequence[PretrainingImage],
    most: int = MEASURED_IMAGES,
) -> Iterator[list[Views]]:
    """Batches of the same views each time, a ``Views`` a task.

    They are of held-out people, or of known ones where none else can be asked; cut at random, and displayed as they
    are: what augmentation takes away is not asked for.
    """
    plain = replace(settings.views, thermal_strength=0.0)
    images = [known if PRETEXTS[name].closed_set else held_out for name in settings.tasks]
    count = min(most, *map(len, images))
    chosen = [_spread(len(own), count) for own in images]
    # No batch is much smaller than another: some measures depend on how many images there are.
    batches = math.ceil(count / VALIDATION_IMAGES)
    for batch in range(batches):
        yield [
            stack_views(
                [
                    PRETEXTS[name].draw_views(
                        own[index], np.random.default_rng([settings.seed, RngStream.VALIDATION, index]), plain
                    )
                    for index in places[batch::batches]
                ]
            )
            for name, own, places in zip(settings.tasks, images, chosen, strict=True)
        ]


def _spread(count: int, wanted: int) -> list[int]:
    """So many of so many places, at equal distances."""
    return np.unique(np.linspace(0, count - 1, wanted).astype(int)).tolist()
