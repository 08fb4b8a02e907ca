"""Which way up: a crop is turned by 0, 90, 180 or 270 degrees, and the network tells by how much.

    L = -log softmax(W f(rot_k(x)))_k                                        k uniform in 0..3

RotNet (Gidaris, Singh, Komodakis, ICLR 2018, eq. 2-3); the first pretext of Aghaomidi, Aram, Bahmani (ICBME 2023).
Nothing but the picture may tell the turn: crops lie in the picture, so that none has a border; they are turned after
they are sampled and displayed, by exchanging pixels, so that interpolation and noise are the same in all four.
"""

import numpy as np
import torch
from torch import Tensor, nn

from tfake.pretraining.pretext import Encoder, Pretext, PretextHead, Views
from tfake.pretraining.pretraining_views import PretrainingImage, ViewSettings, draw_crop, show_crop


def draw_turned(image: PretrainingImage, rng: np.random.Generator, settings: ViewSettings) -> dict[str, np.ndarray]:
    """A crop, ``view`` (1, P, P), and by how many right angles it is turned, ``turn`` ()."""
    shown = show_crop(image, draw_crop(image, rng, settings, turns=False), rng, settings)
    turn = int(rng.integers(4))
    return {"view": np.ascontiguousarray(np.rot90(shown, turn, axes=(1, 2))), "turn": np.array(turn)}


class RotationHead(PretextHead):
    """One linear layer on averaged features."""

    def __init__(self, encoder: Encoder, subjects: int) -> None:
        """Build it for an encoder; subjects are nothing to it."""
        super().__init__()
        self.linear = nn.Linear(encoder.channels, 4)

    def forward(self, encoder: Encoder, views: Views) -> tuple[Tensor, Tensor]:
        """Cross entropy, and the fraction of turns that are told."""
        logits = self.linear(encoder.pool(encoder.show(views["view"])))
        return nn.functional.cross_entropy(logits, views["turn"]), accuracy(logits, views["turn"])


def accuracy(logits: Tensor, classes: Tensor) -> Tensor:
    """Fraction of (B, C) logits whose largest is that of the class (B,)."""
    return (logits.argmax(1) == classes).to(torch.float32).mean()


PRETEXT = Pretext("which way up", "turns told, fraction", draw_turned, RotationHead)
