"""Which device torch computes on, with how many threads, and in which process.

Nothing is claimed here: jobs do (core/gpu_claims.py).
"""

import logging
import os
import re
from collections.abc import Iterator, Sequence
from contextlib import contextmanager

import torch

from tfake.core import nvidia
from tfake.core.compute_threads import limit_compute_threads

DEVICES = ("auto", "cpu", "cuda", "cuda:N")

_CUDA = re.compile(r"cuda(?::(\d+))?")


def resolve_device(name: str) -> torch.device:
    """Turn a device's name into a torch device, and log which it is.

    Args:
        name: ``auto`` (a GPU if there is one), ``cpu``, ``cuda`` (torch's current GPU: the first, unless this thread
            has chosen another one) or ``cuda:N``.

    Returns:
        The device, with its number if it is a GPU.

    Raises:
        ValueError: the name is none of these.
        RuntimeError: a GPU was asked for and there is none of that number; or there is a card, but torch sees none,
            and the name is not ``cpu``.
    """
    match = _CUDA.fullmatch(name)
    if name not in ("auto", "cpu") and not match:
        raise ValueError(f"device must be one of {', '.join(DEVICES)}; found {name!r}")
    device = torch.device("cpu") if name == "cpu" else _find_gpu(name, match[1] if match else None)
    logging.info("device: %s", describe_device(device))
    return device


def describe_device(device: torch.device) -> str:
    """A device for people: its name, its kind and what drives it."""
    if device.type != "cuda":
        return f"{device}, {torch.get_num_threads()} threads, torch {torch.__version__}"
    properties = torch.cuda.get_device_properties(device)
    memory = f"{properties.total_memory / 2**30:.0f} GiB"
    return f"{device}, {properties.name}, {memory}, driver {nvidia.find_driver()}, torch {torch.__version__}"


def device_model(device: torch.device) -> str:
    """What computed, as a record of origin has it: ``cpu``, or a GPU's model."""
    return torch.cuda.get_device_properties(device).name if device.type == "cuda" else device.type


@contextmanager
def explain_full_memory(device: torch.device, block: str, settings: object, keys: Sequence[str]) -> Iterator[None]:
    """Say what to do where a GPU's memory is full.

    Args:
        device: where the work is done.
        block: the config's block that the keys are of, with its dot.
        settings: has each key as an attribute.
        keys: what takes the memory.

    Raises:
        RuntimeError: the memory is full; which keys to lower, and what they are.
    """
    try:
        yield
    except torch.OutOfMemoryError as error:
        lower = ", ".join(f"{block}{key} ({getattr(settings, key)})" for key in keys)
        raise RuntimeError(
            f"the memory of {describe_device(device)} is full: lower {lower}; or share the card with fewer jobs "
            f"(TFAKE_JOBS_PER_GPU). {error}"
        ) from error


def synchronise(device: torch.device) -> None:
    """Wait until a GPU has done what it was given, so that a clock tells the truth."""
    if device.type == "cuda":
        torch.cuda.synchronize(device)


def limit_threads(threads: int) -> None:
    """Keep torch, OpenCV and BLAS to the threads the scheduler gave this job: jobs leave each other's cores alone.

    Each has a pool of its own: whoever starts threads beside them gives each thread one (``processes.share_threads``).
    """
    threads = max(1, threads)
    torch.set_num_threads(threads)
    limit_compute_threads(threads)


class ForkGuard:
    """Remembers the process that a network was made in: neither CUDA nor the threads of a CPU's kernels outlive a fork.

    Unpickled in another process, it belongs there.
    """

    def __init__(self) -> None:
        """Belong to this process."""
        self._process = os.getpid()

    def __reduce__(self) -> tuple:
        """Pickle nothing: whoever unpickles it is its process."""
        return ForkGuard, ()

    @contextmanager
    def computing(self, device: torch.device) -> Iterator[None]:
        """Compute here, if it can be done.

        In a fork torch's threads on a CPU wait for ever for those of the parent, which are not there; it computes with
        one thread instead, as torch's own ``DataLoader`` does.

        Raises:
            RuntimeError: the device is a GPU and this process is a fork of the one that it was opened in.
        """
        if os.getpid() == self._process:
            yield
            return
        if device.type == "cuda":
            raise RuntimeError(
                f"this network is on {device}, opened by process {self._process}, and a GPU cannot be used from a fork "
                "of it: start workers by 'spawn' (multiprocessing.get_context, or DataLoader's "
                "multiprocessing_context), or load the weights in each worker"
            )
        threads = torch.get_num_threads()
        torch.set_num_threads(1)
        try:
            yield
        finally:
            torch.set_num_threads(threads)


def _find_gpu(name: str, number: str | None) -> torch.device:
    if torch.cuda.is_available():
        count = torch.cuda.device_count()
        if number is not None and int(number) >= count:
            raise RuntimeError(f"device is {name!r}, but torch sees {count} GPU(s): cuda:0 to cuda:{count - 1}")
        # Jobs that run each process of a group on its own card have told torch which one.
        return torch.device("cuda", torch.cuda.current_device() if number is None else int(number))
    # Hidden on purpose, a card is no card.
    hidden = os.environ.get("CUDA_VISIBLE_DEVICES")
    card = None if hidden is not None and not nvidia.visible_names((), hidden) else nvidia.find_card()
    if card is not None:
        raise RuntimeError(_explain_unseen(card))
    if name != "auto":
        raise RuntimeError(f"device is {name!r} but torch sees no GPU; set device: auto or cpu in the config")
    return torch.device("cpu")


def _explain_unseen(card: str) -> str:
    """Why torch may see no card though there is one."""
    built, driver = torch.version.cuda, nvidia.find_driver() or "of unknown version"
    found = f"this machine has a card ({card}, driver {driver}), but torch {torch.__version__} sees none"
    if built is None:
        return f"{found}: it is built without CUDA. Install a wheel with CUDA (docs/gpu.md), or set device: cpu"
    oldest = nvidia.OLDEST_DRIVER.get(int(built.split(".")[0]), "as new as its CUDA")
    return (
        f"{found}: it is built for CUDA {built}, which needs driver {oldest} or newer. Renew the driver, or install a "
        "wheel for an older CUDA (docs/gpu.md), or set device: cpu"
    )
