"""The landmark network's training run: its network and its loss."""

from pathlib import Path

import torch
from torch import Tensor

from tfake.landmarks.likelihood import gaussian_nll, weighted_mean
from tfake.landmarks.network import LandmarkNetwork
from tfake.landmarks.sampling import LandmarkBatch
from tfake.landmarks.settings import LandmarkSettings
from tfake.training.precision import autocast_body
from tfake.training.run import Run


class LandmarkRun(Run):
    """A landmark network in training.

    Terms: the loss; the negative log-likelihood of face and of texture points, without the weight of ``nll_beta``; the
    mean distance of face points from the truth, in crop widths. The validation error is an NME, a share of sqrt(w h) of
    the face's box.
    """

    TERMS = ("total", "faces", "textures", "distance")

    def __init__(
        self,
        settings: LandmarkSettings,
        landmarks: int,
        precision: str,
        device: torch.device,
        encoder: Path | None = None,
    ) -> None:
        """Start at step 0; random weights come from torch's global generator.

        Args:
            settings: every number of the run.
            landmarks: 70 or 478.
            precision: number format of the network's body.
            device: where to compute.
            encoder: file of the weights that ``settings.pretrained`` asks for; None: they are fetched.
        """
        network = LandmarkNetwork(settings.architecture(landmarks), encoder or settings.pretrained).to(device).train()
        super().__init__(settings, network, precision, device)

    def compute(self, step: int, batch: LandmarkBatch) -> tuple[Tensor, ...]:
        """The loss terms of a step."""
        found = self._forward(batch.images, autocast_body(self._precision, self._device))
        beta = self._settings.nll_beta
        total = weighted_mean(gaussian_nll(found, batch.points, beta), batch.weights)
        with torch.no_grad():
            plain = gaussian_nll(found, batch.points)
            distance = (found[..., :2] - batch.points).norm(dim=-1)
            of_faces = batch.weights * batch.is_face[:, None]
            of_textures = batch.weights * ~batch.is_face[:, None]
            terms = [weighted_mean(*pair) for pair in ((plain, of_faces), (plain, of_textures), (distance, of_faces))]
        return total, *terms
