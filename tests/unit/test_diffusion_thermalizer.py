"""The diffusion thermalizer: what it draws, what it draws it from, its files and its training."""

from dataclasses import replace

import numpy as np
import pytest
import torch

from tfake.core.classes import FaceClass
from tfake.thermalizer.inference import Thermalizer
from tfake.thermalizer.thermal_diffusion import ThermalDenoiser, ThermalDiffusion
from tfake.thermalizer.thermalizer_file import import_weights, load_thermalizer, save_weights
from tfake.thermalizer.thermalizer_kinds import KINDS
from tfake.training.loop import TrainingStoppedError
from tfake.training.weights_file import CheckpointFile
from tiny_diffusion import ARCHITECTURE, make_diffusion, run_diffusion
from tiny_training import CPU, TARGETS, make_data, samples

pytestmark = pytest.mark.usefixtures("one_thread")
ROOM = 26.0
FOREGROUND = (1, 15)


def images(count=3, pixels=40):
    rgb, classes = zip(*samples(count, pixels), strict=True)
    return np.stack(rgb), np.stack(classes)


def test_an_image_is_drawn_from_its_id_whatever_is_beside_it():
    thermalizer = Thermalizer(make_diffusion(), CPU, "float32")
    rgb, classes = images()
    rgb[1], classes[1] = rgb[0], classes[0]
    together = thermalizer.thermalize(rgb, classes, ROOM, image_ids=["a", "b", "c"])
    alone = thermalizer.thermalize(rgb[2:], classes[2:], ROOM, image_ids=["c"])
    np.testing.assert_array_equal(together[2:], alone)
    skin = classes[0] == FaceClass.SKIN
    # The same picture under two ids is two draws, unlike at every pixel; without ids it is one.
    assert np.abs(together[0] - together[1])[skin].mean() > 0.1
    without = thermalizer.thermalize(rgb, classes, ROOM)
    np.testing.assert_array_equal(without[0], without[1])


def test_another_room_is_the_same_draw_and_another_seed_another():
    rgb, classes = images(1)
    skin = classes == FaceClass.SKIN
    network = make_diffusion()

    def draw(room=ROOM, seed=0):
        drawn = ThermalDiffusion(replace(network.architecture, sampling_seed=seed), network.denoiser)
        return Thermalizer(drawn, CPU, "float32").thermalize(rgb, classes, room, image_ids=["a"])[skin]

    there, here, other = draw(ROOM + 1), draw(), draw(seed=1)
    assert np.corrcoef(there, here)[0, 1] > 0.95
    assert np.corrcoef(there, other)[0, 1] < 0.7


def test_images_of_any_size_are_padded_to_the_stride():
    thermalizer = Thermalizer(make_diffusion(block_channels=(8, 8, 8)), CPU, "float32")
    rgb, classes = images(1, 37)
    assert thermalizer.network.stride == 4
    assert thermalizer.thermalize(rgb, classes, ROOM).shape == (1, 37, 37)


def test_the_base_image_is_the_field_where_it_is_known_and_the_table_elsewhere():
    network = make_diffusion(heat_field=True).denoiser
    rgb, classes = images(2)
    field = np.full(classes.shape, np.nan, np.float32)
    field[1, :20] = 31.25
    given = (torch.from_numpy(rgb).permute(0, 3, 1, 2), torch.from_numpy(classes), torch.full((2,), ROOM))
    base = network.conditions(*given, torch.from_numpy(field)[:, None]).base[:, 0].numpy()
    np.testing.assert_allclose(base[0], TARGETS[classes[0]], atol=1e-4)
    np.testing.assert_array_equal(base[1, :20], 31.25)
    np.testing.assert_allclose(base[1, 20:], TARGETS[classes[1, 20:]], atol=1e-4)
    without = make_diffusion().denoiser.conditions(*given, torch.from_numpy(field)[:, None])
    np.testing.assert_allclose(without.base[1, 0].numpy(), TARGETS[classes[1]], atol=1e-4)
    unknown = network.conditions(given[0], None, given[2], None)
    np.testing.assert_allclose(unknown.base.numpy(), TARGETS[1:].mean(), atol=1e-4)
    assert unknown.inside.all()


def test_what_lies_in_the_background_of_a_path_is_not_seen():
    network = make_diffusion().denoiser
    rgb, classes = images(1)
    classes[:, :10] = 0
    given = (torch.from_numpy(rgb).permute(0, 3, 1, 2), torch.from_numpy(classes), torch.full((1,), ROOM), None)
    _, planes, inside = network.conditions(*given)
    noisy, times = torch.randn(1, 1, 40, 40), torch.tensor([0.5])
    other = torch.where(inside, noisy, 100.0)
    assert torch.equal(network(noisy, times, planes, inside), network(other, times, planes, inside))
    assert not torch.equal(network(noisy, times, planes, inside), network(noisy + 1, times, planes, inside))


def test_temperatures_stay_within_the_network_s_range():
    rgb, classes = images(1)
    celsius = Thermalizer(make_diffusion(output_celsius=(34.0, 34.5)), CPU, "float32").thermalize(rgb, classes, ROOM)
    shown = celsius[classes > 0]
    assert (shown.min(), shown.max()) == (34.0, 34.5)


def test_channels_must_make_whole_groups():
    with pytest.raises(ValueError, match="multiples of 8; found 12"):
        ThermalDenoiser(replace(ARCHITECTURE, block_channels=(8, 12)))


