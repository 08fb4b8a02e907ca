"""The landmark study: each network on faces that nobody trained on, in other rooms and through other cameras."""

from collections.abc import Mapping, Sequence
from typing import Any

import cv2
import numpy as np
import pandas as pd
import torch

from tfake.classes import FaceClass
from tfake.codes import SampleStatus
from tfake.evaluation import read_truth
from tfake.landmarks.calibration import Calibration, calibration_curve, calibration_error, separation
from tfake.landmarks.network import LandmarkNetwork
from tfake.landmarks.scoring import Scores, beside_sigma, score, still_crops, texture_sigma
from tfake.landmarks.training_faces import TrainingFace
from tfake.radiometry import decode_counts
from tfake.sources.archive import Archive
from tfake.sources.procedural.camera import record
from tfake.sources.samples import read_sample
from tfake.thermalizer.crops import build_pyramid

#: Seed of textures that no training draws: training's seeds are 63-bit numbers.
_TEXTURE_SEED = 5
_TEXTURES = 400
#: The study's other camera: a low-cost one (facts: NETD 100-150 mK), a quarter of the resolution, gain control.
_NETD_KELVIN, _PATTERN_SCALE, _BLUR_PIXELS, _RESOLUTION = 0.12, 3.0, 4.0, 0.25


def read_people(
    archive: str, index: pd.DataFrame, truth: str, pixels: int, ambient_celsius: float, seed: int
) -> list[TrainingFace]:
    """Procedural faces with their thermal truth, as a good camera and as a cheap one recorded it.

    Args:
        archive: their zip.
        index: its index.
        truth: zip of the thermal truth.
        pixels: height and width of the images.
        ambient_celsius: the room.
        seed: of the cheap camera's noise.

    Returns:
        Faces whose variants are ``other_room`` and ``other_camera``.
    """
    records = index[index["status"] == SampleStatus.OK]
    reader, faces = Archive([archive]), []
    known = read_truth(truth, records["image_id"], (pixels, pixels))
    for number, (row, (_, camera)) in enumerate(zip(records.itertuples(), known, strict=True)):
        sample = read_sample(reader, row, pixels)
        celsius = decode_counts(camera)
        variants = {"other_room": celsius, "other_camera": record_cheaply(celsius, ambient_celsius, seed, number)}
        faces.append(
            TrainingFace(
                build_pyramid(sample.rgb),
                {name: build_pyramid(image) for name, image in variants.items()},
                (sample.classes != FaceClass.BACKGROUND).astype(np.uint8),
                sample.landmarks_70,
                np.ones(len(sample.landmarks_70), np.float32),
            )
        )
    return faces


def record_cheaply(celsius: np.ndarray, ambient_celsius: float, seed: int, face: int) -> np.ndarray:
    """What a low-cost camera with gain control makes of a scene, laid out as 20 to 40 °C.

    Args:
        celsius: (H, W) float32 °C.
        ambient_celsius: the room.
        seed: of its noise.
        face: number of the face.

    Returns:
        (H, W) float32: 8-bit grays from the scene's coldest to its warmest hundredth, where a landmarker takes 20 and
        40 °C for black and white.
    """
    height, width = celsius.shape
    small = (round(width * _RESOLUTION), round(height * _RESOLUTION))
    recorded = record(celsius, ambient_celsius, seed, face, _BLUR_PIXELS, _NETD_KELVIN, _PATTERN_SCALE)
    recorded = cv2.resize(recorded, small, interpolation=cv2.INTER_AREA)
    low, high = np.percentile(recorded, (1, 99))
    grays = np.round(255 * np.clip((recorded - low) / max(high - low, 1e-3), 0, 1)).astype(np.float32)
    return 20 + 20 / 255 * cv2.resize(grays, (width, height), interpolation=cv2.INTER_LINEAR)


def score_sets(
    network: LandmarkNetwork,
    calibration: Calibration,
    sets: Mapping[str, tuple[Sequence[TrainingFace], str | None]],
    device: torch.device,
) -> tuple[dict[str, Any], dict[str, np.ndarray]]:
    """Score a network on sets of faces, on windows beside them, and on textures.

    Args:
        network: in evaluation mode, on the device.
        calibration: its threshold.
        sets: name to faces and the variant that is looked at; None: RGB.
        device: where it is.

    Returns:
        Plain values: by set ``faces``, ``nme`` (sqrt(w h) of the box), ``median``, ``failures`` (share above .1),
        ``calibration_error``, ``auroc_textures``, ``auroc_elsewhere``, ``found`` and ``false_elsewhere`` (shares below
        the threshold), ``curve``; and arrays: each set's errors and mean deviations.
    """
    pixels = network.architecture.image_pixels
    textures = texture_sigma(network, _TEXTURES, _TEXTURE_SEED, device)
    rows: dict[str, Any] = {}
    arrays: dict[str, np.ndarray] = {"textures_sigma": textures}
    for name, (faces, variant) in sets.items():
        found = score(network, still_crops(faces, variant, pixels), device)
        elsewhere = beside_sigma(network, faces, variant, device)
        rows[name] = _summarise(found, elsewhere, textures, calibration)
        arrays |= {f"{name}_errors": found.errors, f"{name}_sigma": found.sigma.mean(1), f"{name}_elsewhere": elsewhere}
    return rows, arrays


def _summarise(found: Scores, elsewhere: np.ndarray, textures: np.ndarray, calibration: Calibration) -> dict[str, Any]:
    sigma = found.sigma.mean(1)
    predicted, measured = calibration_curve(*found.counted)
    return {
        "faces": len(sigma),
        "nme": found.nme,
        "median": float(np.median(found.errors)),
        "failures": float((found.errors > 0.1).mean()),
        "calibration_error": calibration_error(*found.counted),
        "auroc_textures": separation(sigma, textures),
        "auroc_elsewhere": separation(sigma, elsewhere),
        "found": float((sigma < calibration.threshold).mean()),
        "false_elsewhere": float((elsewhere < calibration.threshold).mean()),
        "curve": [predicted.tolist(), measured.tolist()],
    }
