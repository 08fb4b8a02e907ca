"""How fast faces are labelled, beside bare FaceMesh: ``python tests/label_speed.py ARCHIVE.zip IMAGES [PASSES]``.

Each pass labels every image and runs bare FaceMesh (decode the PNG, detect, nothing else) on it, image after image, so
that both share the machine's moods; the medians over the passes count, by the clock and by processor time, which feels
other work less. Both have one core: the workflow labels with one process a core, where MediaPipe's own threads gain
nothing. Memory is that of this process.
"""

import json
import os
import resource
import sys
import time
from pathlib import Path

import numpy as np
import yaml

sys.path.insert(0, str(Path(__file__).parents[1] / "workflow_scripts"))

from tfake.archive.index import build_index
from tfake.archive.samples import read_rgb, read_sample
from tfake.archive.zip_archive import open_archive
from tfake.labels.detection import LabelSettings
from tfake.labels.facemesh import FaceMesh
from tfake.labels.labelling import label_face


def measure(archive: str, images: int, passes: int, pixels: int = 512) -> dict[str, float]:
    """Images a second of both, their ratios, and the largest memory after the first and after the last pass, in MB."""
    config = yaml.safe_load((Path(__file__).parents[1] / "config.yaml").read_text())["labels"]
    settings = LabelSettings(model=None, **{key: value for key, value in config.items() if key != "face_landmarker"})
    records = list(build_index([archive], images, pixels).itertuples())
    opened = open_archive([archive])
    seconds, memory = [], []
    with FaceMesh(settings.min_detection_confidence, settings.min_presence_confidence) as finder:
        for number in range(passes + 1):
            taken = np.zeros((2, 2))
            for record in records:
                start = now()
                label_face(read_sample(opened, record, pixels), finder, settings)
                middle = now()
                finder.find(read_rgb(opened, record, pixels), None)
                taken += middle - start, now() - middle
            if number:  # the first pass warms up
                seconds.append(taken)
            memory.append(resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1000)
    labelled, bare = images / np.moveaxis(seconds, 1, 0)  # (passes, 2): by the clock, by processor time
    return {
        "labelled_per_second": round(float(np.median(labelled[:, 0])), 1),
        "bare_per_second": round(float(np.median(bare[:, 0])), 1),
        "ratio": round(float(np.median(labelled[:, 0] / bare[:, 0])), 3),
        "cpu_ratio": round(float(np.median(labelled[:, 1] / bare[:, 1])), 3),
        "images": images * (passes + 1) * 2,
        "memory_first_mb": round(memory[0]),
        "memory_last_mb": round(memory[-1]),
    }


def now() -> np.ndarray:
    """Seconds by the clock and of this process's processor time."""
    return np.array([time.perf_counter(), time.process_time()])


if __name__ == "__main__":
    os.sched_setaffinity(0, {min(os.sched_getaffinity(0))})
    print(json.dumps(measure(sys.argv[1], int(sys.argv[2]), int(sys.argv[3]) if len(sys.argv) > 3 else 5)))
