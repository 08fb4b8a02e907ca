import shutil

import pytest

from runs import succeed


@pytest.fixture(scope="session")
def finished(tmp_path_factory):
    """A finished tiny run. Tests that change anything work on a copy (``copy``)."""
    folder = tmp_path_factory.mktemp("finished")
    succeed(folder)
    return folder


@pytest.fixture
def copy(finished, tmp_path):
    """A copy of the finished run, time stamps and Snakemake's records included."""
    folder = tmp_path / "run"
    shutil.copytree(finished, folder)
    return folder
