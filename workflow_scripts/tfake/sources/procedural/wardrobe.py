"""What a person wears: which of glasses, hat and mask, drawn together because they get in each other's way."""

from dataclasses import dataclass

import numpy as np


@dataclass(frozen=True)
class Wardrobe:
    """Choices; the things themselves are drawn in their own rooms.

    Attributes:
        glasses: "none", "clear" or "opaque".
        hat: wears headwear.
        mask: wears facewear.
    """

    glasses: str
    hat: bool
    mask: bool


def draw_wardrobe(rng: np.random.Generator, lab: bool) -> Wardrobe:
    """Draw what is worn; a lab subject has no mask, no hat and no sunglasses."""
    glasses, hat, mask = rng.uniform(size=3)
    if lab:
        return Wardrobe("clear" if glasses < 0.25 else "none", False, False)
    kind = "clear" if glasses < 0.22 else "opaque" if glasses < 0.255 else "none"
    masked = bool(mask < 0.045) and kind != "opaque"
    return Wardrobe(kind, bool(hat < 0.17), masked)
