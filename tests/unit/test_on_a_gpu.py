"""Every preset on a GPU that is made up: no tensor on the wrong device, nothing that waits for the card in a step."""

from collections import Counter
from contextlib import nullcontext
from dataclasses import replace

import numpy as np
import pytest
import torch

from fake_gpu import GPU, fake_gpu
from presets import LANDMARKERS, THERMALIZERS
from tfake.landmarks.crop_sampling import LandmarkBatch
from tfake.landmarks.landmark_network import LandmarkNetwork
from tfake.landmarks.landmark_training import LandmarkTrainState
from tfake.landmarks.network_finder import NetworkFinder
from tfake.landmarks.point_finder import predict
from tfake.landmarks.search import find_windows
from tfake.thermalizer.inference import GPU_BATCH_IMAGES, Thermalizer
from tfake.thermalizer.pair_sampling import PairBatch, SourceBatch, StepDraws
from tfake.thermalizer.thermal_unet import ThermalUNet
from tfake.thermalizer.thermalizer_training import ThermalizerTrainState
from tfake.training.loading import pin_batches, prefetch_to_device
from tfake.training.loop import RunControl, run_steps
from tfake.training.training_settings import resolve_precision
from tiny_training import make_bank, make_data

CPU = torch.device("cpu")
STEPS = 3
# Operations of a step at most.
THERMALIZER_KERNELS, LANDMARK_KERNELS = 1650, 1150
DRAWS_BYTES = 1 << 17


def thermal_batches(settings):
    pairs, sources, pixels = settings.batch_pairs, settings.batch_sources, settings.image_pixels
    scales, count = len(settings.patch_scales), settings.patches

    def image(crops, channels, dtype):
        return torch.empty(crops, channels, pixels, pixels, dtype=dtype)

    return (
        PairBatch(
            image(pairs, 3, torch.uint8),
            image(pairs, 1, torch.float32),
            image(pairs, 1, torch.bool),
            image(pairs, 1, torch.bool),
            image(pairs, 1, torch.uint8)[:, 0],
            torch.empty(pairs),
            image(pairs, 1, torch.float32),
        ),
        SourceBatch(
            image(sources, 3, torch.uint8),
            image(sources, 1, torch.uint8)[:, 0],
            torch.empty(sources),
            torch.empty(sources, dtype=torch.bool),
            image(sources, 1, torch.float32),
            image(sources, 1, torch.float32),
            torch.ones(sources),
        ),
        StepDraws(
            torch.empty(sources, 19),
            torch.empty(scales, count, dtype=torch.int64),
            torch.empty(scales, count, dtype=torch.float64),
        ),
    )


def landmark_batches(settings, landmarks=70):
    crops, pixels = settings.batch, settings.image_pixels
    colour = crops // 2
    return (
        LandmarkBatch(
            torch.empty(colour, 3, pixels, pixels, dtype=torch.uint8),
            torch.empty(crops - colour, 1, pixels, pixels, dtype=torch.float16),
            torch.empty(crops, landmarks, 2),
            torch.empty(crops, landmarks),
            torch.empty(crops, dtype=torch.bool),
        ),
    )


def two_more_steps(settings, run, batches, watch):
    """What the second and the third step ask for, through the trainings' own loop."""
    settings = replace(settings, steps=1, validate_every=0, patience=0)
    run_steps(run, settings, lambda _: batches, None, RunControl(GPU))
    watch.clear()
    run_steps(run, replace(settings, steps=STEPS), lambda _: batches, None, RunControl(GPU))
    size = sum(t.numel() * t.element_size() for part in batches for t in vars(part).values())
    return size, watch


@pytest.mark.parametrize("values", ["celsius", "relative"])
@pytest.mark.parametrize("name", THERMALIZERS)
def test_a_thermalizer_s_step(name, values, monkeypatch):
    settings = THERMALIZERS[name]
    bank = make_bank(settings.patch_scales, values)
    data = make_data(values, "absolute", (20.0, 26.0), bank)
    network = ThermalUNet(settings.architecture((20.0, 26.0)))
    monkeypatch.setattr("tfake.thermalizer.thermalizer_training.ThermalUNet", lambda *_: network)
    with fake_gpu(monkeypatch) as watch:
        run = ThermalizerTrainState(settings, data, resolve_precision("auto", GPU), GPU)
        assert {p.device for p in run.network.parameters()} == {GPU}
        size, found = two_more_steps(settings, run, thermal_batches(settings), watch)
    steps = STEPS - 1
    # Once for the diameters of the clouds; the numbers of each step are read when the next one is under way.
    assert found.waits == Counter({"tolist": steps, "event": steps})
    assert found.kernels <= THERMALIZER_KERNELS * steps
    # The count of averaged steps, which torch keeps on the host.
    assert found.unpinned <= (16 * steps if settings.ema_decay else 0)
    assert size * steps <= found.sent <= (size + DRAWS_BYTES) * steps
    assert found.received <= 100 * steps


@pytest.mark.parametrize("name", LANDMARKERS)
def test_a_landmark_network_s_step(name, monkeypatch):
    settings = LANDMARKERS[name]
    network = LandmarkNetwork(settings.architecture(70))
    monkeypatch.setattr("tfake.landmarks.landmark_training.LandmarkNetwork", lambda *_: network)
    with fake_gpu(monkeypatch) as watch:
        run = LandmarkTrainState(settings, 70, resolve_precision("auto", GPU), GPU)
        size, found = two_more_steps(settings, run, landmark_batches(settings), watch)
    steps = STEPS - 1
    assert found.waits == Counter({"event": steps})
    assert found.kernels <= LANDMARK_KERNELS * steps
    assert (found.unpinned, found.sent) == (0, size * steps)
    assert found.received <= 100 * steps


