"""Files of pretrained encoders: fetched once, before any training, and read by every process of it."""

from pathlib import Path

from torch import nn

from tfake.training.weights_file import bare_tensors, load_payload, save_payload

FORMAT = "tfake-encoder-1"


def save_encoder(path: str | Path, name: str, encoder: nn.Module) -> str:
    """Write an encoder's tensors; equal ones give equal bytes.

    Args:
        path: the file to write; it appears whole or not at all.
        name: the encoder's, in the library that it comes from.
        encoder: with its pretrained weights.

    Returns:
        The file's SHA-256, hexadecimal.
    """
    return save_payload(path, {"format": FORMAT, "encoder": name, "tensors": bare_tensors(encoder)})


def load_encoder(path: str | Path, name: str, encoder: nn.Module) -> None:
    """Give an encoder the weights of a file.

    Args:
        path: from ``save_encoder``.
        name: the encoder's.
        encoder: as it was built, with random weights.

    Raises:
        FileNotFoundError: no such file.
        ValueError: the file holds no encoder, another one, or one of another depth.
    """
    payload = load_payload(path, FORMAT, "pretrained encoder")
    if payload["encoder"] != name:
        raise ValueError(f"{path}: weights of another encoder: expected {name}, found {payload['encoder']}")
    try:
        encoder.load_state_dict(payload["tensors"])
    except RuntimeError as error:
        raise ValueError(f"{path}: the tensors do not fit the encoder {name} as it is built here: {error}") from error
