"""An exported landmarker that needs no export: two models, made by hand, that find a bright blob; a few kilobytes.

The detector is sure where a cell is brighter than half, and takes every face for 40 by 48 pixels of its picture. The
landmark network puts its 70 points around a crop's centre of brightness, each mirrored one where its partner's is.
"""

import json

import numpy as np
from onnx import TensorProto, helper, numpy_helper, save

from tfake.labels.conventions import convention
from tfake.landmarks.onnx_finder import DETECTOR_FORMAT, LANDMARKS_FORMAT, METADATA

PIXELS = 32
#: What the detector takes for a face, in pixels of its picture.
FACE = (40.0, 48.0)
SEARCH_PIXELS = 128


def write_landmarker(folder, with_detector=True, **metadata):
    """Write landmarks.onnx and detector.onnx, and return the folder."""
    folder.mkdir(parents=True, exist_ok=True)
    landmarks = {
        "format": LANDMARKS_FORMAT,
        "landmarks": 70,
        "image_pixels": PIXELS,
        "stride": 8,
        "margin": 1.25,
        "threshold": 0.1,
        "temperature": 1.0,
        "thermal_stretch": True,
        "thermal_mirror": True,
        "mirrored": convention("face70").partners.tolist(),
        **metadata,
    }
    _save(folder / "landmarks.onnx", landmarks, *_around_the_brightness())
    if with_detector:
        detector = {"format": DETECTOR_FORMAT, "search_pixels": SEARCH_PIXELS, "slope": 0.5, "offset": -1.0}
        _save(folder / "detector.onnx", detector, *_bright_cells())
    return folder


def _around_the_brightness():
    """Points: around the centre of what is brighter than .5; deviations: .02 for the first point, up to .05."""
    middles = (np.arange(PIXELS, dtype=np.float32) + 0.5) / PIXELS
    grid = np.stack([np.tile(middles, PIXELS), np.repeat(middles, PIXELS)], 1)
    places = np.random.default_rng(0).uniform(-0.4, 0.4, (70, 2))
    places = (places + places[convention("face70").partners] * (-1, 1)) / 2
    around = (places - places.mean(axis=0))[None].astype(np.float32)
    constants = {
        "gray": np.full((1, 3, 1, 1), 1 / 3, np.float32),
        "half": np.float32(0.5),
        "shape": np.array((0, 1, PIXELS * PIXELS), np.int64),
        "grid": grid,
        "around": around,
        "least": np.float32(1e-6),
        "last": np.array((2,), np.int64),
        "enough": np.float32(2),
        "deviations": np.linspace(0.02, 0.05, 70, dtype=np.float32)[None],
    }
    nodes = [
        helper.make_node("Conv", ["images", "gray"], ["mean"]),
        helper.make_node("Sub", ["mean", "half"], ["above"]),
        helper.make_node("Relu", ["above"], ["bright"]),
        helper.make_node("Reshape", ["bright", "shape"], ["flat"]),
        helper.make_node("ReduceSum", ["flat", "last"], ["mass"]),
        helper.make_node("Max", ["mass", "least"], ["whole"]),
        helper.make_node("Div", ["flat", "whole"], ["weights"]),
        helper.make_node("MatMul", ["weights", "grid"], ["centre"]),
        helper.make_node("Add", ["centre", "around"], ["points"]),
        # Where little is bright, nothing is sure.
        helper.make_node("Sub", ["enough", "mass"], ["less"]),
        helper.make_node("Relu", ["less"], ["lack"]),
        helper.make_node("Squeeze", ["lack", "last"], ["missing"]),
        helper.make_node("Add", ["missing", "deviations"], ["sigma"]),
    ]
    return nodes, constants, ("B", 3, PIXELS, PIXELS), {"points": ("B", 70, 2), "sigma": ("B", 70)}


def _bright_cells():
    """15 maps: ten times the brightness over a half, the size, and nothing else."""
    kernel = np.zeros((15, 3, 4, 4), np.float32)
    kernel[0] = 20 / kernel[0].size
    bias = np.zeros(15, np.float32)
    bias[0], bias[1:3] = -10, np.log(np.array(FACE) / 32)
    nodes = [helper.make_node("Conv", ["images", "kernel", "bias"], ["maps"], strides=[4, 4])]
    return nodes, {"kernel": kernel, "bias": bias}, (1, 3, "H", "W"), {"maps": (1, 15, "h", "w")}


def _save(path, metadata, nodes, constants, shape, outputs):
    graph = helper.make_graph(
        nodes,
        "tiny",
        [helper.make_tensor_value_info("images", TensorProto.FLOAT, shape)],
        [helper.make_tensor_value_info(name, TensorProto.FLOAT, size) for name, size in outputs.items()],
        [numpy_helper.from_array(np.asarray(value), name) for name, value in constants.items()],
    )
    model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 18)], ir_version=10)
    helper.set_model_props(model, {METADATA: json.dumps(metadata)})
    save(model, path)


def blobs(shape, *places):
    """A gray picture, (H, W) uint8, dark but for round blobs (column, row, radius) that fade out."""
    y, x = np.mgrid[: shape[0], : shape[1]]
    lights = [np.exp(-((x - column) ** 2 + (y - row) ** 2) / radius**2) for column, row, radius in places]
    light = np.sum([np.zeros(shape), *lights], axis=0)
    return (20 + 220 * np.clip(light, 0, 1)).round().astype(np.uint8)
