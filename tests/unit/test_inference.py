"""A thermalizer's temperatures: exact ambient, and independence of everything but the image."""

import numpy as np
import pytest
import torch

from tfake.thermalizer.inference import Thermalizer
from tfake.thermalizer.thermal_unet import Architecture, ThermalUNet

AMBIENT = 19.37


pytestmark = pytest.mark.usefixtures("one_thread")


DEVICES = [
    "cpu",
    pytest.param(
        "cuda",
        marks=[
            pytest.mark.gpu,
            pytest.mark.skipif(not torch.cuda.is_available(), reason="torch sees no GPU"),
        ],
    ),
]


@pytest.fixture(scope="module", params=["float32", "bfloat16"])
def precision(request):
    return request.param


def build(device, precision):
    torch.manual_seed(0)
    network = ThermalUNet(Architecture("resnet18", (16, 8, 8), (10.0, 45.0)))
    return Thermalizer(network, torch.device(device), precision, "warm")


def samples(count, pixels=64, seed=0):
    rng = np.random.default_rng(seed)
    rgb = rng.integers(0, 256, (count, pixels, pixels, 3), dtype=np.uint8)
    classes = rng.integers(0, 19, (count, pixels, pixels), dtype=np.uint8)
    classes[:, :20] = 0
    classes[:, 30:34] = 255
    return rgb, classes


@pytest.mark.parametrize("device", DEVICES)
def test_an_image_does_not_feel_the_others(device, precision):
    thermalizer = build(device, precision)
    rgb, classes = samples(5)
    together = thermalizer.thermalize(rgb, classes, AMBIENT)
    for order in ([0], [3], [4, 0], [2, 1, 3, 0], [1, 1, 1]):
        np.testing.assert_array_equal(thermalizer.thermalize(rgb[order], classes[order], AMBIENT), together[order])
    many = np.resize(np.arange(5), 20)
    np.testing.assert_array_equal(thermalizer.thermalize(rgb[many], classes[many], AMBIENT), together[many])


def test_the_background_is_exactly_ambient(precision):
    rgb, classes = samples(2)
    celsius = build("cpu", precision).thermalize(rgb, classes, AMBIENT)
    assert celsius.dtype == np.float32
    assert celsius.shape == (2, 64, 64)
    assert (celsius[classes == 0] == np.float32(AMBIENT)).all()
    assert (celsius[classes != 0] != np.float32(AMBIENT)).mean() > 0.99


def test_the_sources_background_is_never_seen(precision):
    thermalizer = build("cpu", precision)
    rgb, classes = samples(1)
    repainted = rgb.copy()
    repainted[classes == 0] = 255
    expected = thermalizer.thermalize(rgb, classes, AMBIENT)
    np.testing.assert_array_equal(thermalizer.thermalize(repainted, classes, AMBIENT), expected)


def test_the_inputs_are_left_alone(precision):
    rgb, classes = samples(1)
    before = rgb.copy(), classes.copy()
    build("cpu", precision).thermalize(rgb, classes, AMBIENT)
    np.testing.assert_array_equal(rgb, before[0])
    np.testing.assert_array_equal(classes, before[1])


@pytest.mark.parametrize(("height", "width"), [(50, 64), (33, 41)])
def test_any_size_will_do(height, width):
    rgb, classes = samples(1)
    celsius = build("cpu", "float32").thermalize(rgb[:, :height, :width], classes[:, :height, :width], AMBIENT)
    assert celsius.shape == (1, height, width)
    assert np.isfinite(celsius).all()


def test_no_image_gives_no_image():
    rgb, classes = samples(1)
    assert build("cpu", "float32").thermalize(rgb[:0], classes[:0], AMBIENT).shape == (0, 64, 64)


def test_temperatures_are_finer_than_a_count(precision):
    rgb, classes = samples(1)
    celsius = build("cpu", precision).thermalize(rgb, np.ones_like(classes), AMBIENT)
    assert np.diff(np.unique(celsius)).min() < 0.01


@pytest.mark.parametrize(
    ("edit", "message"),
    [
        (lambda rgb, classes: (rgb.astype(np.float32), classes, AMBIENT), "uint8"),
        (lambda rgb, classes: (rgb[0], classes[0], AMBIENT), r"\(B, H, W, 3\)"),
        (lambda rgb, classes: (rgb.transpose(0, 3, 1, 2), classes, AMBIENT), r"\(B, H, W, 3\)"),
        (lambda rgb, classes: (rgb, classes[:, :-1], AMBIENT), "as rgb"),
        (lambda rgb, classes: (rgb, classes.astype(np.int64), AMBIENT), "int64"),
        (lambda rgb, classes: (rgb, classes, float("nan")), "ambient_celsius"),
    ],
)
def test_wrong_inputs_are_named(edit, message):
    with pytest.raises(ValueError, match=message):
        build("cpu", "float32").thermalize(*edit(*samples(1)))


def test_images_that_come_one_by_one_fill_whole_batches(monkeypatch):
    thermalizer = build("cpu", "float32")
    thermalizer.batch_images = 4
    rgb, classes = samples(6)
    sizes, start = [], thermalizer.start

    def counted(masked, *rest):
        sizes.append(len(masked))
        return start(masked, *rest)

    monkeypatch.setattr(thermalizer, "start", counted)
    found = list(thermalizer.thermalize_each(zip(rgb, classes, strict=True), AMBIENT))
    assert sizes == [4, 2]
    np.testing.assert_array_equal(np.stack(found), thermalizer.thermalize(rgb, classes, AMBIENT))
    assert list(thermalizer.thermalize_each([], AMBIENT)) == []
