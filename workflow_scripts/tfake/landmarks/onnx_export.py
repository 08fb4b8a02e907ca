"""Landmark networks as ONNX files, and ONNX Runtime in the network's place."""

from functools import partial
from pathlib import Path

import numpy as np
import torch
from torch import nn

from tfake.core.files import write_whole

_OPSET = 18


class _Parts(nn.Module):
    """The network with its answer in two named parts."""

    def __init__(self, network: nn.Module) -> None:
        super().__init__()
        self.network = network

    def forward(self, images: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor]:
        found = self.network(images)
        return found[..., :2], found[..., 2]


def export_onnx(network: nn.Module, path: str | Path) -> None:
    """Write a network on the CPU as ONNX.

    The model takes ``images`` (B, 3, P, P) float32 in 0..1, any B, and gives ``points`` (B, L, 2) and ``sigma`` (B,
    L), as :meth:`tfake.landmarks.landmark_network.LandmarkNetwork.forward` defines them.

    Raises:
        ImportError: the extra ``onnx`` is not installed.
    """
    try:
        import onnx  # noqa: F401 - torch's own message would name one package of several
        import onnxscript  # noqa: F401
    except ImportError as error:
        raise ImportError("exporting needs the extra: pip install 'tfake-workflow[onnx]'") from error
    pixels = network.architecture.image_pixels
    # Two images: an export from one takes the batch for a constant.
    example = torch.zeros(2, 3, pixels, pixels)
    export = partial(
        torch.onnx.export,
        _Parts(network).eval(),
        (example,),
        input_names=["images"],
        output_names=["points", "sigma"],
        dynamic_shapes=({0: torch.export.Dim("batch")},),
        opset_version=_OPSET,
        dynamo=True,
        external_data=False,
        verbose=False,
    )
    write_whole(str(path), lambda part: export(f=part))


class OnnxNetwork:
    """A landmark network that ONNX Runtime computes."""

    def __init__(self, path: str | Path, threads: int = 1) -> None:
        """Load a file of ``export_onnx``; a call computes with ``threads``.

        Raises:
            ImportError: the extra ``onnx`` is not installed.
        """
        try:
            import onnxruntime
        except ImportError as error:
            raise ImportError("this needs the extra: pip install 'tfake-workflow[onnx]'") from error
        options = onnxruntime.SessionOptions()
        options.intra_op_num_threads = threads
        self._session = onnxruntime.InferenceSession(str(path), options, providers=["CPUExecutionProvider"])
        self.image_pixels = self._session.get_inputs()[0].shape[2]

    def __call__(self, images: np.ndarray) -> np.ndarray:
        """Find points in crops: (B, 3, P, P) float32 in 0..1 to (B, L, 3) x, y and sigma in crop widths."""
        points, sigma = self._session.run(["points", "sigma"], {"images": images})
        return np.concatenate((points, sigma[..., None]), axis=2)
