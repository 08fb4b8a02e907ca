"""The arrays of a variant whose images were published by others."""

from tfake.store.array_layout import ArrayLayout
from tfake.store.layout import faces_layout, thermal_layout


def import_layout(pixels: int) -> tuple[ArrayLayout, ...]:
    """What ``thermal.zarr`` holds: ``thermal`` (N, H, W), and ``landmarks_478`` (N, 478, 3), the published points."""
    labels = {array.name: array for array in faces_layout(pixels)}
    return (*thermal_layout(pixels), labels["landmarks_478"])
