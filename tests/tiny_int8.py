"""A landmark network in ONNX that needs no export, with the parts that matter to 8-bit arithmetic; a few kilobytes."""

import numpy as np
import onnx
from onnx import TensorProto, helper, numpy_helper

from tfake.landmarks.onnx_finder import LANDMARKS_FORMAT, METADATA

PIXELS = 32


def write_network(path):
    """Four filters between a normalisation and a decode, as the landmark networks have them; 2 points."""
    rng = np.random.default_rng(1)
    middles = (np.arange(8, dtype=np.float32) + 0.5) / 8
    grid = np.stack([np.tile(middles, 8), np.repeat(middles, 8)], 1)
    shapes = {"first": (8, 3, 4, 4), "second": (8, 8, 1, 1), "third": (8, 8, 1, 1), "maps": (4, 8, 1, 1)}
    constants = {name: rng.normal(0, 1.5 / np.sqrt(np.prod(shape[1:])), shape) for name, shape in shapes.items()}
    constants = {name: value.astype(np.float32) for name, value in constants.items()}
    constants |= {"mean": np.full((1, 3, 1, 1), 0.5, np.float32), "grid": grid, "last": np.array((2,), np.int64)}
    constants["shape"] = np.array((0, 4, 64), np.int64)
    nodes = [
        helper.make_node("Sub", ["images", "mean"], ["normal"], "normalise"),
        helper.make_node("Conv", ["normal", "first"], ["a"], "first", strides=[4, 4]),
        helper.make_node("Relu", ["a"], ["b"], "relu"),
        helper.make_node("Conv", ["b", "second"], ["c"], "second"),
        helper.make_node("Conv", ["b", "third"], ["d"], "third"),
        helper.make_node("Add", ["c", "d"], ["e"], "add"),
        helper.make_node("Conv", ["e", "maps"], ["f"], "maps"),
        helper.make_node("Reshape", ["f", "shape"], ["flat"], "reshape"),
        helper.make_node("Split", ["flat"], ["places", "deviations"], "split", axis=1, num_outputs=2),
        helper.make_node("Softmax", ["places"], ["weights"], "softmax", axis=2),
        helper.make_node("MatMul", ["weights", "grid"], ["points"], "read"),
        helper.make_node("Mul", ["weights", "deviations"], ["weighted"], "weigh"),
        helper.make_node("ReduceSum", ["weighted", "last"], ["logit"], "sum", keepdims=0),
        helper.make_node("Softplus", ["logit"], ["sigma"], "positive"),
    ]
    graph = helper.make_graph(
        nodes,
        "tiny",
        [helper.make_tensor_value_info("images", TensorProto.FLOAT, ("B", 3, PIXELS, PIXELS))],
        [helper.make_tensor_value_info(*out) for out in (("points", 1, ("B", 2, 2)), ("sigma", 1, ("B", 2)))],
        [numpy_helper.from_array(value, name) for name, value in constants.items()],
    )
    model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 18)], ir_version=10)
    said = f'{{"format":"{LANDMARKS_FORMAT}","thermal_mirror":true,"landmarks":2,"image_pixels":32,"stride":4,'
    helper.set_model_props(model, {METADATA: said + '"thermal_stretch":false,"threshold":0.1}'})
    onnx.save(model, path)
    return path
