"""Landmark networks in ONNX whose arithmetic is 8 bit: activations, too, and not the stored filters alone.

Static quantisation by ONNX Runtime (QuantizeLinear and DequantizeLinear around each layer; filters symmetric, a scale
an output channel; activations unsigned, a scale a tensor, from their least and largest value on calibration crops).
What stretches and normalises a crop, the first filter, the last one, and what reads points off the maps stay in
float32: docs/landmarks.md says what each costs.

A network that has lost more than it may is refused: points are compared with those of the float32 network on crops that
no scale was chosen by.
"""

import json
import tempfile
from collections.abc import Iterator
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from tfake.core.extras import needs_extra
from tfake.core.files import write_whole
from tfake.landmarks.onnx_finder import ARITHMETIC, LANDMARKS_FORMAT, METADATA, OnnxSession

if TYPE_CHECKING:
    import onnx

#: Fewer crops tell neither the range of an activation nor how far points move.
LEAST_CROPS = 16
#: How far 95 % of the points may move at most, in crop widths: a tenth of a good network's own error.
MOST_MOVED = 0.005
_BATCH = 8
_FILTERS = ("Conv", "Gemm")


@dataclass(frozen=True)
class Int8Arithmetic:
    """What 8-bit arithmetic is calibrated on, and what it may cost.

    Attributes:
        crops: (F, 3, P, P) float32 in 0..1, of faces; scales are chosen by every other one, and held to the others.
        most_moved: distance in crop widths that 95 % of the points may move by; None: any.
    """

    crops: np.ndarray
    most_moved: float | None = MOST_MOVED


@dataclass(frozen=True)
class Moved:
    """How far 8-bit arithmetic moves the points of crops that it was not calibrated on, in crop widths.

    Attributes:
        mean: mean distance.
        most: 95 % of the points move by less.
        largest: the largest distance.
        sigma_ratio: median of the standard deviations over those in float32.
        crops: how many.
    """

    mean: float
    most: float
    largest: float
    sigma_ratio: float
    crops: int


def quantise_arithmetic(source: str | Path, target: str | Path, arithmetic: Int8Arithmetic) -> Moved:
    """Write a landmark network in ONNX again, with 8-bit arithmetic.

    Args:
        source: a file of :func:`tfake.landmarks.onnx_export.export_landmarks`, its filters float32.
        target: the file to write; its metadata say what was measured.
        arithmetic: what it is calibrated on and held to.

    Returns:
        What was measured.

    Raises:
        ValueError: too few crops, or points move too far, and nothing is written.
        ModuleNotFoundError: the extra ``onnx`` is not installed.
    """
    with needs_extra("onnx", "exporting"):
        import onnx
    crops = arithmetic.crops
    if len(crops) < LEAST_CROPS:
        raise ValueError(
            f"8-bit arithmetic: expected at least {LEAST_CROPS} faces to calibrate it on, found {len(crops)}"
        )
    before = OnnxSession(source, LANDMARKS_FORMAT)
    seen, held_out = crops[::2], crops[1::2]
    if before.metadata["thermal_mirror"]:
        seen = np.concatenate((seen, seen[..., ::-1]))
    with tempfile.TemporaryDirectory() as folder:
        written = Path(folder) / "int8.onnx"
        model = _quantise(Path(source), written, seen)
        _describe(model, {**before.metadata, ARITHMETIC: {"bits": 8}})
        onnx.save(model, written)
        moved = measure_moved(before, OnnxSession(written, LANDMARKS_FORMAT), held_out)
    if arithmetic.most_moved is not None and not moved.most <= arithmetic.most_moved:
        raise ValueError(
            f"8-bit arithmetic moves points by {moved.most:.4f} crop widths (95 % of them by less, on {moved.crops} "
            f"faces that it was not calibrated on); expected at most {arithmetic.most_moved:g}. Calibrate on more "
            "faces of the kind that will be looked at, or keep 8-bit filters with float32 arithmetic"
        )
    _describe(model, {**before.metadata, ARITHMETIC: {"bits": 8, **asdict(moved)}})
    write_whole(str(target), lambda part: onnx.save(model, part))
    return moved


def measure_moved(before: OnnxSession, after: OnnxSession, crops: np.ndarray) -> Moved:
    """Compare two landmark networks on crops (F, 3, P, P); distances are of the second from the first."""
    found = [[session(part) for part in _batches(crops)] for session in (before, after)]
    (points, sigma), (other, other_sigma) = (
        [np.concatenate(kind) for kind in zip(*each, strict=True)] for each in found
    )
    distances = np.linalg.norm(other - points, axis=2)
    return Moved(
        mean=float(distances.mean()),
        most=float(np.quantile(distances, 0.95)),
        largest=float(distances.max()),
        sigma_ratio=float(np.median(other_sigma / sigma)),
        crops=len(crops),
    )


def _batches(crops: np.ndarray) -> Iterator[np.ndarray]:
    return (crops[start : start + _BATCH] for start in range(0, len(crops), _BATCH))


def _quantise(source: Path, target: Path, crops: np.ndarray) -> "onnx.ModelProto":
    import onnx
    from onnxruntime.quantization import (
        CalibrationDataReader,
        CalibrationMethod,
        QuantFormat,
        QuantType,
        quantize_static,
    )
    from onnxruntime.quantization.shape_inference import quant_pre_process

    class Crops(CalibrationDataReader):
        def __init__(self) -> None:
            self._batches = _batches(np.ascontiguousarray(crops))

        def get_next(self) -> dict[str, np.ndarray] | None:
            part = next(self._batches, None)
            return None if part is None else {"images": part}

    prepared = target.with_name("prepared.onnx")
    quant_pre_process(str(source), str(prepared), skip_symbolic_shape=True)
    quantize_static(
        str(prepared),
        str(target),
        Crops(),
        quant_format=QuantFormat.QDQ,
        per_channel=True,
        activation_type=QuantType.QUInt8,
        weight_type=QuantType.QInt8,
        calibrate_method=CalibrationMethod.MinMax,
        nodes_to_exclude=nodes_in_float(onnx.load(prepared)),
    )
    return onnx.load(target)


def nodes_in_float(model: "onnx.ModelProto") -> list[str]:
    """Names of the nodes that are not quantised: all but those between the first filter and the last one."""
    nodes = list(model.graph.node)
    filters = [place for place, node in enumerate(nodes) if node.op_type in _FILTERS]
    made_by = {name: place for place, node in enumerate(nodes) for name in node.output}
    # An ONNX graph lists its nodes in an order in which each comes after what it reads.
    behind, before = set(filters[:1]), set(filters[-1:])
    for place, node in enumerate(nodes):
        if any(made_by.get(name) in behind for name in node.input):
            behind.add(place)
    for place in range(len(nodes) - 1, -1, -1):
        if place in before:
            before |= {made_by[name] for name in nodes[place].input if name in made_by}
    within = (behind & before) - {filters[0], filters[-1]}
    return [node.name for place, node in enumerate(nodes) if place not in within]


def _describe(model: "onnx.ModelProto", metadata: dict) -> None:
    """Make a model's metadata these alone, whatever quantisation has left there."""
    del model.metadata_props[:]
    entry = model.metadata_props.add()
    entry.key, entry.value = METADATA, json.dumps(metadata, separators=(",", ":"), sort_keys=True)
