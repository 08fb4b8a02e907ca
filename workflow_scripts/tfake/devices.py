"""Which device torch computes on, and with how many threads."""

import torch

DEVICES = ("auto", "cpu", "cuda")


def resolve_device(name: str) -> torch.device:
    """Turn the config's device name into a torch device.

    Args:
        name: ``auto`` (a GPU when torch sees one), ``cpu`` or ``cuda``.

    Returns:
        The device.

    Raises:
        ValueError: the name is none of these.
        RuntimeError: ``cuda`` was asked for and torch sees no GPU.
    """
    if name not in DEVICES:
        raise ValueError(f"device must be one of {', '.join(DEVICES)}; found {name!r}")
    has_gpu = torch.cuda.is_available()
    if name == "cuda" and not has_gpu:
        raise RuntimeError("device is 'cuda' but torch sees no GPU; set device: auto or cpu in the config")
    return torch.device("cuda" if has_gpu and name != "cpu" else "cpu")


def limit_threads(threads: int) -> None:
    """Keep torch to the threads the scheduler gave this job, so that parallel jobs do not oversubscribe the cores."""
    torch.set_num_threads(max(1, threads))
