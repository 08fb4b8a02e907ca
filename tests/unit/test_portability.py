"""The reader and the landmarker where Linux's own calls are missing, as on Windows and macOS."""

import os
import subprocess
import sys

from recipes import ROOT
from tiny_dataset import make_dataset

#: What Windows lacks; macOS lacks the latter half. Libraries that ask for the platform's name are told the truth.
LACKING = """
import os, sys
for name in ("fcntl", "resource", "pwd", "grp"):
    sys.modules[name] = None
for name in ("pread", "pwrite", "getuid", "preadv", "posix_fadvise", "sched_getaffinity", "sched_setaffinity"):
    if hasattr(os, name):
        delattr(os, name)
import numpy as np
"""
READING = """
import tfake
faces = tfake.open_dataset(sys.argv[1])
face = faces[3]
assert face.thermal["warm"].shape == (48, 48) and np.isfinite(face.thermal["warm"]).all()
assert [face.row for face in faces.batch([5, 0, 1, 2])] == [faces.rows[place] for place in (5, 0, 1, 2)]
assert len(faces.split("train")) and faces.torch()[0]["thermal"]["cold"].shape == (1, 48, 48)
"""
LANDMARKS = """
import tfake
import tfake.landmarks.__main__
from tfake.landmarks.landmark_network import Calibration
from tfake.landmarks.landmark_network import LandmarkArchitecture, LandmarkNetwork
from tfake.landmarks.landmarker_file import save_landmark_weights
network = LandmarkNetwork(LandmarkArchitecture(70, "test_efficientnet", image_pixels=32))
save_landmark_weights(sys.argv[1] + "/weights.pt", network, Calibration())
landmarker = tfake.ThermalLandmarker(sys.argv[1] + "/weights.pt", "cpu")
landmarks, sigma = landmarker.process(np.full((64, 64), 30, np.float32))
assert landmarks.shape[-2:] == (70, 2)
"""


def run(code, argument):
    command = [sys.executable, "-c", LACKING + code, str(argument)]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr


def test_the_workflow_says_that_it_needs_posix(tmp_path):
    (tmp_path / "fcntl.py").write_text("raise ModuleNotFoundError(\"No module named 'fcntl'\", name='fcntl')\n")
    path = os.pathsep.join([str(tmp_path), *filter(None, [os.environ.get("PYTHONPATH")])])
    command = [sys.executable, "-m", "snakemake", "--snakefile", str(ROOT / "Snakefile"), "--dry-run", "--cores", "1"]
    done = subprocess.run(
        command, cwd=tmp_path, env={**os.environ, "PYTHONPATH": path}, capture_output=True, text=True, check=False
    )
    assert done.returncode == 1
    assert "needs a POSIX system: Linux, macOS, or WSL on Windows" in done.stdout + done.stderr


def test_the_reader_needs_no_call_of_posix(tmp_path):
    run(READING, make_dataset(tmp_path / "results"))


def test_the_landmarker_needs_no_call_of_posix(tmp_path):
    run(LANDMARKS, tmp_path)
