"""A landmarker as ONNX files: for ONNX Runtime without torch (:mod:`tfake.landmarks.onnx_finder`), and for browsers.

Each file has all that its use needs in its metadata, as JSON. With ``int8`` filters are stored as 8-bit numbers, one
scale an output channel, as a packed landmarker's are (:mod:`tfake.landmarks.release`): exported from one, the ONNX
files have its very numbers, and so its answers.
"""

import json
import tempfile
from collections.abc import Callable, Mapping
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import torch
from torch import Tensor, nn

from tfake.core.codes import BOTH_POINTS, LANDMARKS
from tfake.core.extras import needs_extra
from tfake.core.files import write_whole
from tfake.detector.detector_file import load_detector
from tfake.imaging.crops import MARGIN
from tfake.labels.conventions import convention, set_of_points
from tfake.landmarks.framing import growth_to_whole_face
from tfake.landmarks.networks import load_landmark_networks
from tfake.landmarks.onnx_finder import (
    DETECTOR_FILE,
    DETECTOR_FORMAT,
    LANDMARKS_FILE,
    LANDMARKS_FORMAT,
    METADATA,
)
from tfake.landmarks.onnx_int8 import Int8Arithmetic, quantise_arithmetic
from tfake.landmarks.release import Detector, is_filter, pack_tensors

if TYPE_CHECKING:
    import onnx

_OPSET = 18
# Whose weights are filters, and the axis of their outputs.
_FILTER_INPUTS = {"Conv": 1, "Gemm": 1}


class _Parts(nn.Module):
    """The network with its answer in two named parts."""

    def __init__(self, network: nn.Module) -> None:
        super().__init__()
        self.network = network

    def forward(self, images: Tensor) -> tuple[Tensor, Tensor]:
        found = self.network(images)
        return found[..., :2], found[..., 2]


def export_landmarker(
    weights: str | Path,
    folder: str | Path,
    points: int | None = None,
    int8: bool = True,
    detector: str | Path | Mapping[str, Any] | None = None,
    arithmetic: Int8Arithmetic | None = None,
) -> list[Path]:
    """Write a landmarker as ONNX: ``landmarks.onnx``, and ``detector.onnx`` where there is a detector.

    Args:
        weights: a file of this workflow, or a state dict that TFAN released.
        folder: where to write; it is made.
        points: 70: the part of a network for both sets that finds these; None: all that the network finds.
        int8: whether filters are stored as 8-bit numbers: a quarter of the size.
        detector: as :func:`tfake.detector.detector_file.load_detector` takes it; None: the file's own, if it has one.
        arithmetic: what 8-bit arithmetic of the landmark network is calibrated on; None: it computes in float32.

    Returns:
        The files.

    Raises:
        FileNotFoundError: no such file.
        ValueError: no landmark network, or one of other points; or 8-bit arithmetic moves points too far.
        ModuleNotFoundError: the extra ``onnx`` is not installed.
    """
    network, threshold, own_detector = load_landmark_networks(weights)
    if points is not None and points != network.architecture.landmarks:
        # The threshold is that of the 70 points: the others alone could not tell a face.
        if (points, network.architecture.landmarks) != (LANDMARKS, BOTH_POINTS):
            raise ValueError(
                f"{weights}: points can be {LANDMARKS} of a network for both sets; found {points} of one for "
                f"{network.architecture.landmarks}"
            )
        network = network.select(points)
    finds_faces = own_detector if detector is None else load_detector(detector)
    folder = Path(folder)
    folder.mkdir(parents=True, exist_ok=True)
    written = [folder / LANDMARKS_FILE]
    if arithmetic is None:
        export_landmarks(written[0], network, threshold, int8)
    else:
        with tempfile.TemporaryDirectory() as scratch:
            plain = Path(scratch) / LANDMARKS_FILE
            export_landmarks(plain, network, threshold)
            quantise_arithmetic(plain, written[0], arithmetic)
    if finds_faces is not None:
        written.append(folder / DETECTOR_FILE)
        export_detector(written[1], finds_faces, int8)
    return written


def export_landmarks(path: str | Path, network: nn.Module, threshold: float, int8: bool = False) -> None:
    """Write a landmark network on the CPU as ONNX.

    The model takes ``images`` (B, 3, P, P) float32 in 0..1, any B, and gives ``points`` (B, L, 2) and ``sigma`` (B,
    L), as :meth:`tfake.landmarks.landmark_network.LandmarkNetwork.forward` defines them.

    Args:
        path: the file to write.
        network: in evaluation mode.
        threshold: mean standard deviation in crop widths below which a window is a face.
        int8: as in ``export_landmarker``.

    Raises:
        ModuleNotFoundError: the extra ``onnx`` is not installed.
    """
    architecture = network.architecture
    temperature = float(network.temperature) if hasattr(network, "temperature") else 1.0
    metadata = {
        "format": LANDMARKS_FORMAT,
        "landmarks": architecture.landmarks,
        "image_pixels": architecture.image_pixels,
        "stride": network.stride,
        "margin": MARGIN,
        # How far a detector's box, that of 70 points, grows on each side before the network looks.
        "growth": growth_to_whole_face(LANDMARKS, network.architecture.landmarks),
        "threshold": threshold,
        "temperature": temperature,
        "thermal_stretch": architecture.thermal_stretch,
        "thermal_mirror": architecture.thermal_mirror,
    }
    if architecture.thermal_mirror:
        metadata["mirrored"] = convention(set_of_points(architecture.landmarks)).partners.tolist()
    pixels = architecture.image_pixels
    # Two images: an export from one takes the batch for a constant.
    example = torch.zeros(2, 3, pixels, pixels)
    shapes = {0: torch.export.Dim("batch")}
    _write(path, _Parts(network).eval(), example, shapes, ["points", "sigma"], metadata, int8)


