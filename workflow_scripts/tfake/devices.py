"""Which device torch computes on, and with how many threads."""

import logging
from functools import cache

import cv2
import torch
from threadpoolctl import threadpool_limits

from tfake.gpus import claim_gpu

DEVICES = ("auto", "cpu", "cuda")


def resolve_device(name: str) -> torch.device:
    """Turn the config's device name into a torch device.

    Args:
        name: ``auto`` (a GPU when torch sees one), ``cpu`` or ``cuda``.

    Returns:
        The device. A GPU is this process' own for as long as it lives (:func:`tfake.gpus.claim_gpu`): the call waits
        until one is free.

    Raises:
        ValueError: the name is none of these.
        RuntimeError: ``cuda`` was asked for and torch sees no GPU.
    """
    if name not in DEVICES:
        raise ValueError(f"device must be one of {', '.join(DEVICES)}; found {name!r}")
    has_gpu = torch.cuda.is_available()
    if name == "cuda" and not has_gpu:
        raise RuntimeError("device is 'cuda' but torch sees no GPU; set device: auto or cpu in the config")
    return _own_gpu() if has_gpu and name != "cpu" else torch.device("cpu")


@cache
def _own_gpu() -> torch.device:
    names = [f"{torch.cuda.get_device_properties(index).uuid}" for index in range(torch.cuda.device_count())]
    index = claim_gpu(names)
    # Whatever is allocated without naming a device goes there, too.
    torch.cuda.set_device(index)
    logging.info("GPU %d of %d: %s", index, len(names), names[index])
    return torch.device("cuda", index)


def limit_threads(threads: int) -> None:
    """Keep torch, OpenCV and BLAS to the threads the scheduler gave this job: jobs leave each other's cores alone.

    Each has a pool of its own: whoever starts threads beside them gives each thread one (``processes.share_threads``).
    """
    threads = max(1, threads)
    torch.set_num_threads(threads)
    cv2.setNumThreads(threads)
    threadpool_limits(threads, user_api="blas")
