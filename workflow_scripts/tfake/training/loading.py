"""The way of a batch: items cached in memory or in a scratch file, batches prefetched by threads, copied to a GPU.

Threads, not the processes of torch's ``DataLoader``: OpenCV and decoders release the GIL, one cache serves all, nothing
is pickled, and a batch is a function of its step, so that order and resuming need no sampler's state.
"""

import logging
import shutil
import tempfile
from collections.abc import Callable, Hashable, Iterable, Iterator
from pathlib import Path
from threading import Lock
from typing import Generic, Protocol, Self, TypeVar

import numpy as np
import torch
from torch import Tensor

from tfake.core.files import PositionalFile
from tfake.core.processes import map_threads


class TensorBatch:
    """What the dataclasses of tensors that a step takes have in common."""

    def _map(self, function: Callable[[Tensor], Tensor]) -> Self:
        return type(self)(**{name: function(value) for name, value in vars(self).items()})

    def to(self, device: torch.device) -> Self:
        """The batch on a device; out of pinned memory the copy is asynchronous."""
        return self._map(lambda value: value.to(device, non_blocking=True))

    def pin_memory(self) -> Self:
        """The batch in page-locked memory, which a GPU reads by itself."""
        return self._map(Tensor.pin_memory)

    @property
    def nbytes(self) -> int:
        """Bytes of all its tensors."""
        return sum(value.nbytes for value in vars(self).values())


Batches = tuple[TensorBatch, ...]


def copy_to_device(values: Tensor, device: torch.device) -> Tensor:
    """A tensor of the host on a device; to a GPU asynchronously."""
    if device.type != "cuda" or values.device.type != "cpu":
        return values.to(device)
    return values.pin_memory().to(device, non_blocking=True)


def pin_batches(make: Callable[[int], Batches], device: torch.device) -> Callable[[int], Batches]:
    """Let the thread that makes a step's batches also pin their memory, where they go to a GPU."""
    if device.type != "cuda":
        return make
    return lambda step: tuple(part.pin_memory() for part in make(step))


def prefetch_to_device(batches: Iterable[Batches], device: torch.device) -> Iterator[Batches]:
    """The batches of each step on a device; a GPU copies those of the next step while it computes."""
    if device.type != "cuda":
        for parts in batches:
            yield tuple(part.to(device) for part in parts)
        return
    copying = torch.cuda.Stream(device)
    waiting: list[tuple[Batches, torch.cuda.Event]] = []
    for parts in batches:
        with torch.cuda.stream(copying):
            waiting.append((tuple(part.to(device) for part in parts), copying.record_event()))
        if len(waiting) > 1:
            yield _arrived(*waiting.pop(0), device)
    for parts, copied in waiting:
        yield _arrived(parts, copied, device)


def _arrived(parts: Batches, copied: torch.cuda.Event, device: torch.device) -> Batches:
    computing = torch.cuda.current_stream(device)
    computing.wait_event(copied)
    for part in parts:
        for tensor in vars(part).values():
            # The memory is the copying stream's: it must not be reused before this one has read it.
            tensor.record_stream(computing)
    return parts


class HostCopy:
    """An asynchronous copy of a step's numbers to the host, for which a GPU's next step does not wait."""

    def __init__(self, values: Iterable[Tensor]) -> None:
        """Start the copy of () tensors."""
        stacked = torch.stack([value.detach().float() for value in values])
        self._event = None
        if stacked.device.type == "cuda":
            self._values = torch.empty(stacked.shape, pin_memory=True).copy_(stacked, non_blocking=True)
            self._event = torch.cuda.current_stream(stacked.device).record_event()
        else:
            self._values = stacked

    def tolist(self) -> list[float]:
        """Wait for the numbers."""
        if self._event is not None:
            self._event.synchronize()
        return self._values.tolist()


#: Memory for the batches ahead of the network.
PREFETCH_BYTES = 512 << 20