def export_detector(path: str | Path, detector: Detector, int8: bool = False) -> None:
    """Write a face detector on the CPU as ONNX.

    The model takes ``images`` (1, 3, H, W) float32 in 0..1, H and W any multiples of 32, and gives ``maps`` (1, 15,
    H / 4, W / 4), as :meth:`tfake.detector.detector_network.DetectorNetwork.forward` defines them.

    Args:
        path: the file to write.
        detector: network in evaluation mode, and the calibration of its scores.
        int8: as in ``export_landmarker``.

    Raises:
        ModuleNotFoundError: the extra ``onnx`` is not installed.
    """
    network, scores = detector
    metadata = {
        "format": DETECTOR_FORMAT,
        "search_pixels": network.architecture.search_pixels,
        "search_looks": network.architecture.search_looks,
        "slope": scores.slope,
        "offset": scores.offset,
    }
    rows, columns = (torch.export.Dim(name, min=1, max=128) for name in ("rows", "columns"))
    shapes = {2: 32 * rows, 3: 32 * columns}
    _write(path, network.eval(), torch.zeros(1, 3, 96, 160), shapes, ["maps"], metadata, int8)


def pack_filters(source: str | Path, target: str | Path) -> None:
    """Write a model again with filters of 8-bit numbers, as ``int8`` of an export does.

    Args:
        source: a file of ``export_landmarks`` or ``export_detector``, its filters float32.
        target: the file to write.

    Raises:
        ModuleNotFoundError: the extra ``onnx`` is not installed.
    """
    with needs_extra("onnx", "exporting"):
        import onnx
    model = onnx.load(source)
    _quantise_filters(model)
    _save(model, target)


def _write(
    path: str | Path,
    network: nn.Module,
    example: Tensor,
    shapes: Mapping[int, Any],
    outputs: list[str],
    metadata: Mapping[str, Any],
    int8: bool,
) -> None:
    with needs_extra("onnx", "exporting"):
        import onnx  # noqa: F401
        import onnxscript  # noqa: F401 - torch's own message would name one package of several
    program = torch.onnx.export(
        network,
        (example,),
        input_names=["images"],
        output_names=outputs,
        dynamic_shapes=(shapes,),
        opset_version=_OPSET,
        dynamo=True,
        verbose=False,
    )
    model = program.model_proto
    if int8:
        _quantise_filters(model)
    entry = model.metadata_props.add()
    entry.key, entry.value = METADATA, json.dumps(metadata, separators=(",", ":"), sort_keys=True)
    _save(model, path)


def _save(model: "onnx.ModelProto", path: str | Path) -> None:
    import onnx

    save: Callable[[str], None] = partial(onnx.save, model)
    write_whole(str(path), save)


def _quantise_filters(model: "onnx.ModelProto") -> None:
    """Store the filters of convolutions and linear layers as levels and scales.

    What folded a normalisation into a filter has scaled whole output channels, so the levels of a filter that had been
    packed before are found again.
    """
    import onnx
    from onnx import numpy_helper

    graph = model.graph
    used = {node.input[_FILTER_INPUTS[node.op_type]] for node in graph.node if node.op_type in _FILTER_INPUTS}
    transposed = {
        node.input[1]
        for node in graph.node
        if node.op_type == "Gemm" and not any(part.name == "transB" and part.i for part in node.attribute)
    }
    kept, added = [], []
    for tensor in graph.initializer:
        values = torch.from_numpy(np.array(numpy_helper.to_array(tensor)))
        if tensor.name not in used - transposed or not is_filter(values):
            kept.append(tensor)
            continue
        packed = pack_tensors({tensor.name: values})[tensor.name]
        names = [f"{tensor.name}.{part}" for part in ("levels", "scale")]
        kept += [numpy_helper.from_array(packed[name.rpartition(".")[2]].numpy(), name) for name in names]
        added.append(onnx.helper.make_node("DequantizeLinear", names, [tensor.name], axis=0))
    nodes = [*added, *graph.node]
    del graph.initializer[:], graph.node[:]
    graph.initializer.extend(kept)
    graph.node.extend(nodes)