def test_a_file_gives_the_same_network_back(tmp_path):
    network = make_diffusion(heat_field=True)
    digest = save_weights(tmp_path / "w.pt", network, "warm")
    assert save_weights(tmp_path / "again.pt", network, "warm") == digest
    loaded = load_thermalizer(tmp_path / "w.pt", CPU, "float32")
    assert (loaded.network.architecture, loaded.condition) == (network.architecture, "warm")
    rgb, classes = images()
    expected = Thermalizer(network, CPU, "float32").thermalize(rgb, classes, ROOM)
    np.testing.assert_array_equal(loaded.thermalize(rgb, classes, ROOM), expected)
    # One that was trained elsewhere is taken as it is, for a condition of another name.
    _, origin = import_weights(tmp_path / "own.pt", tmp_path / "w.pt", "mine")
    assert origin == {"kind": KINDS["diffusion"].format}
    taken = load_thermalizer(tmp_path / "own.pt", CPU, "float32")
    assert taken.condition == "mine"
    np.testing.assert_array_equal(taken.thermalize(rgb, classes, ROOM), expected)


def test_other_files_are_refused_in_clear_words(tmp_path):
    network = make_diffusion()
    payload = {"format": KINDS["diffusion"].format, "condition": "warm", **vars(network.architecture)}
    torch.save({**payload, "tensors": {}}, tmp_path / "empty.pt")
    with pytest.raises(ValueError, match=r"empty\.pt: the tensors do not fit the architecture"):
        load_thermalizer(tmp_path / "empty.pt", CPU)
    torch.save({**payload, "format": "tfake-landmarks-9"}, tmp_path / "other.pt")
    with pytest.raises(ValueError, match=r"expected the format 'tfake-thermalizer-2' or 'tfake-thermal-diffusion-1'"):
        load_thermalizer(tmp_path / "other.pt", CPU)


def test_without_its_packages_a_kind_says_which_it_needs(monkeypatch):
    monkeypatch.setitem(KINDS, "diffusion", replace(KINDS["diffusion"], network="absent_package.module:Name"))
    with pytest.raises(ValueError, match="'diffusion' needs the package absent_package"):
        KINDS["diffusion"].load("network")


def test_one_seed_gives_one_network_and_every_step_is_recorded(tmp_path):
    trained = [run_diffusion(seed=seed) for seed in (1, 1, 2)]
    digests = [save_weights(tmp_path / f"{n}.pt", run.network, "warm") for n, run in enumerate(trained)]
    assert digests[0] == digests[1] != digests[2]
    losses = trained[0].losses
    assert losses.columns.tolist() == ["step", *KINDS["diffusion"].column_labels(), *losses.columns[4:]]
    np.testing.assert_allclose(losses["total"], losses["flow"] + 0.1 * losses["prior"], rtol=1e-5)
    assert losses["validation"].notna().tolist() == [False, True, True]
    assert (losses[["flow", "gradient_norm"]] > 0).all(axis=None)
    # An untrained network gives the base image, which the prior is content with.
    assert losses["prior"].tolist() == pytest.approx([0, *losses["prior"][1:]], abs=1e-8)
    assert losses["prior"].iloc[-1] > 0


def test_a_stopped_run_goes_on_to_the_very_same_network(tmp_path):
    whole = run_diffusion(ema_decay=0.5)
    checkpoint = CheckpointFile(tmp_path / "c.pt", "run")
    with pytest.raises(TrainingStoppedError):
        run_diffusion(checkpoint=checkpoint, is_stopping=lambda: True, ema_decay=0.5)
    resumed = run_diffusion(checkpoint=checkpoint, ema_decay=0.5)
    for name, tensor in whole.network.state_dict().items():
        assert torch.equal(resumed.network.state_dict()[name], tensor), name
    assert resumed.losses.equals(whole.losses)


@pytest.mark.parametrize("supervision", ["absolute", "within_class"])
def test_it_learns_what_pairs_show_and_within_classes_no_more_than_that(supervision):
    """All pairs are 1.5 K warmer than the table: absolute pairs teach that, pairs of another room leave it out."""
    data = make_data(supervision=supervision)
    for pair in data.pairs:
        pair.thermal[:] += 1.5
    changes = {"steps": 40, "learning_rate": 1e-2, "batch_pairs": 4, "weight_prior": 0.0, "validate_every": 0}
    trained = run_diffusion(data, **changes, ema_decay=0.0)
    rgb, classes = images(2, 64)
    celsius = Thermalizer(trained.network, CPU, "float32").thermalize(rgb, classes, ROOM)
    shift = np.mean([(celsius - TARGETS[classes])[classes == face_class].mean() for face_class in FOREGROUND])
    assert shift == pytest.approx(1.5 if supervision == "absolute" else 0, abs=0.35)


def test_the_prior_holds_the_mean_of_what_is_drawn():
    """Pairs are 3 K too warm; with a heavy prior on sources, less of that is left."""
    data = make_data()
    for pair in data.pairs:
        pair.thermal[:] += 3.0
    changes = {"steps": 20, "learning_rate": 1e-2, "validate_every": 0, "ema_decay": 0.0}
    free, held = (run_diffusion(data, **changes, weight_prior=weight).losses for weight in (0.0, 100.0))
    assert held["prior"].tail(5).mean() < 0.5 * free["prior"].tail(5).mean()


def test_relative_pairs_are_refused():
    with pytest.raises(ValueError, match="expected pairs in 'celsius', found 'relative'"):
        run_diffusion(make_data("relative"))
