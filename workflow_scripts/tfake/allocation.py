"""How this process's memory is handed out and back, where it costs time."""

import ctypes
import sys

# Parameters of mallopt(3).
_TRIM_THRESHOLD, _MMAP_THRESHOLD = -1, -3
_LARGEST_KEPT, _MOST_KEPT = 32 << 20, 1 << 30


def keep_freed_memory() -> None:
    """Let the C library keep large blocks that are freed, for the next ones of their size.

    By its own thresholds glibc hands an image's arrays back to the kernel and fetches them again page by page, for each
    image and each layer of a network: a tenth of a job's time. Blocks up to 32 MB are kept, 1 GB at most that nobody
    uses; a thread beside the first keeps some tens of MB of its own. Without glibc nothing is changed.
    """
    if sys.platform == "linux":
        mallopt = getattr(ctypes.CDLL(None), "mallopt", None)
        if mallopt is not None:
            mallopt(_MMAP_THRESHOLD, _LARGEST_KEPT)
            mallopt(_TRIM_THRESHOLD, _MOST_KEPT)
