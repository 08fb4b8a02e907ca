"""Batches made ahead by threads while the network computes, as many as some memory holds."""

from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from typing import Protocol, TypeVar

from tfake.overlap import map_ahead

#: Batches that wait for the network or are being made take this much together.
PREFETCH_BYTES = 1 << 30


class Sized(Protocol):
    """What knows how much memory it takes."""

    @property
    def nbytes(self) -> int:
        """Bytes."""


Batch = TypeVar("Batch", bound=Sized)


def prefetch(
    make: Callable[[int], Batch], steps: range, workers: int, most_bytes: int = PREFETCH_BYTES
) -> Iterator[Batch]:
    """Make the batches of some steps, in order.

    Args:
        make: gives the batch of a step; called from several threads at once. All batches are about as large.
        steps: the steps.
        workers: threads. 0 makes each batch when it is asked for, which is fastest where the network computes on the
            same cores.
        most_bytes: what the batches ahead of the network may take, made or in the making. At least one is made ahead,
            and never more than two a thread.

    Yields:
        The batch of each step, whatever the number of workers.
    """
    if workers == 0:
        yield from map(make, steps)
        return
    with ThreadPoolExecutor(workers) as pool:
        # How large a batch is, the first one tells.
        for batch in map_ahead(pool, make, steps[:1], 0):
            ahead = min(2 * workers, max(1, most_bytes // max(1, batch.nbytes)))
            rest = map_ahead(pool, make, steps[1:], ahead)
            yield batch
            del batch
            yield from rest
