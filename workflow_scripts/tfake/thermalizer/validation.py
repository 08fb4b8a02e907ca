"""The validation metric of a training run: the paired error on subjects that are never trained on."""

import math
from collections.abc import Sequence
from dataclasses import replace

import torch

from tfake.sources.pairs import Pair
from tfake.thermalizer.network import ThermalUNet
from tfake.thermalizer.sampling import PairSampler
from tfake.thermalizer.settings import TrainingSettings
from tfake.thermalizer.supervised import SupervisedLoss
from tfake.training.chance import Stream, derive_seed
from tfake.training.precision import autocast_body

#: Crops of each held-out pair.
CROPS_A_PAIR = 2


class Validation:
    """Fixed crops of held-out pairs in true colours, and the network's error on them."""

    def __init__(
        self,
        settings: TrainingSettings,
        pairs: Sequence[Pair],
        loss: SupervisedLoss,
        ambient_celsius: float,
        precision: str,
        device: torch.device,
    ) -> None:
        """Draw the crops.

        Args:
            settings: crops and batch of the run.
            pairs: the held-out pairs.
            loss: the run's paired term.
            ambient_celsius: the room of pairs that do not tell theirs.
            precision: number format of the network's body.
            device: where the network is.
        """
        seed = derive_seed(settings.seed, Stream.VALIDATION)
        crop = replace(settings.crop, photometric_strength=0.0)
        sampler = PairSampler(pairs, crop, settings.batch_pairs, seed, ambient_celsius)
        steps = math.ceil(CROPS_A_PAIR * len(pairs) / settings.batch_pairs)
        self._batches = [sampler.batch(step).to(device) for step in range(steps)]
        self._loss, self._precision, self._device = loss, precision, device

    @torch.no_grad()
    def measure(self, network: ThermalUNet) -> float:
        """Root of the mean paired term over the crops, in K; the network is left in the mode it was in."""
        was_training = network.training
        network.eval()
        body = autocast_body(self._precision, self._device)
        terms = [
            self._loss(
                network(batch.rgb, batch.classes, batch.ambient_celsius, body), batch.thermal, batch.mask, batch.classes
            )
            for batch in self._batches
        ]
        network.train(was_training)
        return math.sqrt(torch.stack(terms).mean().item())
