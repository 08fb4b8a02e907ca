"""The thermalizer's network: its bound, its precision, and clear words where it cannot be built."""

from dataclasses import replace

import pytest
import segmentation_models_pytorch as smp
import torch
from torch import nn

from tfake.core.classes import FaceClass
from tfake.thermalizer.thermal_unet import Architecture, ClassOffset, ThermalUNet
from tfake.training.training_settings import autocast_body, resolve_precision

SMALL = Architecture("resnet18", (16, 8, 8), (10.0, 45.0))
CPU = torch.device("cpu")


pytestmark = pytest.mark.usefixtures("one_thread")


@pytest.fixture(scope="module")
def network():
    torch.manual_seed(0)
    return ThermalUNet(SMALL).eval()


def images(count=1, pixels=64):
    return torch.randint(
        0, 256, (count, 3, pixels, pixels), dtype=torch.uint8, generator=torch.Generator().manual_seed(0)
    )


@torch.no_grad()
def test_the_output_is_bounded_float32_degrees(network):
    celsius = network(images(2))
    assert celsius.shape == (2, 1, 64, 64)
    assert celsius.dtype == torch.float32
    network.head[0].bias.data += 1000
    assert network(images()).max().item() <= 45
    network.head[0].bias.data -= 2000
    assert network(images()).min().item() >= 10
    network.head[0].bias.data += 1000


@torch.no_grad()
def test_the_head_is_float32_whatever_the_body_is(network):
    body = autocast_body("bfloat16", CPU)
    fast = network(images(), body_precision=body)
    assert fast.dtype == torch.float32
    # A bfloat16 logit would leave some hundred distinct values over the whole range, tenths of a kelvin apart.
    assert len(fast.unique()) > 3000
    assert (fast - network(images())).abs().mean() < 0.1
    with torch.autocast("cpu", torch.bfloat16):
        assert network(images()).dtype == torch.float32


@torch.no_grad()
def test_the_untrained_network_starts_at_the_given_temperature():
    torch.manual_seed(0)
    network = ThermalUNet(SMALL, initial_celsius=33.0)
    network.head[0].weight.zero_()
    torch.testing.assert_close(network(images()), torch.full((1, 1, 64, 64), 33.0))


def test_weights_lie_in_channels_last(network):
    convolution = network.body.encoder.layer1[0].conv1.weight
    assert convolution.is_contiguous(memory_format=torch.channels_last)


@pytest.mark.parametrize("depth", [3, 4, 5])
def test_the_decoder_sets_the_depth(depth):
    network = ThermalUNet(Architecture("resnet18", (8,) * depth, (10.0, 45.0)))
    assert network.stride == 2**depth


@pytest.mark.parametrize(
    ("architecture", "message"),
    [
        (Architecture("resnet1", (16, 8, 8), (10.0, 45.0)), "resnet1"),
        (Architecture("tu-nothing", (16, 8, 8), (10.0, 45.0)), "tu-nothing"),
        (Architecture("resnet18", (16, 8, 8), (45.0, 10.0)), "output_celsius"),
    ],
)
def test_what_cannot_be_built_is_named(architecture, message):
    with pytest.raises(ValueError, match=message):
        ThermalUNet(architecture)


def test_an_initial_temperature_outside_the_range_is_refused():
    with pytest.raises(ValueError, match=r"50.*outside|50.*not inside"):
        ThermalUNet(SMALL, initial_celsius=50.0)


def test_weights_that_cannot_be_fetched_are_explained(monkeypatch):
    def unreachable(**kwargs):
        raise OSError("no route to host")

    monkeypatch.setattr(smp, "Unet", unreachable)
    with pytest.raises(RuntimeError, match=r"imagenet.*resnet18.*no route to host.*encoder_weights: null"):
        ThermalUNet(SMALL, encoder_weights="imagenet")


def test_precision_names():
    assert resolve_precision("float32", CPU) == "float32"
    assert resolve_precision("bfloat16", CPU) == "bfloat16"
    assert resolve_precision("auto", CPU) in ("float32", "bfloat16")
    with pytest.raises(ValueError, match="float16"):
        resolve_precision("float16", CPU)


