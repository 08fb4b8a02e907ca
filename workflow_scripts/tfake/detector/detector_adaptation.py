"""A detector that learns from its own answers in one camera's pictures, and how it is told whether it got worse.

The teacher is the detector as it was, searching by several looks, whose mean is right more often than any of them; what
it does not know stays open (:mod:`tfake.detector.found_scenes`). In the end the weights are averaged with those of the
start, and the adapted detector searches by several looks as well.
"""

import copy
from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any, NamedTuple

import numpy as np
import torch

from tfake.detector.detector_network import DetectorNetwork
from tfake.detector.detector_settings import DetectorSettings
from tfake.detector.detector_training import DetectorTrainState
from tfake.detector.face_detector import LOOKS
from tfake.detector.found_scenes import SURE, FoundPicture, FoundScenes
from tfake.imaging.crops import box_iou
from tfake.training.averaging import average_weights, freeze_statistics
from tfake.training.loop import RunControl, TrainState, reproducible, run_steps
from tfake.training.rng import RngStream, derive_seed
from tfake.training.training_settings import resolve_precision

#: How a detector is adapted; the rest is as in a training from the start.
DEFAULTS: Mapping[str, Any] = {
    "steps": 150,
    "learning_rate": 3e-4,
    "ema_decay": 0.0,
    "validate_every": 0,
    "checkpoint_every": 0,
    "precision": "float32",
}
#: Of the way from the old weights to the new ones.
SHARE = 0.5
# What was found before is one with what is found now.
_SAME_IOU = 0.35


class FoundAgain(NamedTuple):
    """Faces of held-out pictures.

    Attributes:
        before: that the old detector is sure of.
        again: of them, that the adapted one is sure of, too.
        more: that it alone is sure of.
    """

    before: int
    again: int
    more: int


class DetectorAdaptState(DetectorTrainState):
    """A detector that learns on from where it is."""

    def __init__(self, settings: DetectorSettings, network: DetectorNetwork, device: torch.device) -> None:
        """Start at step 0 with a copy of the network, whose normalisation keeps its statistics."""
        started = freeze_statistics(copy.deepcopy(network).to(device).train())
        precision = resolve_precision(settings.precision, device)
        TrainState.__init__(self, settings, started, precision, device)


def adapt_detector(
    network: DetectorNetwork,
    pictures: Sequence[FoundPicture],
    settings: DetectorSettings,
    device: torch.device,
    share: float = SHARE,
) -> DetectorNetwork:
    """Let a detector learn from its own answers; on one machine and thread count the result depends on these alone.

    Args:
        network: to begin with; it stays as it is.
        pictures: and what it found in them.
        settings: of the run, with ``DEFAULTS``.
        device: where to compute.
        share: of the way from the old weights to the new ones.

    Returns:
        Another one, in evaluation mode on the CPU, that searches by all of ``LOOKS``.

    Raises:
        ValueError: there are no pictures.
        FloatingPointError: the loss is not finite any more.
    """
    scenes = FoundScenes(pictures, settings)
    with reproducible(derive_seed(settings.seed, RngStream.NETWORK), device):
        run = DetectorAdaptState(settings, network, device)
        run_steps(run, settings, lambda step: (scenes.batch(step),), None, RunControl(device), "adapt detector")
        adapted = average_weights(network.cpu(), run.finish().cpu(), share)
    adapted.architecture = replace(network.architecture, search_looks=len(LOOKS))
    return adapted


def settings_for(network: DetectorNetwork, **changes: Any) -> DetectorSettings:
    """``DEFAULTS`` with changes, for a detector as it is.

    Raises:
        ValueError: an unknown key, or a value that cannot train.
    """
    own = network.architecture
    kept = {"backbone": own.backbone, "channels": own.channels, "search_pixels": own.search_pixels}
    return DetectorSettings.from_mapping({**DEFAULTS, **kept, **changes})


def find_again(before: Sequence[FoundPicture], after: Sequence[FoundPicture]) -> FoundAgain:
    """Compare what two detectors are sure of in the same pictures."""
    counts = np.zeros(3, int)
    for old, new in zip(before, after, strict=True):
        old_boxes, new_boxes = (picture.found.boxes[picture.confidence >= SURE] for picture in (old, new))
        again = sum(any(box_iou(box, other) > _SAME_IOU for other in new_boxes) for box in old_boxes)
        more = sum(not any(box_iou(box, other) > _SAME_IOU for other in old_boxes) for box in new_boxes)
        counts += len(old_boxes), again, more
    return FoundAgain(*counts.tolist())
