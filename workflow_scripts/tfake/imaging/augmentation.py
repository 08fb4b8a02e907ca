"""Photometric augmentation of the visible image: what light, camera and skin tone may change without changing heat.

The list is T-FAKE's (Flotho et al., CVPR 2025): colour jitter, autocontrast, equalisation, gray, inversion, blur and a
cast shadow. One strength scales how often and how much: a short run learns faster from true colours, a long one
generalises better from varied ones. Random numbers come from a NumPy generator, so that a crop depends on the seed
alone.
"""

import cv2
import numpy as np

# How often each is applied at strength 1.
_JITTER, _AUTOCONTRAST, _EQUALISATION, _SHADOW, _GRAY, _INVERSION, _BLUR = 0.8, 0.2, 0.05, 0.25, 0.15, 0.05, 0.15

# How far at strength 1: factors lie between 1 / (1 + x) and 1 + x.
_BRIGHTNESS, _CONTRAST, _SATURATION, _CHANNEL_GAIN = 0.8, 0.6, 0.8, 0.2
_LARGEST_BLUR_SIGMA_PIXELS = 2.5

# What red, green and blue add to a gray value (ITU-R BT.601), as in OpenCV's own gray.
_LUMA = np.array((0.299, 0.587, 0.114))


def augment_rgb(rgb: np.ndarray, rng: np.random.Generator, strength: float) -> np.ndarray:
    """Change colours, contrast and light of an image at random; nothing moves.

    Args:
        rgb: (H, W, 3) uint8.
        rng: the random generator.
        strength: 0 leaves the image as it is, 1 changes it as much as T-FAKE's training did.

    Returns:
        (H, W, 3) uint8.
    """

    def happens(probability: float) -> bool:
        return rng.random() < strength * probability

    def factor(reach: float) -> float:
        return (1 + strength * reach) ** rng.uniform(-1, 1)

    image = rgb
    if happens(_SHADOW):
        image = cast_shadow(image, rng)
    if happens(_JITTER):
        brightness, contrast, saturation = factor(_BRIGHTNESS), factor(_CONTRAST), factor(_SATURATION)
        # The colour of the light: each channel has its own gain.
        image = colour_jitter(image, brightness, contrast, saturation, [factor(_CHANNEL_GAIN) for _ in range(3)])
    if happens(_AUTOCONTRAST):
        image = autocontrast(image)
    if happens(_EQUALISATION):
        image = cv2.merge([cv2.equalizeHist(channel) for channel in cv2.split(image)])
    if happens(_GRAY):
        image = to_gray(image)
    if happens(_INVERSION):
        image = cv2.bitwise_not(image)
    if happens(_BLUR):
        sigma = rng.uniform(0.3, _LARGEST_BLUR_SIGMA_PIXELS)
        edge = 2 * int(np.ceil(2 * sigma)) + 1
        image = cv2.GaussianBlur(image, (edge, edge), sigma, borderType=cv2.BORDER_REFLECT_101)
    return image


def colour_jitter(
    image: np.ndarray, brightness: float, contrast: float, saturation: float, gains: list[float]
) -> np.ndarray:
    """Multiply brightness, distance from the mean gray, distance from each pixel's own gray, and channels, in turn.

    Args:
        image: (H, W, 3) uint8.
        brightness: factor of every value.
        contrast: factor about the mean gray of the brighter image.
        saturation: factor about each pixel's gray.
        gains: factor of each channel.

    Returns:
        (H, W, 3) uint8; every value is clipped after each of the four.
    """
    image = cv2.convertScaleAbs(image, alpha=brightness)
    mean = float(_LUMA @ cv2.mean(image)[:3])
    image = cv2.addWeighted(image, contrast, image, 0, (1 - contrast) * mean)
    image = cv2.addWeighted(image, saturation, to_gray(image), 1 - saturation, 0)
    return cv2.merge([cv2.convertScaleAbs(one, alpha=gain) for one, gain in zip(cv2.split(image), gains, strict=True)])


def to_gray(image: np.ndarray) -> np.ndarray:
    """The image without its colours: (H, W, 3) uint8, three equal channels."""
    return cv2.cvtColor(cv2.cvtColor(image, cv2.COLOR_RGB2GRAY), cv2.COLOR_GRAY2RGB)


def autocontrast(image: np.ndarray) -> np.ndarray:
    """Stretch each channel of a (H, W, 3) uint8 image to 0..255; one without contrast stays as it is."""
    channels = list(cv2.split(image))
    for place, channel in enumerate(channels):
        least, most, _, _ = cv2.minMaxLoc(channel)
        if most > least:
            gain = 255 / (most - least)
            channels[place] = cv2.convertScaleAbs(channel, alpha=gain, beta=-gain * least)
    return cv2.merge(channels)


def cast_shadow(image: np.ndarray, rng: np.random.Generator) -> np.ndarray:
    """Darken one side of a random line through a (H, W, 3) uint8 image, with a soft edge."""
    height, width = image.shape[:2]
    angle = rng.uniform(0, 2 * np.pi)
    y, x = (np.linspace(-0.5, 0.5, edge, dtype=np.float32) for edge in (height, width))
    distance = (
        np.float32(np.cos(angle)) * x + (np.float32(np.sin(angle)) * y - np.float32(rng.uniform(-0.3, 0.3)))[:, None]
    )
    shade = 1 / (1 + cv2.exp(distance / np.float32(-rng.uniform(0.01, 0.1))))
    light = 1 - np.float32(rng.uniform(0.3, 0.7)) * shade
    return cv2.multiply(image, cv2.merge((light, light, light)), dtype=cv2.CV_8U)
