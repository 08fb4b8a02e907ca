"""Batches made ahead by threads while the network computes, as many as some memory holds."""

from collections.abc import Callable, Iterator
from typing import Any

from tfake.overlap import map_threads

#: What the batches ahead of the network may take.
PREFETCH_BYTES = 512 << 20

Parts = tuple[Any, ...]


def prefetch(
    make: Callable[[int], Parts], steps: range, workers: int, most_bytes: int = PREFETCH_BYTES
) -> Iterator[Parts]:
    """Make the batches of some steps, in order.

    Args:
        make: gives what a step takes, a tuple of dataclasses of tensors; called from several threads at once.
        steps: the steps.
        workers: threads. 0 makes each batch when it is asked for, which is fastest where the network computes on the
            same cores.
        most_bytes: what the batches ahead of the network may take, made or in the making. One is always made ahead,
            and never more than two a thread.

    Yields:
        The batch of each step, whatever the number of workers.
    """
    if workers == 0 or not steps:
        yield from map(make, steps)
        return
    # All batches are as large as the first.
    batch = make(steps[0])
    size = max(1, sum(tensor.nbytes for part in batch for tensor in vars(part).values()))
    yield batch
    del batch
    yield from map_threads(make, steps[1:], workers, min(2 * workers, max(1, most_bytes // size)))
