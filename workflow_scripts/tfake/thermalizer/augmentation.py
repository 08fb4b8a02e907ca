"""Photometric augmentation of the visible image: what light, camera and skin tone may change without changing heat.

The list is T-FAKE's (Flotho et al., CVPR 2025): colour jitter, autocontrast, equalisation, gray, inversion, blur and a
cast shadow. One strength scales how often and how much: a short run learns faster from true colours, a long one
generalises better from varied ones. Random numbers come from a NumPy generator, so that a crop depends on the seed
alone.
"""

import numpy as np
import torch
from torch import Tensor
from torchvision.transforms.v2 import functional as F

# How often each is applied at strength 1.
_JITTER, _AUTOCONTRAST, _EQUALISATION, _SHADOW, _GRAY, _INVERSION, _BLUR = 0.8, 0.2, 0.05, 0.25, 0.15, 0.05, 0.15

# How far at strength 1: factors lie between 1 / (1 + x) and 1 + x.
_BRIGHTNESS, _CONTRAST, _SATURATION, _CHANNEL_GAIN = 0.8, 0.6, 0.8, 0.2
_LARGEST_BLUR_SIGMA_PIXELS = 2.5


def augment_rgb(rgb: np.ndarray, rng: np.random.Generator, strength: float) -> np.ndarray:
    """Change colours, contrast and light of an image at random; nothing moves.

    Args:
        rgb: (H, W, 3) uint8.
        rng: the source of chance.
        strength: 0 leaves the image as it is, 1 changes it as much as T-FAKE's training did.

    Returns:
        (H, W, 3) uint8.
    """

    def happens(probability: float) -> bool:
        return rng.random() < strength * probability

    def factor(reach: float) -> float:
        return (1 + strength * reach) ** rng.uniform(-1, 1)

    image = torch.from_numpy(np.ascontiguousarray(rgb.transpose(2, 0, 1)))
    if happens(_SHADOW):
        image = cast_shadow(image, rng)
    if happens(_JITTER):
        image = F.adjust_brightness(image, factor(_BRIGHTNESS))
        image = F.adjust_contrast(image, factor(_CONTRAST))
        image = F.adjust_saturation(image, factor(_SATURATION))
        # The colour of the light: each channel has its own gain.
        gains = torch.tensor([factor(_CHANNEL_GAIN) for _ in range(3)])
        image = (image * gains[:, None, None]).clamp(0, 255).to(torch.uint8)
    if happens(_AUTOCONTRAST):
        image = F.autocontrast(image)
    if happens(_EQUALISATION):
        image = F.equalize(image)
    if happens(_GRAY):
        image = F.rgb_to_grayscale(image, num_output_channels=3)
    if happens(_INVERSION):
        image = F.invert(image)
    if happens(_BLUR):
        sigma = rng.uniform(0.3, _LARGEST_BLUR_SIGMA_PIXELS)
        image = F.gaussian_blur(image, 2 * int(np.ceil(2 * sigma)) + 1, sigma)
    return image.numpy().transpose(1, 2, 0)


def cast_shadow(image: Tensor, rng: np.random.Generator) -> Tensor:
    """Darken one side of a random line, with a soft edge.

    Args:
        image: (3, H, W) uint8.
        rng: the source of chance.

    Returns:
        (3, H, W) uint8.
    """
    height, width = image.shape[1:]
    angle = rng.uniform(0, 2 * np.pi)
    y, x = np.ogrid[-0.5 : 0.5 : height * 1j, -0.5 : 0.5 : width * 1j]
    distance = np.cos(angle) * x + np.sin(angle) * y - rng.uniform(-0.3, 0.3)
    shade = 1 / (1 + np.exp(-distance / rng.uniform(0.01, 0.1)))
    light = 1 - rng.uniform(0.3, 0.7) * shade
    return (image * torch.from_numpy(light.astype(np.float32))).to(torch.uint8)
