"""The ablation of the loss: an arm's scores and sample images on faces that no training saw, and the arms compared."""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from itertools import islice, tee

import cv2
import numpy as np
import pandas as pd
import torch

from tfake.archive.samples import read_classes, read_rgb
from tfake.archive.zip_archive import Archive
from tfake.core.classes import LABELLED_CLASSES, FaceClass
from tfake.core.codes import SampleStatus
from tfake.core.radiometry import decode_counts, encode_celsius
from tfake.imaging.foreground import fill_glasses
from tfake.thermalizer.evaluation import ErrorSums, read_truth
from tfake.thermalizer.inference import Thermalizer
from tfake.thermalizer.patch_bank import PatchBank
from tfake.thermalizer.patch_wasserstein import PatchWasserstein

#: Temperatures that SSIM's 8-bit constants are laid over.
SSIM_CELSIUS = (15.0, 40.0)
#: A class with less of the foreground than this is too rare to be held to its prior.
LEAST_AREA = 0.01
_PATCH_SEED = 20250611
_PATCHES = 1024


@dataclass(frozen=True)
class Face:
    """One image to thermalize, with its truth where it is known."""

    rgb: np.ndarray  # (H, W, 3) uint8
    classes: np.ndarray  # (H, W) uint8
    expected: np.ndarray | None = None  # (H, W) uint16 counts, noise-free truth of the mean subject
    camera: np.ndarray | None = None  # (H, W) uint16 counts, as a camera would record this person


def score(
    thermalizer: Thermalizer,
    faces: Iterable[Face],
    ambient_celsius: float,
    targets: np.ndarray,
    real: PatchBank | None,
) -> dict[str, float]:
    """Thermalize a set and measure.

    Args:
        thermalizer: the trained network.
        faces: the images, all with truth or all without.
        ambient_celsius: ambient temperature.
        targets: (19,) degrees Celsius of the prior that the network should have met.
        real: relative patches of real thermal faces, or None.

    Returns:
        Name to value. With a truth ``{class}_mae``, ``_rmse``, ``_bias`` (K) for each class present, ``face`` among
        them, and ``ssim`` (over the foreground). Always ``{class}_mean`` (°C), ``prior_worst`` and ``prior_mean`` (K,
        largest and area-weighted mean distance of a class mean from its target, classes over 1 % of the foreground),
        ``nose_minus_skin`` (K), ``background_sd`` (K), ``scale_gap`` (K); with real patches ``patch_w2`` (squared
        distance in units of an image's own variance).
    """
    errors, similarity, gaps, background = ErrorSums(), [], [], []
    sums, pixels = np.zeros(256), np.zeros(256)
    texture = []
    faces, shown = tee(faces)
    made = thermalizer.thermalize_each(((face.rgb, face.classes) for face in shown), ambient_celsius)
    for celsius, face in zip(made, faces, strict=True):
        filled = fill_glasses(face.classes)
        sums += np.bincount(filled.ravel(), celsius.ravel(), minlength=256)
        pixels += np.bincount(filled.ravel(), minlength=256)
        outside = face.classes == FaceClass.BACKGROUND
        background.append(celsius[outside].std() if outside.any() else 0.0)
        gaps.append(scale_gap(thermalizer, face, celsius, ambient_celsius))
        if real is not None:
            texture.append(_patch_distance(celsius, ~outside, real))
        if face.expected is not None:
            errors.add(encode_celsius(celsius), face.expected, face.camera, face.classes)
            similarity.append(_similarity(celsius, decode_counts(face.expected), ~outside))
    scores = _against_prior(sums, pixels, targets)
    scores |= {"background_sd": float(np.mean(background)), "scale_gap": float(np.sqrt(np.mean(np.square(gaps))))}
    if texture:
        scores["patch_w2"] = float(np.mean(texture))
    if similarity:
        scores["ssim"] = float(np.mean(similarity))
        for row in errors.rows():
            scores |= {f"{row['class']}_{name}": row[f"{name}_expected"] for name in ("mae", "rmse", "bias")}
    return scores


