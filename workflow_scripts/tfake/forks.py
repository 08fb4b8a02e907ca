"""Networks in forked processes: neither CUDA nor the threads of a CPU's kernels outlive a fork."""

import os
from collections.abc import Iterator
from contextlib import contextmanager

import torch


class ForkGuard:
    """Remembers the process that something was made in; unpickled in another one, it belongs there."""

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
