"""Work that threads do ahead of whoever uses it, in order and never more than a few pieces at once."""

from collections import deque
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import Executor, ThreadPoolExecutor
from typing import TypeVar

Piece = TypeVar("Piece")
Result = TypeVar("Result")


def map_ahead(
    pool: Executor, function: Callable[[Piece], Result], pieces: Iterable[Piece], ahead: int
) -> Iterator[Result]:
    """Apply a function in a pool's threads and yield the results in the pieces' order.

    Several of these may feed one another over the same pool: a stage is asked for its next piece only when the stage
    behind it has room, so that memory is bounded by the sum of their ``ahead``.

    Args:
        pool: where the function runs.
        function: applied to each piece; the first exception is raised here, in its place.
        pieces: taken one by one, in the caller's thread.
        ahead: pieces under way or waiting to be taken, at most, beside the one that is yielded.
    """
    waiting = deque()
    try:
        for piece in pieces:
            waiting.append(pool.submit(function, piece))
            if len(waiting) > ahead:
                yield waiting.popleft().result()
        while waiting:
            yield waiting.popleft().result()
    finally:
        for future in waiting:
            future.cancel()


def map_threads(
    function: Callable[[Piece], Result], pieces: Iterable[Piece], workers: int, ahead: int | None = None
) -> Iterator[Result]:
    """Apply a function in threads of its own and yield the results in the pieces' order.

    Args:
        function: as of ``map_ahead``.
        pieces: as there.
        workers: threads; 0 applies it in the caller's, to a piece when it is asked for.
        ahead: as there; two a thread by default.
    """
    if workers == 0:
        yield from map(function, pieces)
        return
    with ThreadPoolExecutor(workers) as pool:
        yield from map_ahead(pool, function, pieces, 2 * workers if ahead is None else ahead)
