"""From RGB and class map to temperatures: one batch at a time, or the rows of a shard as a pipeline.

    threads: read and decode -> heat field -> black background, lenses      a few images ahead of the network
    this thread:                                network                     one batch in flight, the next is gathered
    threads: background -> counts -> sums by class -> chunk                 a few images behind it

Each stage asks the one before it for its next piece, so memory is a few images' whatever the shard's length. Rows come
out in order; neither threads nor batches change a byte of them.

A network that takes one image at a time, as on a CPU, has no stage of its own: each thread takes an image through all
three. The cores are as busy as with several at one image, and none waits for the slowest.
"""

from collections.abc import Callable, Iterable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from functools import partial
from itertools import islice
from typing import Any, Protocol

import numpy as np
import pandas as pd
import torch
from torch import Tensor, nn

from tfake.archive.image_reader import ImageReader
from tfake.core.codes import SampleStatus
from tfake.core.devices import device_model
from tfake.core.processes import map_ahead
from tfake.imaging.foreground import fill_glasses, mask_background, set_background
from tfake.store.thermal_rows import Compress, ThermalRow, finish_row, missing_row
from tfake.thermalizer.heat_input import RowFields
from tfake.training.rng import draw_noise
from tfake.training.training_settings import autocast_body, resolve_precision

#: Images a forward pass on a GPU, always: the last batch is padded, so that every image meets the same kernels.
GPU_BATCH_IMAGES = 16


class ThermalNetwork(Protocol):
    """What every kind of network in :data:`tfake.thermalizer.thermalizer_kinds.KINDS` is, beside an ``nn.Module``.

    It is called with (B, 3, H, W) images, (B, H, W) class ids, (B,) ambient temperatures, (B, 1, H, W) heat fields or
    None, and an autocast region; one that draws also with (B, 1, H, W) noise. It returns (B, 1, H, W) float32 °C.

    Attributes:
        kind: its name in ``KINDS``.
        architecture: what rebuilds it, with ``ambient_celsius`` (the range that it was trained for, or None) and
            ``heat_field``.
        raw_rgb: whether it takes RGB / 255 as it is.
        stride: height and width of an input must be multiples of this.
        noise_seed: of the noise that it is called with; None: it draws nothing.
    """

    kind: str
    architecture: Any
    raw_rgb: bool
    stride: int
    noise_seed: int | None

    def __call__(self, *inputs: Any) -> Tensor:
        """Temperatures of a batch."""


