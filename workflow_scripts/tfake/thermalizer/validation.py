"""The validation metric of a training run: the paired error on subjects that are never trained on."""

import math
from collections.abc import Sequence
from dataclasses import replace

import torch

from tfake.overlap import map_threads
from tfake.sources.pairs import Pair
from tfake.thermalizer.network import ThermalUNet
from tfake.thermalizer.sampling import PairSampler
from tfake.thermalizer.settings import TrainingSettings
from tfake.thermalizer.supervised import SupervisedLoss
from tfake.training.chance import Stream, derive_seed
from tfake.training.distributed import add_up
from tfake.training.drawing import ALONE, Cache, Share
from tfake.training.precision import autocast_body

#: Crops of each held-out pair.
CROPS_A_PAIR = 2
#: Crops up to this are kept between validations, and as much of decoded pairs; others are made each time.
VALIDATION_BYTES = 256 << 20


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
        share: Share = ALONE,
        workers: int = 0,
    ) -> None:
        """Say which crops; none is made yet.

        Args:
            settings: crops and batch of the run.
            pairs: the held-out pairs.
            loss: the run's paired term.
            ambient_celsius: the room of pairs that do not tell theirs.
            precision: number format of the network's body.
            device: where the network is.
            share: which crops of a batch this process looks at.
            workers: threads that make batches ahead; no result depends on them.
        """
        seed = derive_seed(settings.seed, Stream.VALIDATION)
        crop = replace(settings.crop, photometric_strength=0.0)
        sampler = PairSampler(pairs, crop, settings.batch_pairs, seed, ambient_celsius, share, VALIDATION_BYTES)
        self._batches = Cache(sampler.batch, VALIDATION_BYTES)
        self._steps = range(math.ceil(CROPS_A_PAIR * len(pairs) / settings.batch_pairs))
        self._loss, self._precision, self._device, self._workers = loss, precision, device, workers

    @torch.no_grad()
    def measure(self, network: ThermalUNet) -> float:
        """Root of the mean paired term over the crops, of all processes of a group, in K.

        The network is left in the mode it was in.
        """
        was_training = network.training
        network.eval()
        body = autocast_body(self._precision, self._device)
        terms = []
        for made in map_threads(self._batches.__getitem__, self._steps, self._workers, ahead=1):
            batch = made.to(self._device)
            celsius = network(batch.rgb, batch.classes, batch.ambient_celsius, body)
            terms.append(self._loss(celsius, batch.thermal, batch.mask, batch.classes))
        network.train(was_training)
        total, processes = add_up([torch.stack(terms).mean().item(), 1])
        return math.sqrt(total / processes)
