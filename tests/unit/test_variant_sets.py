"""The workflow's own variants as test sets: held-out rows alone, with the store's points and temperatures."""

import numpy as np
import pytest

import tfake.test_sets.annotated_faces as variants
from annotated_sets import seen_from
from tfake.core.codes import MeshStatus, SampleStatus
from tfake.reader.face import ThermalFace
from tfake.test_sets.annotated_faces import open_70, open_478


def face(row, status=SampleStatus.OK, dense=MeshStatus.OK):
    points = seen_from("mesh478").astype(np.float32)
    if dense is MeshStatus.REJECTED:
        points[:] = np.nan
    thermal = {"warm": np.full((8, 8), 20.0 + row, np.float32)}
    pose = np.zeros(3, np.float32)
    return ThermalFace(
        f"{row:06d}", row, status, dense, 0.01, pose, thermal, None, seen_from("face70").astype(np.float32), points
    )


@pytest.fixture
def asked(monkeypatch):
    rows = [
        face(3),
        face(5, SampleStatus.WRONG_SIZE),
        face(8, dense=MeshStatus.REJECTED),
        face(9, dense=MeshStatus.FITTED),
    ]
    calls = []

    def open_dataset(results, names, split, statuses, fields):
        calls.append((results, names, split, statuses, fields))
        return rows

    monkeypatch.setattr(variants, "open_dataset", open_dataset)
    return calls


def test_the_test_part_alone_is_read(asked):
    found = open_70("results/variants/warm")
    assert {call[:4] for call in asked} == {("results", ("warm",), "test", None)}
    assert [entry.name for entry in found.faces] == ["3:000003", "8:000008", "9:000009"]
    assert found.read_log.summary()["faults"]["left_out"] == {"source_wrong_size": 1}
    np.testing.assert_allclose(found.faces[0].points, seen_from("face70"), atol=1e-4)
    assert found.read_image(found.faces[1].image)[0, 0] == 28.0


def test_rows_without_dense_points_are_named(asked):
    found = open_478("results/variants/warm")
    assert [entry.name for entry in found.faces] == ["3:000003", "9:000009"]
    assert found.read_log.summary()["faults"] == {
        "left_out": {"labels_rejected": 1, "source_wrong_size": 1},
        "used": {"labels_fitted": 1},
    }