class Thermalizer:
    """A trained network, ready for images. An image's temperatures do not depend on the images beside it.

    Attributes:
        network: the network, a :class:`ThermalNetwork`.
        batch_images: images a forward pass.
    """

    def __init__(
        self, network: nn.Module, device: torch.device, precision: str = "auto", condition: str | None = None
    ) -> None:
        """Take a trained network, moved to the device and set to evaluation.

        Args:
            network: the network.
            device: where it shall run.
            precision: number format of the body: ``auto``, ``float32`` or ``bfloat16``.
            condition: the name it was trained for, if known.
        """
        self.network = network.to(device).eval()
        self.device = device
        self.precision = resolve_precision(precision, device)
        self.condition = condition
        # One image a pass on a CPU: its kernels, and so the last bits, vary with the batch size.
        self.batch_images = GPU_BATCH_IMAGES if device.type == "cuda" else 1

    def computed_on(self) -> dict[str, str]:
        """What the last bits of the temperatures depend on beside the inputs: device, number format and torch."""
        return {"device": device_model(self.device), "precision": self.precision, "torch": torch.__version__}

    def thermalize(
        self,
        rgb: np.ndarray,
        classes: np.ndarray,
        ambient_celsius: float,
        field: np.ndarray | None = None,
        image_ids: Sequence[str] | None = None,
    ) -> np.ndarray:
        """Generate temperatures.

        Args:
            rgb: (B, H, W, 3) uint8, with its background or without.
            classes: (B, H, W) uint8 class ids.
            ambient_celsius: written to every background pixel, and an input of a network that takes it.
            field: (B, H, W) float32 heat field of each face (:meth:`tfake.heat.face_heat.FaceHeat.render`), NaN
                where it is not known; an input of a network that takes it, which does without it, too.
            image_ids: of each image, from which a network that draws takes its noise; None: the same for all.

        Returns:
            (B, H, W) float32 degrees Celsius.

        Raises:
            ValueError: a wrong dtype or shape, an ambient temperature that is not finite, or one that lies outside the
                range that the network was trained for.
        """
        _check_inputs(rgb, classes, ambient_celsius, field)
        celsius = np.empty(classes.shape, np.float32)
        filled = np.array([fill_glasses(ids) for ids in classes], np.uint8).reshape(classes.shape)
        masked = mask_background(rgb, classes)
        for start in range(0, len(rgb), self.batch_images):
            part = slice(start, start + self.batch_images)
            known = None if field is None else field[part]
            ids = None if image_ids is None else image_ids[part]
            celsius[part] = self.start(masked[part], filled[part], ambient_celsius, known, ids)()
        return set_background(celsius, classes, ambient_celsius)

    def thermalize_each(self, images: Iterable[tuple[np.ndarray, ...]], ambient_celsius: float) -> Iterator[np.ndarray]:
        """Thermalize images that come one by one, as many at a time as the network takes: none is padded but the last.

        A network that draws takes each one's number for its id.

        Args:
            images: (H, W, 3) uint8 and (H, W) uint8 class ids of each, all of one size; and, of all or of none, the
                field as of ``thermalize``.
            ambient_celsius: as of ``thermalize``.

        Yields:
            (H, W) float32 degrees Celsius of each, in order.

        Raises:
            ValueError: as ``thermalize``, or images of different sizes.
        """
        numbered = enumerate(images)
        while group := list(islice(numbered, self.batch_images)):
            numbers, parts = zip(*group, strict=True)
            rgb, classes, *field = (np.stack(part) for part in zip(*parts, strict=True))
            yield from self.thermalize(rgb, classes, ambient_celsius, *field, image_ids=[str(n) for n in numbers])

    def start(
        self,
        masked: np.ndarray,
        filled: np.ndarray,
        ambient_celsius: float,
        field: np.ndarray | None = None,
        image_ids: Sequence[str] | None = None,
    ) -> Callable[[], np.ndarray]:
        """Start the network on a few images; a GPU works on while the caller does something else.

        Args:
            masked: (B, H, W, 3) uint8 images with black background, ``batch_images`` at most.
            filled: (B, H, W) uint8 class ids with lenses filled.
            ambient_celsius: an input of a network that takes it.
            field: as of ``thermalize``.
            image_ids: as of ``thermalize``.

        Returns:
            A function that waits and returns (B, H, W) float32 degrees Celsius, the background as the network has it.

        Raises:
            ValueError: the ambient temperature lies outside the range that the network was trained for.
        """
        known = self.network.architecture.ambient_celsius
        if known is not None and not known[0] <= ambient_celsius <= known[1]:
            raise ValueError(
                f"ambient_celsius is {ambient_celsius}, but the thermalizer was trained for {known[0]} to {known[1]}"
            )
        count, height, width = filled.shape
        stride, noise = self.network.stride, self._draw_noise(filled.shape, image_ids)
        padding = ((0, self.batch_images - count), (0, -height % stride), (0, -width % stride))
        if any(after for _, after in padding):
            masked, filled = np.pad(masked, (*padding, (0, 0))), np.pad(filled, padding)
            field = None if field is None else np.pad(field, padding, constant_values=np.nan)
            noise = None if noise is None else np.pad(noise, padding)
        finish = self._run(masked, filled, ambient_celsius, field, noise)
        return lambda: finish()[:count, :height, :width]

    def _draw_noise(self, shape: tuple[int, ...], image_ids: Sequence[str] | None) -> np.ndarray | None:
        """(B, H, W) float32 for a network that draws."""
        seed = self.network.noise_seed
        if seed is None:
            return None
        ids = [""] * shape[0] if image_ids is None else image_ids
        return np.stack([draw_noise(seed, image_id, shape[1:]) for image_id in ids])

    @torch.inference_mode()
    def _run(
        self,
        rgb: np.ndarray,
        classes: np.ndarray,
        ambient_celsius: float,
        field: np.ndarray | None,
        noise: np.ndarray | None,
    ) -> Callable[[], np.ndarray]:
        images, ids = self._upload(rgb).permute(0, 3, 1, 2), self._upload(classes)
        ambient = torch.full((len(rgb),), ambient_celsius, device=self.device)
        known = None if field is None else self._upload(field)[:, None]
        drawn = () if noise is None else (self._upload(noise)[:, None],)
        body = autocast_body(self.precision, self.device)
        celsius = self.network(images, ids, ambient, known, body, *drawn)[:, 0]
        if self.device.type != "cuda":
            return celsius.cpu().numpy
        # Into memory that the GPU writes by itself, so that this thread goes on meanwhile.
        copied = torch.empty(celsius.shape, dtype=celsius.dtype, pin_memory=True)
        copied.copy_(celsius, non_blocking=True)
        done = torch.cuda.Event()
        done.record(torch.cuda.current_stream(self.device))

        def finish() -> np.ndarray:
            done.synchronize()
            return copied.numpy()

        return finish

    def _upload(self, values: np.ndarray) -> Tensor:
        tensor = torch.from_numpy(np.ascontiguousarray(values))
        return tensor.pin_memory().to(self.device, non_blocking=True) if self.device.type == "cuda" else tensor


def _check_inputs(
    rgb: np.ndarray, classes: np.ndarray, ambient_celsius: float, field: np.ndarray | None = None
) -> None:
    if rgb.dtype != np.uint8 or rgb.ndim != 4 or rgb.shape[-1] != 3:
        raise ValueError(f"rgb must be (B, H, W, 3) uint8; found {rgb.shape} {rgb.dtype}")
    if classes.dtype != np.uint8 or classes.shape != rgb.shape[:-1]:
        raise ValueError(f"classes must be {rgb.shape[:-1]} uint8, as rgb; found {classes.shape} {classes.dtype}")
    if not np.isfinite(ambient_celsius):
        raise ValueError(f"ambient_celsius must be a temperature; found {ambient_celsius}")
    if field is not None and (field.dtype != np.float32 or field.shape != classes.shape):
        raise ValueError(f"field must be {classes.shape} float32, as classes; found {field.shape} {field.dtype}")


