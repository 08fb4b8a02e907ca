"""Where the faces of an image are: windows of every size that the landmark network is sure about.

Each level of a pyramid is encoded once and decoded in all of its windows; the surest windows, one a face, are looked at
again as crops of their own, since a crop's border is seen differently from the inside of a larger image.
"""

import cv2
import numpy as np
import torch
from torch import Tensor, nn

from tfake.landmarks.boxes import overlap
from tfake.landmarks.crops import MARGIN, cut, into_image, square_around

#: From one level of the pyramid to the next: T-FAKE's own inference.
_SHRINK = 0.75
_STEP = 32
#: Faces overlapping by more are one.
_SAME_FACE = 0.3
#: How many windows are looked at again: where one face is wanted, and where several may be.
_CANDIDATES = {False: 4, True: 16}
_BATCH = 256


@torch.inference_mode()
def find_windows(
    network: nn.Module,
    picture: np.ndarray,
    threshold: float,
    multi: bool,
    device: torch.device,
    smallest_window: float = 48.0,
) -> np.ndarray:
    """Search an image for faces.

    Args:
        network: a landmark network with ``encode`` and ``decode``.
        picture: (H, W, 3) float32 in 0..1.
        threshold: mean standard deviation, in crop widths, below which a crop shows a face.
        multi: every such face, or the surest alone.
        device: where the network is.
        smallest_window: edge of the smallest windows, in pixels of the picture.

    Returns:
        (F, 3) squares around the faces, left and top edge and edge length, the surest first.
    """
    boxes, sigma = _every_window(network, picture, device, smallest_window)
    chosen = suppress(boxes, sigma, _CANDIDATES[multi])
    squares = np.array([square_around(box) for box in boxes[chosen]]).reshape(-1, 3)
    if not len(squares):
        return squares
    crops = torch.from_numpy(cut(picture, squares, network.architecture.image_pixels)).to(device)
    found = network(crops).double().cpu().numpy()
    score = found[..., 2].mean(axis=1)
    points, _ = into_image(found, squares)
    boxes = np.concatenate((points.min(axis=1), points.max(axis=1)), axis=1)
    order = [index for index in suppress(boxes, score, len(boxes)) if score[index] < threshold]
    return np.array([square_around(box) for box in boxes[order[: None if multi else 1]]]).reshape(-1, 3)


def suppress(boxes: np.ndarray, sigma: np.ndarray, most: int) -> list[int]:
    """Choose the surest boxes, none of which is another's face.

    Args:
        boxes: (N, 4) left, top, right, bottom.
        sigma: (N,) how unsure each is.
        most: how many to choose.

    Returns:
        Indices, the surest first.
    """
    chosen: list[int] = []
    for index in np.argsort(sigma, kind="stable"):
        if len(chosen) == most:
            break
        if all(overlap(tuple(boxes[index]), tuple(boxes[other])) < _SAME_FACE for other in chosen):
            chosen.append(int(index))
    return chosen


def _every_window(
    network: nn.Module, picture: np.ndarray, device: torch.device, smallest_window: float
) -> tuple[np.ndarray, np.ndarray]:
    """Boxes of the points (N, 4), in pixels of the picture, and mean sigma (N,) of every window of every level."""
    pixels = network.architecture.image_pixels
    boxes, sigma = [np.empty((0, 4))], [np.empty(0)]
    scale = pixels / smallest_window
    while True:
        size = [max(1, round(edge * scale)) for edge in picture.shape[1::-1]]
        level = cv2.resize(picture, size, interpolation=cv2.INTER_AREA if scale < 1 else cv2.INTER_LINEAR)
        found, corners = _windows_of(network, level, device)
        points = found[..., :2] * pixels + corners[:, None]
        # Pixel i of the level is centred where (i + 1/2) / scale - 1/2 of the picture is.
        points = (points + 0.5) / (np.array(size) / picture.shape[1::-1]) - 0.5
        boxes.append(np.concatenate((points.min(axis=1), points.max(axis=1)), axis=1))
        # A face that fills a window as crops are filled; others are better met on another level.
        width = (boxes[-1][:, 2:] - boxes[-1][:, :2]).max(axis=1) * scale * MARGIN / pixels
        sigma.append(np.where((width > 0.6) & (width < 1.6), found[..., 2].mean(axis=1), np.inf))
        if max(size) <= pixels:
            break
        scale *= _SHRINK
    boxes, sigma = np.concatenate(boxes), np.concatenate(sigma)
    return boxes[np.isfinite(sigma)], sigma[np.isfinite(sigma)]


def _windows_of(network: nn.Module, level: np.ndarray, device: torch.device) -> tuple[np.ndarray, np.ndarray]:
    """Answers (N, L, 3) of all windows of one level, and their upper left corners (N, 2)."""
    pixels, cells = network.architecture.image_pixels, network.architecture.image_pixels // network.stride
    pad = pixels // 2 // _STEP * _STEP
    height, width = (-(-(edge + 2 * pad) // _STEP) * _STEP for edge in level.shape[:2])
    height, width = max(height, pixels), max(width, pixels)
    canvas = np.zeros((height, width, 3), dtype=np.float32)
    canvas[pad : pad + level.shape[0], pad : pad + level.shape[1]] = level
    encoded = network.encode(torch.from_numpy(canvas.transpose(2, 0, 1)[None]).to(device))[0]
    step = _STEP // network.stride
    windows = encoded.unfold(1, cells, step).unfold(2, cells, step)
    rows, columns = windows.shape[1:3]
    flat: Tensor = windows.permute(1, 2, 0, 3, 4).reshape(rows * columns, -1, cells, cells)
    found = torch.cat([network.decode(part) for part in flat.split(_BATCH)]).double().cpu().numpy()
    down, right = np.divmod(np.arange(rows * columns), columns)
    # An edge at 0 of the canvas is half a pixel before its first centre; so are the level's coordinates.
    return found, np.stack((right, down), axis=1) * _STEP - pad - 0.5