def prefetch(
    make: Callable[[int], Batches], steps: range, workers: int, most_bytes: int = PREFETCH_BYTES
) -> Iterator[Batches]:
    """Make the batches of some steps, in order.

    Args:
        make: the batches of a step; called from several threads at once.
        steps: the steps.
        workers: threads. 0 makes each batch when it is asked for, which is fastest where the network computes on the
            same cores.
        most_bytes: memory for the batches ahead of the network, made or in the making. One step's are always made
            ahead, and never more than two a thread.
    """
    if workers == 0 or not steps:
        yield from map(make, steps)
        return
    # All batches are as large as the first.
    batch = make(steps[0])
    size = max(1, sum(part.nbytes for part in batch))
    yield batch
    del batch
    yield from map_threads(make, steps[1:], workers, min(2 * workers, max(1, most_bytes // size)))


#: Decoded images of one set are kept in memory up to this; beyond it they are decoded each time they are sampled.
CACHE_BYTES = 3 << 29

Key = TypeVar("Key", bound=Hashable)
Item = TypeVar("Item", bound="Sized")


class Sized(Protocol):
    """What tells how much memory it takes."""

    @property
    def nbytes(self) -> int:
        """Bytes in memory."""


class MemoryCache(Generic[Key, Item]):
    """Remembers prepared items until the budget is full; may be used from several threads."""

    def __init__(self, prepare: Callable[[Key], Item], budget_bytes: int) -> None:
        """Keep how an item is prepared from its key, and how many bytes may be kept."""
        self._prepare, self._left = prepare, budget_bytes
        self._items: dict[Key, Item] = {}
        self._lock = Lock()
        #: Whether an item did not fit.
        self.is_full = False

    def __getitem__(self, key: Key) -> Item:
        """The prepared item of a key; two threads that want it for the first time may both prepare it."""
        item = self._items.get(key)
        if item is None:
            item = self._prepare(key)
            with self._lock:
                if key not in self._items and item.nbytes <= self._left:
                    self._left -= item.nbytes
                    self._items[key] = item
                elif item.nbytes > self._left:
                    self.is_full = True
        return item


#: The largest file of a training, over all its processes.
SCRATCH_BYTES = 32 << 30
# Of the disk's free space, at most this fraction is taken.
_FRACTION_OF_FREE = 0.25


class ScratchFile:
    """Arrays by their key, in a file without a name; may be used from several threads.

    The file vanishes with the process, however that ends. What is in it lies in the kernel's page cache while there is
    memory for it.
    """

    def __init__(self, folder: str | Path, most_bytes: int = SCRATCH_BYTES) -> None:
        """Begin empty, on the disk of a folder; a quarter of its free space is never exceeded.

        Raises:
            OSError: no file can be made there.
        """
        self._file = PositionalFile(tempfile.TemporaryFile(dir=folder, buffering=0))  # noqa: SIM115 - as long as this
        self._most = min(most_bytes, int(shutil.disk_usage(folder).free * _FRACTION_OF_FREE))
        self._end = 0
        self._places: dict[Hashable, tuple[int, np.dtype, tuple[int, ...]]] = {}
        self._lock = Lock()

    def get(self, key: Hashable) -> np.ndarray | None:
        """An array that was added, not to be written to; None where it did not fit."""
        if key not in self._places:
            return None
        start, dtype, shape = self._places[key]
        count = int(np.prod(shape)) * dtype.itemsize
        return np.frombuffer(self._file.read(start, count), dtype).reshape(shape)

    def add(self, key: Hashable, array: np.ndarray) -> None:
        """Keep an array, if it fits. A full disk is a warning, and nothing is added from then on."""
        with self._lock:
            start = self._end
            if key in self._places or start + array.nbytes > self._most:
                return
            self._end += array.nbytes
        try:
            self._file.write(start, memoryview(np.ascontiguousarray(array)).cast("B"))
        except OSError as error:
            logging.warning("no more is kept in the scratch file: %s", error)
            self._most = 0
            return
        self._places[key] = (start, array.dtype, array.shape)
