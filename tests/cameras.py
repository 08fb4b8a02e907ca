"""Cameras and faces for tests, and what a camera without any fault is."""

import numpy as np

from tfake.camera.camera_model import Camera

#: A camera that shows the source as it is: no blur, no noise, no fault.
PERFECT = {
    "native_pixels": [64, 64],
    "output_pixels": None,
    "face_pixels": None,
    "face_position": "centre",
    "background": "ambient",
    "background_kelvin": 0.0,
    "blur_pixels": 0.0,
    "netd_kelvin": 0.0,
    "pixel_pattern_kelvin": 0.0,
    "row_pattern_kelvin": 0.0,
    "column_pattern_kelvin": 0.0,
    "gain_drift": 0.0,
    "offset_drift_kelvin": 0.0,
    "dead_share": 0.0,
    "dead_pixels": "replaced",
    "values": "radiometric",
    "agc_clip_percent": 1.0,
    "agc_plateau_percent": 0.5,
    "seed": 0,
}


def settings(**changes) -> dict:
    """Settings of the perfect camera with some keys changed."""
    return {**PERFECT, **changes}


def camera(**changes) -> Camera:
    """The perfect camera with some keys changed."""
    return Camera.of(settings(**changes))


def face(pixels: int = 64) -> dict:
    """What a camera is shown: a warm head on a torso that reaches the lower edge, and points across the head."""
    classes = np.zeros((pixels, pixels), np.uint8)
    left, right, top, chin = pixels // 4, pixels // 2, pixels // 8, pixels // 2
    classes[top:chin, left:right] = 1
    classes[chin:, left:right] = 15
    rng = np.random.default_rng(3)
    celsius = np.where(classes == 1, 34.0, np.where(classes == 15, 29.0, 20.0)) + rng.uniform(-0.5, 0.5, classes.shape)
    points = np.linspace((left, top), (right - 1, chin - 1), 70)
    mesh = np.column_stack([np.linspace((left, top), (right - 1, chin - 1), 478), np.linspace(-5, 5, 478)])
    return {
        "celsius": np.where(classes == 0, 20.0, celsius).astype(np.float32),
        "classes": classes,
        "landmarks_70": points.astype(np.float32),
        "landmarks_478": mesh.astype(np.float32),
    }
