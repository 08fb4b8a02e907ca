"""The temperature step that a class map adds to what the image alone gives: one small convolution over indicators."""

import torch
from torch import Tensor, nn

from tfake.classes import LABELLED_CLASSES
from tfake.thermalizer.row_convolution import convolve_by_rows

_CLASS_COUNT = len(LABELLED_CLASSES)

#: Reach of a class's temperature step across its border.
_PIXELS = 7


class ClassOffset(nn.Conv2d):
    """A convolution from class ids to one channel, all zeros before training; IGNORE adds nothing."""

    def __init__(self, takes_ambient: bool) -> None:
        """Build it.

        Args:
            takes_ambient: whether there is a second set of steps, which the room's temperature multiplies.
        """
        super().__init__((1 + takes_ambient) * _CLASS_COUNT, 1, _PIXELS, padding=_PIXELS // 2, bias=False)
        nn.init.zeros_(self.weight)
        # One row more than there are classes stands for IGNORE.
        self.register_buffer("indicators", torch.eye(_CLASS_COUNT + 1, _CLASS_COUNT), persistent=False)

    def forward(self, classes: Tensor, room: Tensor | None = None) -> Tensor:
        """Add up the steps around each pixel.

        Args:
            classes: (B, H, W) uint8 class ids.
            room: (B,) float32, what multiplies the second set; None where there is none.

        Returns:
            (B, 1, H, W) float32.
        """
        slots = classes.clamp(max=_CLASS_COUNT).int()
        indicators = nn.functional.embedding(slots, self.indicators).permute(0, 3, 1, 2)
        steps = convolve_by_rows(indicators, self.weight[0].unflatten(0, (-1, _CLASS_COUNT)))
        return steps if room is None else steps[:, :1] + room[:, None, None, None] * steps[:, 1:]
