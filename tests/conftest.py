"""What all tests share: a thread a process, markers that follow from a test's place and fixtures, and their order."""

import os
from pathlib import Path

import pytest

HERE = Path(__file__).parent
# Processes of tests run side by side, and networks this small lose more than they gain by sharing their work.
os.environ.setdefault("OMP_NUM_THREADS", "1")


@pytest.hookimpl(tryfirst=True)
def pytest_collection_modifyitems(items):
    """Mark what needs a browser or Slurm, and put workflow tests first: they are few, and each takes long.

    pytest-xdist hands out a file at a time in this order (``--no-loadscope-reorder``); the shortest come last, so
    that no process waits long for the others at the end.
    """
    for item in items:
        if "browser" in item.fixturenames:
            item.add_marker(pytest.mark.browser)
        if item.path.is_relative_to(HERE / "slurm"):
            item.add_marker(pytest.mark.slurm)
    items.sort(key=lambda item: item.path.parent.name != "workflow")
