"""The notebooks of docs/notebooks run from top to bottom on a small dataset, and are kept without outputs."""

import asyncio
from concurrent.futures import ThreadPoolExecutor

import nbformat
import pytest
from nbclient import NotebookClient

from recipes import ROOT
from tfake.landmarks.landmark_network import Calibration, LandmarkArchitecture, LandmarkNetwork
from tfake.landmarks.landmarker_file import save_landmark_weights
from tiny_dataset import make_dataset

NOTEBOOKS = sorted((ROOT / "docs/notebooks").glob("*.ipynb"))


@pytest.fixture(scope="module")
def results(tmp_path_factory):
    """Results as the workflow leaves them, with a landmark network that has learnt nothing."""
    results = make_dataset(tmp_path_factory.mktemp("run") / "results")
    weights = results / "landmarks/joint_70/weights.pt"
    weights.parent.mkdir(parents=True)
    save_landmark_weights(weights, LandmarkNetwork(LandmarkArchitecture(70, image_pixels=64)), Calibration())
    return results


@pytest.mark.parametrize("path", NOTEBOOKS, ids=lambda path: path.stem)
def test_a_notebook_runs(path, results, monkeypatch, tmp_path):
    monkeypatch.setenv("TFAKE_RESULTS", str(results))
    monkeypatch.setenv("IPYTHONDIR", str(tmp_path))
    monkeypatch.setenv("PYTHONPATH", str(ROOT / "workflow_scripts"))
    notebook = nbformat.read(path, as_version=4)
    client = NotebookClient(notebook, timeout=120, resources={"metadata": {"path": path.parent}})
    # In a thread of its own: a browser that other tests left open has a running loop in this one.
    with ThreadPoolExecutor(1) as thread:
        thread.submit(lambda: asyncio.run(client.async_execute())).result()
    assert any(cell.get("outputs") for cell in notebook.cells)


@pytest.mark.parametrize("path", NOTEBOOKS, ids=lambda path: path.stem)
def test_a_notebook_is_kept_without_outputs(path):
    for cell in nbformat.read(path, as_version=4).cells:
        assert not cell.get("outputs")
        assert cell.get("execution_count") is None