def scale_gap(thermalizer: Thermalizer, face: Face, celsius: np.ndarray, ambient_celsius: float) -> float:
    """How much the network's output depends on the resolution: root mean square over the foreground, K.

    Compares ``celsius``, the (H, W) output at full size, averaged over 2 x 2 pixels, with the output for the image of
    half the size; pixels whose four sources are not of one class are left out. H and W must be even.
    """
    height, width = face.classes.shape
    blocks = face.classes.reshape(height // 2, 2, width // 2, 2)
    pure = (blocks == blocks[:, :1, :, :1]).all(axis=(1, 3)) & (blocks[:, 0, :, 0] != FaceClass.BACKGROUND)
    half = cv2.resize(face.rgb, (width // 2, height // 2), interpolation=cv2.INTER_AREA)
    small = thermalizer.thermalize(half[None], blocks[None, :, 0, :, 0].copy(), ambient_celsius)[0]
    averaged = cv2.resize(celsius, (width // 2, height // 2), interpolation=cv2.INTER_AREA)
    return float(np.sqrt(np.mean((small - averaged)[pure] ** 2))) if pure.any() else 0.0


def _against_prior(sums: np.ndarray, pixels: np.ndarray, targets: np.ndarray) -> dict[str, float]:
    present = [c for c in LABELLED_CLASSES if c is not FaceClass.BACKGROUND and pixels[c]]
    means = {c: sums[c] / pixels[c] for c in present}
    foreground = sum(pixels[c] for c in present)
    large = [c for c in present if pixels[c] > LEAST_AREA * foreground]
    distance = np.array([abs(means[c] - targets[c]) for c in large])
    scores = {f"{c.name.lower()}_mean": float(means[c]) for c in present}
    scores |= {"prior_worst": float(distance.max())}
    scores |= {"prior_mean": float(np.average(distance, weights=[pixels[c] for c in large]))}
    return scores | {"nose_minus_skin": float(means[FaceClass.NOSE] - means[FaceClass.SKIN])}


def _similarity(generated: np.ndarray, truth: np.ndarray, foreground: np.ndarray) -> float:
    low, high = SSIM_CELSIUS
    scaled = [np.clip((image - low) / (high - low), 0, 1).astype(np.float32) * 255 for image in (truth, generated)]
    _, quality = cv2.quality.QualitySSIM_compute(*scaled)
    return float(quality[foreground].mean())


def _patch_distance(celsius: np.ndarray, foreground: np.ndarray, real: PatchBank) -> float:
    generator = torch.Generator().manual_seed(_PATCH_SEED)
    patches = [real.draw(scale, _PATCHES, generator) for scale in range(len(real.scales))]
    places = torch.rand(len(patches), _PATCHES, generator=generator, dtype=torch.float64)
    image, mask = (torch.from_numpy(values)[None, None] for values in (celsius, foreground))
    return float(PatchWasserstein(real, blur_kelvin=0.1).distance(image, mask, patches, places))


def iterate_faces(archive: Sequence[str], index: pd.DataFrame, pixels: int, truth: str | None) -> Iterator[Face]:
    """Read the usable faces of an archive, in order, with their thermal truth out of a zip where there is one.

    Raises:
        SampleError: a sample that was good when indexed is not any more.
        TruthError: the truth does not fit the faces.
    """
    records = index[index["status"] == SampleStatus.OK]
    reader = Archive(archive)
    known = read_truth(truth, records["image_id"], (pixels, pixels)) if truth else ((None, None) for _ in records.index)
    for record, (expected, camera) in zip(records.itertuples(), known, strict=True):
        yield Face(read_rgb(reader, record, pixels), read_classes(reader, record, pixels), expected, camera)


STRIP_FACES = 8
STRIP_PIXELS = 160


def draw_strip(thermalizer: Thermalizer, faces: Iterable[Face], count: int, ambient_celsius: float) -> np.ndarray:
    """Thermalize a few of ``count`` faces, spread evenly over them, and show them side by side.

    Returns:
        (3 or 2 times ``STRIP_PIXELS``, W) uint8 gray: the source above its temperatures, ``SSIM_CELSIUS`` from black to
        white, above the expected truth where it is known.
    """
    every = max(1, count // STRIP_FACES)
    columns = []
    drawn = list(islice(faces, 0, every * STRIP_FACES, every))
    made = thermalizer.thermalize_each(((face.rgb, face.classes) for face in drawn), ambient_celsius)
    for face, celsius in zip(drawn, made, strict=True):
        rows = [cv2.cvtColor(face.rgb, cv2.COLOR_RGB2GRAY), _shade(celsius)]
        if face.expected is not None:
            rows.append(_shade(decode_counts(face.expected)))
        size = (STRIP_PIXELS, STRIP_PIXELS)
        columns.append(np.vstack([cv2.resize(row, size, interpolation=cv2.INTER_AREA) for row in rows]))
    return np.hstack(columns)


def _shade(celsius: np.ndarray) -> np.ndarray:
    low, high = SSIM_CELSIUS
    return (np.clip((celsius - low) / (high - low), 0, 1) * 255).round().astype(np.uint8)
