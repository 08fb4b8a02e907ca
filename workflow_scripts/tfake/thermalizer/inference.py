"""From RGB and class map to a temperature image."""

import numpy as np
import torch

from tfake.thermalizer.foreground import fill_glasses, mask_background, set_background
from tfake.thermalizer.network import ThermalUNet
from tfake.training.precision import autocast_body, resolve_precision

#: Images a forward pass on a GPU, always: the last batch is padded, so that every image meets the same kernels.
GPU_BATCH_IMAGES = 16


class Thermalizer:
    """A trained network, ready for images. An image's temperatures do not depend on the images beside it."""

    def __init__(
        self, network: ThermalUNet, device: torch.device, precision: str = "auto", condition: str | None = None
    ) -> None:
        """Take a network.

        Args:
            network: the trained network; it is moved and set to evaluation.
            device: where it shall run.
            precision: number format of the body: ``auto``, ``float32`` or ``bfloat16``.
            condition: the name it was trained for, if known.
        """
        self.network = network.to(device).eval()
        self.device = device
        self.precision = resolve_precision(precision, device)
        self.condition = condition
        # One image a pass on a CPU: its kernels, and so the last bits, vary with the batch size.
        self._batch_images = GPU_BATCH_IMAGES if device.type == "cuda" else 1

    def thermalize(self, rgb: np.ndarray, classes: np.ndarray, ambient_celsius: float) -> np.ndarray:
        """Generate temperatures.

        Args:
            rgb: (B, H, W, 3) uint8, with its background or without.
            classes: (B, H, W) uint8 class ids.
            ambient_celsius: the room's temperature: written to every background pixel, and told to a network that
                takes it.

        Returns:
            (B, H, W) float32 degrees Celsius.

        Raises:
            ValueError: a wrong dtype or shape, an ambient temperature that is not finite, or one that lies outside the
                rooms the network was trained for.
        """
        _check_inputs(rgb, classes, ambient_celsius)
        self._check_room(ambient_celsius)
        height, width = classes.shape[1:]
        stride = self.network.stride
        padding = ((0, 0), (0, -height % stride), (0, -width % stride))
        masked = np.pad(mask_background(rgb, classes), (*padding, (0, 0)))
        filled = np.pad(np.array([fill_glasses(ids) for ids in classes], np.uint8).reshape(classes.shape), padding)
        celsius = np.empty(classes.shape, np.float32)
        for start in range(0, len(rgb), self._batch_images):
            part = slice(start, start + self._batch_images)
            generated = self._run(self._fill_batch(masked[part]), self._fill_batch(filled[part]), ambient_celsius)
            celsius[part] = generated[: len(celsius[part]), :height, :width]
        return set_background(celsius, classes, ambient_celsius)

    def _fill_batch(self, images: np.ndarray) -> np.ndarray:
        missing = self._batch_images - len(images)
        return np.pad(images, ((0, missing), *((0, 0),) * (images.ndim - 1)))

    @torch.inference_mode()
    def _run(self, rgb: np.ndarray, classes: np.ndarray, ambient_celsius: float) -> np.ndarray:
        images = torch.from_numpy(np.ascontiguousarray(rgb)).to(self.device).permute(0, 3, 1, 2)
        ids = torch.from_numpy(classes).to(self.device)
        rooms = torch.full((len(rgb),), ambient_celsius, device=self.device)
        return self.network(images, ids, rooms, autocast_body(self.precision, self.device))[:, 0].cpu().numpy()

    def _check_room(self, ambient_celsius: float) -> None:
        rooms = self.network.architecture.ambient_celsius
        if rooms is not None and not rooms[0] <= ambient_celsius <= rooms[1]:
            raise ValueError(
                f"ambient_celsius is {ambient_celsius}, but the thermalizer was trained for {rooms[0]} to {rooms[1]}"
            )


def _check_inputs(rgb: np.ndarray, classes: np.ndarray, ambient_celsius: float) -> None:
    if rgb.dtype != np.uint8 or rgb.ndim != 4 or rgb.shape[-1] != 3:
        raise ValueError(f"rgb must be (B, H, W, 3) uint8; found {rgb.shape} {rgb.dtype}")
    if classes.dtype != np.uint8 or classes.shape != rgb.shape[:-1]:
        raise ValueError(f"classes must be {rgb.shape[:-1]} uint8, as rgb; found {classes.shape} {classes.dtype}")
    if not np.isfinite(ambient_celsius):
        raise ValueError(f"ambient_celsius must be a temperature; found {ambient_celsius}")
