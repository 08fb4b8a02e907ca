"""Loading for a training: threads change nothing, memory is bounded, and every process starts its share of threads."""

import re
import threading
import time
from dataclasses import dataclass
from functools import partial

import cv2
import numpy as np
import pytest
import torch
from threadpoolctl import threadpool_info, threadpool_limits

from archives import PIXELS, write_samples
from recipes import rule_blocks
from tfake.archive.image_reader import SourceImages
from tfake.archive.index import build_index
from tfake.archive.pairs import open_pairs
from tfake.core.devices import limit_threads
from tfake.core.processes import share_threads
from tfake.thermalizer import thermalizer_training
from tfake.thermalizer import thermalizer_training as validation_module
from tfake.thermalizer.thermal_unet import ThermalUNet
from tfake.thermalizer.thermalizer_settings import TrainingSettings
from tfake.thermalizer.thermalizer_training import Validation
from tfake.training.loading import CACHE_BYTES, PREFETCH_BYTES, MemoryCache, TensorBatch, prefetch
from tfake.training.rng import SINGLE_PROCESS, ProcessShard
from thermal_sets import gray, visible, write_set, zipped
from tiny_training import CPU, TINY, make_data, run

pytestmark = pytest.mark.usefixtures("one_thread")


@pytest.fixture
def stored(tmp_path, monkeypatch):
    """Sources and pairs that are read out of zips each time that they are drawn."""
    for name in ("PairSampler", "SourceSampler"):
        monkeypatch.setattr(thermalizer_training, name, partial(getattr(thermalizer_training, name), cache_bytes=0))
    archive = [write_samples(tmp_path / "a.zip", range(6))]
    names = ("a", "b", "c", "d")
    write_set(tmp_path / "set", {f"{n}_v.png": visible(i) for i, n in enumerate(names)})
    write_set(tmp_path / "set", {f"{n}_t.png": gray() for n in names})
    pairs = open_pairs(zipped(tmp_path / "set"), "relative")
    data = make_data("relative")
    sources = SourceImages(archive, build_index(archive, 6, PIXELS), PIXELS)
    return type(data)(**vars(data) | {"pairs": pairs, "pair_subjects": list(names), "sources": sources})


def test_a_thermalizer_trained_with_eight_threads_is_the_one_trained_with_none(stored):
    first, second = (run(stored, steps=4, workers=workers) for workers in (0, 8))
    state, other = first.network.state_dict(), second.network.state_dict()
    assert all(torch.equal(state[name], other[name]) for name in state)
    assert first.losses.equals(second.losses)


@dataclass(frozen=True)
class Piece(TensorBatch):
    values: torch.Tensor


@pytest.mark.parametrize(("most_bytes", "ahead"), [(0, 1), (3 * 400, 3), (1 << 30, 8)])
def test_what_is_made_ahead_fits_the_memory(most_bytes, ahead):
    made = []

    def make(step):
        made.append(step)
        return (Piece(torch.full((100,), float(step))),)

    for step, (piece,) in enumerate(prefetch(make, range(20), 4, most_bytes)):
        assert piece.values[0] == step
        time.sleep(0.01)
        assert len(made) <= step + 1 + ahead
    assert sorted(made) == list(range(20))


def test_nothing_is_made_for_no_step():
    assert list(prefetch(None, range(3, 3), 4)) == []


def test_a_cache_keeps_to_its_budget_whoever_fills_it():
    @dataclass
    class Item:
        nbytes: int = 10

    ready = threading.Barrier(4)

    def prepare(key):
        ready.wait()  # all four threads are here before any has an item
        return Item()

    cache = MemoryCache(prepare, 25)
    threads = [threading.Thread(target=lambda key=key: [cache[key]]) for key in (1, 1, 2, 3)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(cache._items) == 2
    assert cache._left == 5


@pytest.mark.parametrize(
    ("threads", "processes", "beside_gpu", "expected"),
    [
        (8, 1, True, (1, 8)),
        (8, 4, True, (1, 2)),
        (8, 16, True, (1, 1)),
        (8, 1, False, (8, 0)),
        (8, 2, False, (4, 0)),
        (1, 2, False, (1, 0)),
    ],
)
def test_threads_are_shared_between_processes(threads, processes, beside_gpu, expected):
    computing, workers = share_threads(threads, processes, beside_gpu)
    assert (computing, workers) == expected
    assert processes > threads or processes * max(computing, workers) <= threads


def test_one_place_limits_torch_opencv_and_blas():
    before = torch.get_num_threads(), cv2.getNumThreads()
    pools = threadpool_limits(1, user_api="blas")
    try:
        limit_threads(3)
        assert (torch.get_num_threads(), cv2.getNumThreads()) == (3, 3)
        limit_threads(0)
        assert (torch.get_num_threads(), cv2.getNumThreads()) == (1, 1)
        assert {pool["num_threads"] for pool in threadpool_info() if pool["user_api"] == "blas"} == {1}
    finally:
        torch.set_num_threads(before[0])
        cv2.setNumThreads(before[1])
        pools.restore_original_limits()


def measured(shard=SINGLE_PROCESS, workers=0):
    settings, data = TrainingSettings.from_mapping(TINY), make_data()
    validation = Validation(settings, data, data.pairs, "float32", CPU, shard, workers)
    torch.manual_seed(0)
    network = ThermalUNet(settings.architecture((26.0, 26.0)), None, 30.0).train()
    errors = [validation.measure(network) for _ in range(2)]
    assert errors[0] == errors[1]
    assert network.training
    return errors[0]


def test_validation_crops_are_the_same_whoever_makes_them_and_whether_they_are_kept(monkeypatch):
    whole = measured()
    assert measured(workers=3) == whole
    parts = [measured(ProcessShard(rank, 2)) for rank in range(2)]
    assert parts[0] != parts[1]
    assert np.sqrt(np.mean(np.square(parts))) == pytest.approx(whole, rel=1e-5)
    monkeypatch.setattr(validation_module, "VALIDATION_BYTES", 0)
    assert measured() == whole


@pytest.mark.parametrize("rule", ["train_thermalizer", "train_landmarker"])
def test_what_a_training_keeps_fits_the_memory_of_its_rule(rule):
    """Both sets' caches, validation crops and their pairs, batches ahead and two in use, and torch with its CUDA."""
    asked = int(re.search(r"mem_mb=.*?(\d{4,})", rule_blocks()[rule])[1])
    kept = 2 * CACHE_BYTES + 2 * validation_module.VALIDATION_BYTES + PREFETCH_BYTES
    largest_batch = 512 * 3 * 224 * 224  # of the presets: landmarks_tfake2025, all of it in colour
    assert (kept + 2 * largest_batch) / 1e6 + 3000 <= asked
