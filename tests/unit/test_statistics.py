from itertools import pairwise

import numpy as np
import pytest

from tfake.store.statistics import class_statistics, merge_statistics


def test_mean_and_sd_by_class():
    celsius = np.array([30.0, 32.0, 20.0, np.nan])
    classes = np.array([1, 1, 0, 13], dtype=np.uint8)
    found = class_statistics(celsius, classes)
    assert found == {
        "background": {"pixels": 1, "mean": 20.0, "sd": 0.0},
        "skin": {"pixels": 2, "mean": 31.0, "sd": 1.0},
    }


def test_ignored_pixels_belong_to_no_class():
    assert class_statistics(np.array([30.0]), np.array([255], dtype=np.uint8)) == {}


def test_pooled_parts_equal_the_whole():
    rng = np.random.default_rng(0)
    celsius, classes = rng.normal(33, 2, 9000), rng.integers(0, 19, 9000).astype(np.uint8)
    cuts = [0, 10, 4000, 9000]
    parts = [class_statistics(celsius[a:b], classes[a:b]) for a, b in pairwise(cuts)]
    merged, whole = merge_statistics(parts), class_statistics(celsius, classes)
    assert merged.keys() == whole.keys()
    for name, values in whole.items():
        assert merged[name] == pytest.approx(values, abs=1e-5)
