import shutil

import pytest
from filelock import FileLock

from runs import succeed


@pytest.fixture(scope="session")
def finished(tmp_path_factory, worker_id):
    """A finished tiny run, made once for all processes of the test run. Who changes anything works on a ``copy``."""
    base = tmp_path_factory.getbasetemp()
    folder = (base if worker_id == "master" else base.parent) / "finished"
    with FileLock(f"{folder}.lock"):
        done = folder.with_suffix(".done")
        if not done.exists():
            succeed(folder)
            done.touch()
    return folder


@pytest.fixture
def copy(finished, tmp_path):
    """A copy of the finished run, time stamps and Snakemake's records included."""
    folder = tmp_path / "run"
    shutil.copytree(finished, folder)
    return folder
