"""Who it is: one class a subject that is learnt from. A closed set: it says nothing of anybody else.

    L = -log softmax(W f(x))_s

The second pretext of Aghaomidi, Aram, Bahmani (ICBME 2023), who classify the 90 people of one data set. Of procedural
sources every row is somebody else, seen in every variant; with a single image a subject this is exemplar learning
(Dosovitskiy et al., NeurIPS 2014). Subjects are labels: it is no self-supervision where somebody had to name them.
"""

import numpy as np
from torch import Tensor, nn

from tfake.pretraining.pretext import Encoder, Pretext, PretextHead, Views
from tfake.pretraining.pretraining_views import PretrainingImage, ViewSettings, draw_crop, show_crop
from tfake.pretraining.rotation import accuracy


def draw_subject(image: PretrainingImage, rng: np.random.Generator, settings: ViewSettings) -> dict[str, np.ndarray]:
    """A crop, ``view`` (1, P, P), and who is in it, ``subject`` (); not mirrored, since faces are not symmetric."""
    matrix = draw_crop(image, rng, settings, mirrors=False)
    return {"view": show_crop(image, matrix, rng, settings), "subject": np.array(image.subject)}


class SubjectHead(PretextHead):
    """One linear layer on averaged features."""

    def __init__(self, encoder: Encoder, subjects: int) -> None:
        """Build it for an encoder and a number of subjects.

        Raises:
            ValueError: there are fewer than two.
        """
        super().__init__()
        if subjects < 2:
            raise ValueError(f"subject: expected at least two subjects to tell apart, found {subjects}")
        self.linear = nn.Linear(encoder.channels, subjects)

    def forward(self, encoder: Encoder, views: Views) -> tuple[Tensor, Tensor]:
        """Cross entropy, and the fraction of subjects that are told."""
        logits = self.linear(encoder.pool(encoder.show(views["view"])))
        return nn.functional.cross_entropy(logits, views["subject"]), accuracy(logits, views["subject"])


PRETEXT = Pretext(
    "who it is, of those learnt from", "subjects told, fraction", draw_subject, SubjectHead, closed_set=True
)