@torch.no_grad()
def test_the_class_map_shifts_the_temperature_near_its_class_alone(network):
    rgb = images()
    classes = torch.full((1, 64, 64), FaceClass.IGNORE, dtype=torch.uint8)
    plain = network(rgb)
    torch.testing.assert_close(network(rgb, classes), plain, rtol=0, atol=0)
    classes[:, 20:40, 20:40] = FaceClass.HAIR
    torch.testing.assert_close(network(rgb, classes), plain, rtol=0, atol=0)  # untrained: no offset yet
    network.offset.weight[0, FaceClass.HAIR] = 0.02
    change = (network(rgb, classes) - plain)[0, 0]
    reach = network.offset.kernel_size[0] // 2
    inside = torch.zeros(64, 64, dtype=torch.bool)
    inside[20 - reach : 40 + reach, 20 - reach : 40 + reach] = True
    assert (change[inside] > 0).all()
    assert (change[~inside] == 0).all()
    network.offset.weight.zero_()


@pytest.mark.parametrize("takes_ambient", [False, True])
def test_the_class_offset_is_the_plain_convolution_of_the_indicators(takes_ambient):
    torch.manual_seed(1)
    offset = ClassOffset(takes_ambient)
    nn.init.normal_(offset.weight)
    classes = torch.randint(0, 19, (2, 6, 5), dtype=torch.uint8).repeat_interleave(5, 1).repeat_interleave(6, 2)
    classes[:, 8:13, 9:20] = FaceClass.IGNORE
    room = torch.tensor([-0.5, 1.5]) if takes_ambient else None
    indicators = nn.functional.one_hot(classes.long().clamp(max=19), 20)[..., :19].permute(0, 3, 1, 2).float()
    if takes_ambient:
        indicators = torch.cat((indicators, indicators * room[:, None, None, None]), 1)
    expected = nn.functional.conv2d(indicators, offset.weight, padding=3)
    found = offset(classes, room)
    assert found.shape == (2, 1, 30, 30)
    torch.testing.assert_close(found, expected)
    weigh = torch.randn_like(expected)
    gradients = [torch.autograd.grad((each * weigh).sum(), offset.weight)[0] for each in (found, expected)]
    torch.testing.assert_close(*gradients, rtol=1e-4, atol=1e-4)


@torch.no_grad()
def test_without_class_offset_the_class_map_is_not_looked_at():
    network = ThermalUNet(replace(SMALL, class_offset=False)).eval()
    classes = torch.full((1, 64, 64), FaceClass.HAIR, dtype=torch.uint8)
    torch.testing.assert_close(network(images(), classes), network(images()), rtol=0, atol=0)
    assert not any(name.startswith("offset") for name in network.state_dict())


def test_a_network_for_several_rooms_feels_the_room_and_begins_without_feeling_it():
    torch.manual_seed(0)
    network = ThermalUNet(replace(SMALL, ambient_celsius=(12.0, 30.0))).eval()
    rooms = torch.tensor([12.0, 21.0])
    pair = network(images().expand(2, -1, -1, -1), torch.ones(2, 64, 64, dtype=torch.uint8), rooms)
    torch.testing.assert_close(pair[0], pair[1])
    with torch.no_grad():
        network.film.layers[-1].bias.normal_()
        network.film.layers[-1].weight.normal_()
    pair = network(images().expand(2, -1, -1, -1), None, rooms)
    assert (pair[0] - pair[1]).abs().max() > 0.01
    # With the class map, steps that the room multiplies: nil in the middle of the rooms.
    with torch.no_grad():
        network.offset.weight[:, 19:] = 1.0
    ones = torch.ones(1, 64, 64, dtype=torch.uint8)
    middle, cold = (network(images(), ones, torch.tensor([room])) for room in (21.0, 12.0))
    without = network(images(), None, torch.tensor([21.0]))
    torch.testing.assert_close(middle, without)
    assert (cold < middle).all()
