"""Logging of a job: the same lines in the job's log file and on stderr, tracebacks included."""

import logging
import sys
import time
from pathlib import Path

_FORMAT = "%(asctime)s %(levelname)s %(name)s: %(message)s"


def start_log(path: str | Path) -> None:
    """Send the job's log records and any uncaught exception to ``path`` and to stderr.

    Args:
        path: the log file; its folder is made, an older file is replaced.
    """
    Path(path).parent.mkdir(parents=True, exist_ok=True)
    logging.Formatter.converter = time.gmtime
    logging.basicConfig(
        level=logging.INFO,
        format=_FORMAT,
        handlers=[logging.FileHandler(path, mode="w"), logging.StreamHandler(sys.stderr)],
        force=True,
    )
    logging.captureWarnings(True)
    sys.excepthook = _log_exception


def _log_exception(kind, value, trace) -> None:
    if issubclass(kind, KeyboardInterrupt):
        sys.__excepthook__(kind, value, trace)
        return
    logging.getLogger("tfake").critical("the job stops: %s", value, exc_info=(kind, value, trace))
