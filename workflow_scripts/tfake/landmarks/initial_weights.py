"""What a landmark network begins with in place of random numbers: an encoder, a landmark network, or a landmarker.

An encoder (:func:`tfake.training.weights_file.save_encoder`) gives the backbone, and the neck behind it where its file
has one. A landmark network gives all of
its body; its last layer, too, where it finds the same points or both sets. The scale of its standard deviations is left
behind: calibration measures that anew.
"""

import logging
from pathlib import Path

from torch import Tensor

from tfake.core.codes import BOTH_POINTS
from tfake.landmarks import landmarker_file, release
from tfake.landmarks.landmark_network import FeatureNeck, LandmarkNetwork
from tfake.training import weights_file
from tfake.training.weights_file import load_encoder, read_weights

_FORMATS = (weights_file.FORMAT, landmarker_file.FORMAT, release.FORMAT)
# Without these nothing could be taken over: no tensor would fit.
_MUST_AGREE = ("backbone", "head", "neck_channels")
# The last layers, whose rows are the points.
_OF_POINTS = ("maps.", "linear.")


def load_initial_weights(network: LandmarkNetwork, path: str | Path) -> tuple[str, ...]:
    """Give a network the weights of a file, as far as the file has them.

    Args:
        network: to begin with them; of what the file lacks, the network keeps its own.
        path: an encoder, the weights of a landmark network, or a landmarker as it is shipped.

    Returns:
        The parts of the body that were taken over, such as ``backbone`` and ``maps``.

    Raises:
        FileNotFoundError: no such file.
        ValueError: it is neither of these, or is of another architecture; the message says what was expected and found.
    """
    content = read_weights(path, "weights")
    kind = content.get("format") if isinstance(content, dict) else None
    if kind == weights_file.FORMAT:
        load_encoder(path, network.architecture.backbone, network.body.backbone)
        taken: tuple[str, ...] = ("backbone", *_take_neck(network, path, content.get("neck", {})))
    elif kind in _FORMATS:
        taken = _take_body(network, path, kind)
    else:
        raise ValueError(f"{path}: no weights to begin with: expected one of {', '.join(_FORMATS)}, found {kind!r}")
    logging.info("the network begins with %s of %s", ", ".join(taken), path)
    return taken


def _take_neck(network: LandmarkNetwork, path: str | Path, neck: dict[str, Tensor]) -> tuple[str, ...]:
    if not neck or not isinstance(network.body, FeatureNeck):
        return ()
    try:
        network.body.load_state_dict({**network.body.state_dict(), **neck})
    except RuntimeError as error:
        raise ValueError(f"{path}: the tensors of the neck do not fit the head heatmap: {error}") from error
    return _parts_of(neck)


def _take_body(network: LandmarkNetwork, path: str | Path, kind: str) -> tuple[str, ...]:
    given = release.load_release(path)[0] if kind == release.FORMAT else landmarker_file.load_landmark_weights(path)[0]
    expected, found = network.architecture, given.architecture
    for key in _MUST_AGREE:
        if getattr(found, key) != getattr(expected, key):
            raise ValueError(
                f"{path}: weights of another architecture: expected the {key} {getattr(expected, key)}, found "
                f"{getattr(found, key)}"
            )
    if found.landmarks == BOTH_POINTS:
        given = given.select(expected.landmarks)
    state: dict[str, Tensor] = given.body.state_dict()
    if given.architecture.landmarks != expected.landmarks:
        state = {name: value for name, value in state.items() if not name.startswith(_OF_POINTS)}
    network.body.load_state_dict({**network.body.state_dict(), **state})
    return _parts_of(state)


def _parts_of(state: dict[str, Tensor]) -> tuple[str, ...]:
    return tuple(dict.fromkeys(name.partition(".")[0] for name in state))
