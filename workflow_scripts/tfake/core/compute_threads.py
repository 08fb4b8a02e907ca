"""Threads that OpenCV and BLAS compute with, for jobs with torch and without."""


def limit_compute_threads(threads: int) -> None:
    """Keep OpenCV and BLAS to a number of threads: the last bits of a product may depend on it.

    Args:
        threads: of each of them; one, where threads work side by side already.
    """
    import cv2  # here, as below: all else of this package does without
    from threadpoolctl import threadpool_limits

    cv2.setNumThreads(threads)
    threadpool_limits(threads, user_api="blas")