@dataclass(frozen=True)
class PreparedImage:
    """A source image as the network takes it."""

    image_id: str
    masked: np.ndarray  # (H, W, 3) uint8, background black
    filled: np.ndarray  # (H, W) uint8 class ids, lenses filled
    field: np.ndarray | None  # (H, W) float32 heat field, NaN where it is not known; None: the network takes none


def thermalize_rows(
    thermalizer: Thermalizer,
    source: ImageReader,
    records: pd.DataFrame,
    pixels: int,
    ambient_celsius: float,
    compress: Compress,
    threads: int,
    fields: RowFields | None = None,
    lens: Callable[[np.ndarray, str], np.ndarray] | None = None,
) -> Iterator[ThermalRow]:
    """Thermalize rows of the index.

    Args:
        thermalizer: the trained network.
        source: its images and class maps.
        records: rows of the index; those whose status is not OK become rows of ``NO_IMAGE``.
        pixels: height and width of the images.
        ambient_celsius: as of ``Thermalizer.thermalize``.
        compress: (H, W) uint16 counts to the bytes of a chunk; called from several threads.
        threads: threads beside the caller's.
        fields: heat fields of the rows; None: the network takes none, or does without.
        lens: from (H, W) °C and an image's id to what a camera sees of it; None leaves images as they are.

    Yields:
        One row a record, in their order.

    Raises:
        SampleError: a sample that was good when indexed is not any more: the archive has changed.
        StoreError: a shard of decoded images or of labels is damaged.
        ValueError: the network's temperatures of an image, which is named, are not finite.
    """
    missing = missing_row(pixels, compress)
    prepare = partial(_prepare, source, fields, ambient_celsius)
    finish = partial(_finish, missing, ambient_celsius, compress, lens)
    ahead = 2 * thermalizer.batch_images + threads
    with ThreadPoolExecutor(max(1, threads)) as pool:
        if thermalizer.batch_images == 1:
            whole = partial(_thermalize_alone, thermalizer, ambient_celsius, prepare, finish)
            yield from map_ahead(pool, whole, records.itertuples(), ahead)
        else:
            prepared = map_ahead(pool, prepare, records.itertuples(), ahead)
            yield from map_ahead(pool, finish, _generate(thermalizer, prepared, ambient_celsius), ahead)


def _thermalize_alone(
    thermalizer: Thermalizer, ambient_celsius: float, prepare: Callable, finish: Callable, record
) -> ThermalRow:
    image = prepare(record)
    if image is None:
        return finish(None)
    field = None if image.field is None else image.field[None]
    celsius = thermalizer.start(image.masked[None], image.filled[None], ambient_celsius, field, [image.image_id])()
    return finish((image, celsius[0]))


def _prepare(source: ImageReader, fields: RowFields | None, ambient_celsius: float, record) -> PreparedImage | None:
    if record.status != SampleStatus.OK:
        return None
    rgb, classes = source.read_rgb(record), source.read_classes(record)
    field = None if fields is None else fields.render(record, classes, rgb, ambient_celsius)
    return PreparedImage(record.image_id, mask_background(rgb, classes), fill_glasses(classes), field)


def _generate(
    thermalizer: Thermalizer, prepared: Iterator[PreparedImage | None], ambient_celsius: float
) -> Iterator[tuple[PreparedImage, np.ndarray] | None]:
    """The network's stage: (H, W) float32 °C for each image, None for rows without one."""
    in_flight: Iterator = iter(())
    while group := list(islice(prepared, thermalizer.batch_images)):
        images = [image for image in group if image is not None]
        celsius = tuple
        if images:
            masked, filled = np.stack([image.masked for image in images]), np.stack([image.filled for image in images])
            known = [image.field for image in images if image.field is not None]
            ids = [image.image_id for image in images]
            celsius = thermalizer.start(masked, filled, ambient_celsius, np.stack(known) if known else None, ids)
        yield from in_flight
        in_flight = _collect(group, celsius)
    yield from in_flight


def _collect(
    group: list[PreparedImage | None], celsius: Callable[[], Iterable[np.ndarray]]
) -> Iterator[tuple[PreparedImage, np.ndarray] | None]:
    """Waits for the network when the first image is asked for."""
    generated = iter(celsius())
    for image in group:
        yield None if image is None else (image, next(generated))


def _finish(
    missing: ThermalRow,
    ambient_celsius: float,
    compress: Compress,
    lens: Callable[[np.ndarray, str], np.ndarray] | None,
    generated: tuple[PreparedImage, np.ndarray] | None,
) -> ThermalRow:
    if generated is None:
        return missing
    image, celsius = generated
    # Filling lenses leaves the background as it was.
    celsius = set_background(celsius, image.filled, ambient_celsius)
    seen = celsius if lens is None else lens(celsius, image.image_id)
    return finish_row(image.image_id, seen, image.filled, compress)
