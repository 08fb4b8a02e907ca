"""What training jobs do around their runs: files that appear whole, and an end on request."""

import os
import signal
from collections.abc import Callable, Iterator
from contextlib import contextmanager


def write_whole(path: str, write: Callable[[str], None]) -> None:
    """Let something write a file beside its place, and put it there once it is whole.

    Args:
        path: the file.
        write: given the path to write to.
    """
    write(f"{path}.part")
    os.replace(f"{path}.part", path)


@contextmanager
def stopping_on_sigterm() -> Iterator[Callable[[], bool]]:
    """Whether SIGTERM came. Schedulers send it some seconds before they kill: enough for a checkpoint."""
    received = []
    before = signal.signal(signal.SIGTERM, lambda number, frame: received.append(number))
    try:
        yield lambda: bool(received)
    finally:
        signal.signal(signal.SIGTERM, before)
