"""Freed blocks are kept for the next ones: counted in pages fetched from the kernel, not in seconds."""

import json
import subprocess
import sys

import pytest

# An image's arrays come and go together, so that their memory ends at the heap's end, where glibc hands it back.
PROGRAM = """
import json, resource, sys
import numpy as np
sys.path.insert(0, "workflow_scripts")
from tfake.core.processes import keep_freed_memory

def pages():
    before = resource.getrusage(resource.RUSAGE_SELF).ru_minflt
    for _ in range(20):
        arrays = [np.ones(24 << 20, np.uint8) for _ in range(3)]
        del arrays
    return resource.getrusage(resource.RUSAGE_SELF).ru_minflt - before

found = [pages()]
keep_freed_memory()
keep_freed_memory()
pages()
print(json.dumps([*found, pages()]))
"""


@pytest.mark.skipif(not sys.platform.startswith("linux"), reason="glibc's thresholds")
def test_memory_is_fetched_from_the_kernel_once():
    done = subprocess.run([sys.executable, "-c", PROGRAM], check=True, capture_output=True, text=True)
    before, after = json.loads(done.stdout)
    assert 10 * after < before
