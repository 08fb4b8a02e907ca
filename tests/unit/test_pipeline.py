"""The thermalizing job's inside: rows in order, memory bounded, whatever the batches and the threads."""

import threading
import time
from concurrent.futures import ThreadPoolExecutor

import numpy as np
import pytest

from archives import PIXELS, write_samples
from tfake.archive.image_reader import ArchiveImages
from tfake.archive.index import build_index
from tfake.core.processes import map_ahead
from tfake.core.radiometry import NO_IMAGE
from tfake.store.statistics import CountStatistics, class_statistics
from tfake.thermalizer.inference import thermalize_rows

IMAGES, AMBIENT = 7, 20.0


class Brightness:
    """A network in name: temperatures are the mean of the colours. Counts the images that wait for it."""

    def __init__(self, batch_images):
        self.batch_images = batch_images
        self.batches = []

    def start(self, masked, filled, ambient_celsius, field, image_ids):
        self.batches.append(len(masked))
        celsius = 20 + masked.mean(-1, dtype=np.float32) / 10
        return lambda: celsius


@pytest.fixture(scope="module")
def source(tmp_path_factory):
    """Seven samples; the second and the last two cannot be used."""
    path = tmp_path_factory.mktemp("source") / "a.zip"
    write_samples(path, range(IMAGES), m000001__png=b"x", m000005__png=b"x", m000006__png=b"x")
    return [str(path)], build_index([path], IMAGES, PIXELS)


def thermalize(source, batch_images, threads):
    paths, table = source
    network = Brightness(batch_images)
    rows = thermalize_rows(network, ArchiveImages(paths, PIXELS), table, PIXELS, AMBIENT, np.ndarray.tobytes, threads)
    return list(rows), network.batches


def test_rows_come_in_order_whatever_the_batches_and_threads(source):
    expected, _ = thermalize(source, 1, 1)
    assert [row.sums is None for row in expected] == [False, True, False, False, False, True, True]
    missing = np.full((PIXELS, PIXELS), NO_IMAGE, np.uint16).tobytes()
    assert [row.chunk == missing for row in expected] == [row.sums is None for row in expected]
    assert len({row.chunk for row in expected}) == 5
    for batch_images, threads, batches in ((2, 1, [1, 2, 1]), (3, 4, [2, 2]), (16, 2, [4])):
        found, seen = thermalize(source, batch_images, threads)
        assert [row.chunk for row in found] == [row.chunk for row in expected]
        assert seen == batches


def test_work_is_ahead_but_not_far():
    taken, lock, furthest = [], threading.Lock(), 0

    def pieces():
        for number in range(40):
            taken.append(number)
            yield number

    def work(number):
        time.sleep(0.001 * (number % 3))
        return number

    with ThreadPoolExecutor(3) as pool:
        for done, number in enumerate(map_ahead(pool, work, map_ahead(pool, work, pieces(), 4), 5)):
            assert number == done
            with lock:
                furthest = max(furthest, len(taken) - done)
    assert 5 < furthest <= 4 + 5 + 2


def test_the_first_error_is_raised_in_its_place():
    def work(number):
        if number == 3:
            raise ValueError("three")
        return number

    seen = []
    with ThreadPoolExecutor(2) as pool, pytest.raises(ValueError, match="three"):
        seen.extend(map_ahead(pool, work, range(100), 4))
    assert seen == [0, 1, 2]


def test_statistics_of_counts_are_those_of_their_temperatures():
    rng = np.random.default_rng(0)
    counts = rng.integers(28000, 32000, (5, 30, 30)).astype(np.uint16)
    classes = rng.choice(np.array([0, 1, 5, 18, 255], np.uint8), counts.shape)
    expected = class_statistics(counts / 100 - 273.15, classes)
    orders = ([0, 1, 2, 3, 4], [4, 2, 0, 1, 3])
    results = []
    for order in orders:
        statistics = CountStatistics()
        for image in order:
            statistics.add(CountStatistics.sums_of(counts[image], classes[image]))
        results.append(statistics.as_mapping())
    assert results[0] == results[1]
    assert results[0].keys() == expected.keys()
    for name, values in expected.items():
        assert results[0][name] == pytest.approx(values, abs=2e-6)


def test_the_coldest_and_the_warmest_counts_are_summed_exactly():
    counts = np.array([[1, 65534]], np.uint16)
    statistics = CountStatistics()
    statistics.add(CountStatistics.sums_of(counts, np.ones((1, 2), np.uint8)))
    mean = (1 + 65534) / 200 - 273.15
    assert statistics.as_mapping() == {"skin": {"pixels": 2, "mean": round(mean, 6), "sd": 327.665}}