@pytest.mark.parametrize("name", THERMALIZERS)
def test_thermalizing(name, monkeypatch):
    """A batch goes to the card and comes back without anybody waiting before the temperatures are asked for."""
    network = ThermalUNet(THERMALIZERS[name].architecture((20.0, 26.0)))
    with fake_gpu(monkeypatch) as watch:
        thermalizer = Thermalizer(network, GPU)
        assert thermalizer.precision == "bfloat16"
        watch.clear()
        images, classes = np.zeros((3, 70, 64, 3), np.uint8), np.zeros((3, 70, 64), np.uint8)
        collect = thermalizer.start(images, classes, 23.0)
        assert not watch.waits
        assert watch.unpinned == 0
        assert collect().shape == (3, 70, 64)
        assert watch.waits == Counter({"event": 1})
        pixels = GPU_BATCH_IMAGES * (70 + -70 % network.stride) * 64
        assert (watch.sent, watch.received) == (4 * pixels, 4 * pixels)


@pytest.mark.parametrize("name", LANDMARKERS)
def test_finding_landmarks(name, monkeypatch):
    network = LandmarkNetwork(LANDMARKERS[name].architecture(70)).eval()
    pixels = network.architecture.image_pixels
    with fake_gpu(monkeypatch) as watch:
        network.to(GPU)
        watch.clear()
        finder = NetworkFinder(network, GPU)
        assert predict(finder, np.empty((5, 3, pixels, pixels), np.float32)).shape == (5, 70, 3)
        assert watch.waits == Counter({"copy to the host": 1})
        find_windows(finder, np.zeros((pixels, pixels + 32, 3), np.float32), 2.0, True)
        assert watch.sent > 0


def test_a_state_of_the_cpu_goes_on_on_a_gpu_and_back(monkeypatch):
    settings = replace(LANDMARKERS["default"], ema_decay=0.5, precision="float32", batch=4)
    torch.manual_seed(0)
    on_cpu = LandmarkTrainState(settings, 70, "float32", CPU)
    (batch,) = landmark_batches(settings)
    on_cpu.step(LandmarkBatch(*(torch.ones_like(tensor) for tensor in vars(batch).values())))
    state = on_cpu.state_dict()
    seeds, states = [], []
    monkeypatch.setattr(torch.cuda, "device", lambda _: nullcontext())
    monkeypatch.setattr(torch.cuda, "manual_seed", seeds.append)
    monkeypatch.setattr(torch.cuda, "set_rng_state", lambda state, device: states.append(state))
    monkeypatch.setattr(torch.cuda, "get_rng_state", lambda device: "the card's")
    network = LandmarkNetwork(settings.architecture(70))
    monkeypatch.setattr("tfake.landmarks.landmark_training.LandmarkNetwork", lambda *_: network)
    with fake_gpu(monkeypatch):
        on_gpu = LandmarkTrainState(settings, 70, "float32", GPU)
        on_gpu.load_state_dict(state)
        assert on_gpu.next_step == 1
        assert {value.device for value in on_gpu.network.state_dict().values()} == {GPU}
        on_gpu.step(*(part.to(GPU) for part in landmark_batches(settings)))
        moments = [value for entry in on_gpu._optimisation.optimiser.state.values() for value in entry.values()]
        assert {value.device for value in moments if value.ndim} == {GPU}
        again = on_gpu.state_dict()
        on_gpu.load_state_dict(again)
    assert len(seeds) == 1
    assert states == ["the card's"]
    # Back, as a checkpoint is read: on the CPU.
    network = LandmarkNetwork(settings.architecture(70))
    back = LandmarkTrainState(settings, 70, "float32", CPU)
    back.load_state_dict({**state, "chance": (state["chance"][0], "the card's")})
    assert back.next_step == 1


@pytest.mark.parametrize("name", THERMALIZERS)
def test_a_thermalizer_compiles_without_a_break(name):
    network = ThermalUNet(THERMALIZERS[name].architecture((20.0, 26.0)))
    image, classes = (torch.zeros(2, *shape, dtype=torch.uint8) for shape in ((3, 64, 64), (64, 64)))
    assert torch._dynamo.explain(network)(image, classes, torch.tensor([22.0, 23.0])).graph_break_count == 0


@pytest.mark.parametrize("name", LANDMARKERS)
def test_a_landmark_network_compiles_without_a_break(name):
    network = LandmarkNetwork(LANDMARKERS[name].architecture(70))
    assert torch._dynamo.explain(network)(torch.zeros(2, 3, 64, 64)).graph_break_count == 0


@pytest.mark.parametrize("steps", [0, 1, 4])
def test_batches_arrive_in_order_each_sent_while_the_one_before_is_used(steps, monkeypatch):
    made, used = [], []

    def make(step):
        made.append(step)
        return (StepDraws(torch.empty(step + 1, 19), torch.empty(1, 1), torch.empty(1, 1)),)

    with fake_gpu(monkeypatch):
        for (part,) in prefetch_to_device(map(pin_batches(make, GPU), range(steps)), GPU):
            assert {tensor.device for tensor in vars(part).values()} == {GPU}
            used.append(len(part.targets) - 1)
            assert len(made) == min(steps, len(used) + 1)
    assert used == list(range(steps))
