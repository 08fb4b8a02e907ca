"""Batches made ahead by threads while the network computes."""

from collections import deque
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from itertools import islice
from typing import TypeVar

Batch = TypeVar("Batch")


def prefetch(make: Callable[[int], Batch], steps: range, workers: int) -> Iterator[Batch]:
    """Make the batches of some steps, in order.

    Args:
        make: gives the batch of a step; called from several threads at once.
        steps: the steps.
        workers: threads; twice as many batches are made ahead. 0 makes each batch when it is asked for, which is
            fastest where the network computes on the same cores.

    Yields:
        The batch of each step, whatever the number of workers.
    """
    if workers == 0:
        yield from map(make, steps)
        return
    with ThreadPoolExecutor(workers) as pool:
        ahead = iter(steps)
        waiting = deque(pool.submit(make, step) for step in islice(ahead, 2 * workers))
        try:
            while waiting:
                batch = waiting.popleft().result()
                waiting.extend(pool.submit(make, step) for step in islice(ahead, 1))
                yield batch
        finally:
            for future in waiting:
                future.cancel()
