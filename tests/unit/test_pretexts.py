"""Pretexts: their losses in closed form, views that say the truth, and tasks that can be learnt."""

from typing import get_args

import cv2
import numpy as np
import pytest
import torch

from tfake.config.models_pretraining import PretextName
from tfake.imaging.crops import build_pyramid
from tfake.pretraining.dense_contrast import contrast, draw_places, read_places
from tfake.pretraining.five_points import draw_points
from tfake.pretraining.masked_prediction import MaskedPredictionHead, draw_masked
from tfake.pretraining.pretext import Encoder, Views
from tfake.pretraining.pretraining_views import PretrainingImage, ViewSettings, draw_crop, to_crop
from tfake.pretraining.registry import PRETEXTS
from tfake.pretraining.rotation import accuracy, draw_turned
from tfake.pretraining.vicreg import vicreg_terms

pytestmark = pytest.mark.usefixtures("one_thread")
PLAIN = ViewSettings(32, (0.6, 1.0), 0.0, 0.0)
TURNED = ViewSettings(32, (0.6, 1.6), 20.0, 0.0)


def image(celsius=None, region=(20.0, 20.0, 75.0, 75.0), **others):
    if celsius is None:
        celsius = np.random.default_rng(0).uniform(22, 38, (96, 96)).astype(np.float32)
    return PretrainingImage(celsius.shape, region, lambda: build_pyramid(celsius), **others)


def ramps(pixels=96):
    """Columns in the first of two pictures, rows in the second, as temperatures of 20 to 40."""
    steps = np.linspace(20, 40, pixels, dtype=np.float32)
    return np.tile(steps, (pixels, 1)), np.tile(steps[:, None], (1, pixels))


def test_pictures_without_points_count_for_nothing_and_alone_have_no_percentage():
    encoder = Encoder("resnet10t", stretches=False).eval()
    head = PRETEXTS["five_points"].make_head(encoder, 0)
    views = torch.rand(3, 1, 32, 32)
    points = torch.full((3, 5, 2), 0.4)
    loss, percent = head(encoder, Views(view=views, points=points, known=torch.tensor([1.0, 0.0, 1.0])))
    alone = head(encoder, Views(view=views[::2], points=points[::2], known=torch.ones(2)))
    assert (loss.item(), percent.item()) == pytest.approx((alone[0].item(), alone[1].item()), rel=1e-4)
    loss, percent = head(encoder, Views(view=views, points=points, known=torch.zeros(3)))
    assert loss.item() == 0
    assert torch.isnan(percent)


def test_vicreg_of_equal_independent_unit_embeddings_is_nothing():
    unit = torch.tensor([[1.0, 1.0], [1.0, -1.0], [-1.0, 1.0], [-1.0, -1.0]]) * 2
    assert [float(term) for term in vicreg_terms(unit, unit)] == [0.0, 0.0, 0.0]


def test_vicreg_by_hand():
    first = torch.tensor([[0.0, 0.0], [1.0, 1.0], [2.0, 2.0]])
    second = torch.zeros(3, 2)
    invariance, variance, covariance = map(float, vicreg_terms(first, second))
    assert invariance == pytest.approx((1 + 4) / 3)
    # The one has a standard deviation of 1, the other has collapsed: sqrt(1e-4).
    assert variance == pytest.approx((0 + 1 - 0.01) / 2)
    # Var = Cov = 1: two elements off the diagonal, over d = 2, of one of two views.
    assert covariance == pytest.approx(2 / 2 / 2)


def test_vicreg_has_a_gradient():
    pair = [torch.randn(5, 3, dtype=torch.float64, requires_grad=True) for _ in range(2)]
    assert torch.autograd.gradcheck(lambda *views: sum(vicreg_terms(*views)), pair)


def test_contrast_by_hand():
    places = torch.eye(3)
    loss, told = contrast(places, places, torch.ones(3), temperature=1.0)
    assert float(loss) == pytest.approx(float(np.log(np.e + 2) - 1))
    assert told == 1
    loss, told = contrast(places, places.roll(1, 0), torch.ones(3), temperature=1.0)
    assert float(loss) == pytest.approx(float(np.log(np.e + 2)))
    assert told == 0


def test_places_that_only_one_view_has_do_not_count():
    places = torch.eye(3)
    loss, told = contrast(places, places, torch.tensor([1.0, 1.0, 0.0]), temperature=1.0)
    assert float(loss) == pytest.approx(float(np.log(np.e + 1) - 1))
    assert told == 1
    none = contrast(places, places, torch.zeros(3))
    assert [float(term) for term in none] == [0.0, 0.0]


def test_features_are_read_between_the_middles_of_their_cells():
    maps = torch.zeros(1, 2, 1, 4)
    maps[0, 0], maps[0, 1] = torch.tensor([0.0, 1.0, 2.0, 3.0]), 1.0
    places = torch.tensor([[[1.5 / 4, 0.5], [2.0 / 4, 0.5]]])
    found = read_places(maps, places)
    expected = torch.nn.functional.normalize(torch.tensor([[1.0, 1.0], [1.5, 1.0]]), dim=1)
    torch.testing.assert_close(found[0], expected)


@pytest.mark.parametrize("seed", range(8))
def test_a_place_shows_the_same_temperature_in_both_views(seed):
    for picture in ramps():
        views = draw_places(image(picture), np.random.default_rng(seed), TURNED)
        inside = views["inside"] > 0
        shown = []
        for name, places in zip(("first", "second"), views["places"], strict=True):
            at = (32 * places[inside] - 0.5).astype(np.float32)
            sampled = cv2.remap(views[name][0].astype(np.float32), at[:, :1], at[:, 1:], cv2.INTER_LINEAR)
            # Nearer to the edge than half a pixel there is nothing to interpolate, beyond the picture its edge.
            shown.append(np.where((np.abs(at - 15.5) < 14).all(1), sampled[:, 0], np.nan))
        both = np.isfinite(shown).all(0)
        np.testing.assert_allclose(shown[0][both], shown[1][both], atol=0.06)


@pytest.mark.parametrize("seed", range(6))
def test_a_turned_crop_lies_in_the_picture_and_is_turned_by_what_it_says(seed):
    celsius, _ = ramps()
    shown = draw_turned(image(celsius, region=(0.0, 0.0, 95.0, 95.0)), np.random.default_rng(seed), PLAIN)
    back = np.rot90(shown["view"], -int(shown["turn"]), axes=(1, 2))[0].astype(np.float32)
    # Columns of one temperature, and every step between columns alike: no border was repeated.
    assert np.ptp(back, axis=0).max() < 2e-3
    steps = np.diff(back[0])
    assert np.abs(steps).min() > 0
    assert np.ptp(steps) < 2e-3


@pytest.mark.parametrize("region", [(0.0, 0.0, 95.0, 95.0), (60.0, 0.0, 95.0, 30.0), (-40.0, -40.0, 200.0, 200.0)])
def test_upright_crops_never_leave_the_picture(region):
    for seed in range(20):
        matrix = draw_crop(image(region=region), np.random.default_rng(seed), TURNED, turns=False)
        corners = np.array([[-0.5, 31.5, -0.5, 31.5], [-0.5, -0.5, 31.5, 31.5], [1, 1, 1, 1]])
        found = matrix @ corners
        assert found.min() >= -0.5 - 1e-9
        assert found.max() <= 95.5 + 1e-9


@pytest.mark.parametrize("region", [(20.0, 30.0, 59.0, 79.0), (0.0, 0.0, 40.0, 30.0), (0.0, 0.0, 95.0, 95.0)])
def test_a_crop_of_the_whole_region_holds_it_however_small_crops_may_be(region):
    corners = np.array([region[:2], region[2:]])
    for seed in range(20):
        matrix = draw_crop(image(region=region), np.random.default_rng(seed), TURNED, turns=False, whole=True)
        inside = to_crop(corners, matrix, TURNED.pixels)
        assert inside.min() >= -1e-6
        assert inside.max() <= 1 + 1e-6


@pytest.mark.parametrize("seed", range(6))
def test_five_points_are_where_the_crop_shows_them_and_change_sides_in_a_mirror(seed):
    five = np.array([[35, 40], [60, 40], [48, 52], [38, 64], [58, 64]], np.float32)
    celsius = np.full((96, 96), 25.0, np.float32)
    for place, (column, row) in enumerate(five.astype(int)):
        celsius[row - 1 : row + 2, column - 1 : column + 2] = 30.0 + place
    drawn = draw_points(image(celsius, five=five), np.random.default_rng(seed), ViewSettings(64, (1.2, 1.3), 5.0, 0.0))
    at = np.rint(64 * drawn["points"] - 0.5).astype(int)
    seen = drawn["view"][0][at[:, 1], at[:, 0]].astype(float) * 20 + 20
    mirrored = drawn["points"][0, 0] > drawn["points"][1, 0]
    assert not mirrored, "the first eye is the one to the left in the picture, mirrored or not"
    in_order, swapped = [30, 31, 32, 33, 34], [31, 30, 32, 34, 33]
    assert np.abs(seen - in_order).max() < 1.6 or np.abs(seen - swapped).max() < 1.6
    assert drawn["known"] == 1
    turned = [draw_points(image(celsius, five=five), np.random.default_rng(one), TURNED)["points"] for one in range(20)]
    assert 0 < np.min(turned) < np.max(turned) < 1
    assert draw_points(image(celsius), np.random.default_rng(0), PLAIN)["known"] == 0


def test_a_mask_has_a_fixed_share_and_the_loss_counts_it_alone():
    drawn = draw_masked(image(), np.random.default_rng(0), PLAIN)
    assert drawn["mask"].sum() == round(0.6 * 16)
    torch.manual_seed(0)
    encoder = Encoder("resnet10t", stretches=False)
    head = MaskedPredictionHead(encoder, 0)
    torch.nn.init.zeros_(head.pixels.weight)
    torch.nn.init.constant_(head.pixels.bias, 0.25)
    view = torch.full((2, 1, 32, 32), 0.75)
    view[:, :, :8, :8] = 9.0
    mask = torch.ones(2, 1, 4, 4)
    mask[:, :, 0, 0] = 0
    loss, _ = head(encoder, Views(view=view, mask=mask))
    assert loss.item() == pytest.approx(0.25)


def test_what_is_behind_the_mask_is_not_seen():
    torch.manual_seed(0)
    encoder = Encoder("resnet10t", stretches=False).eval()
    head = MaskedPredictionHead(encoder, 0)
    seen = []
    encoder.map = lambda shown: seen.append(shown) or torch.zeros(1, 64, 4, 4)
    view = torch.rand(1, 1, 32, 32)
    mask = torch.zeros(1, 1, 4, 4)
    mask[..., 1, 2] = 1
    other = view.clone()
    other[..., 8:16, 16:24] = 0.1
    for shown in (view, other):
        head(encoder, Views(view=shown, mask=mask))
    assert torch.equal(*seen)


def test_accuracy_is_the_share_of_largest_logits():
    logits = torch.tensor([[1.0, 2.0], [3.0, 0.0], [0.0, 1.0], [0.0, 1.0]])
    assert float(accuracy(logits, torch.tensor([1, 0, 0, 1]))) == 0.75


@pytest.mark.parametrize("name", PRETEXTS)
def test_every_pretext_gives_a_loss_whose_gradient_reaches_the_encoder(name):
    torch.manual_seed(0)
    pretext, encoder = PRETEXTS[name], Encoder("resnet10t", stretches=True)
    five = np.array([[35, 40], [60, 40], [48, 52], [38, 64], [58, 64]], np.float32)
    views = [
        pretext.draw_views(image(subject=seed % 2, five=five), np.random.default_rng(seed), TURNED) for seed in range(4)
    ]
    again = pretext.draw_views(image(subject=0, five=five), np.random.default_rng(0), TURNED)
    assert all(np.array_equal(again[key], views[0][key]) for key in again)
    batch = Views(**{key: torch.from_numpy(np.stack([view[key] for view in views])) for key in views[0]})
    loss, measure = pretext.make_head(encoder, 2)(encoder, batch)
    assert loss.shape == measure.shape == ()
    assert torch.isfinite(loss)
    loss.backward()
    reached = {key.split(".")[0] for key, value in encoder.named_parameters() if value.grad is not None}
    assert ("smooth" in reached) == pretext.trains_neck
    assert any(value.grad.abs().sum() > 0 for value in encoder.backbone.parameters() if value.grad is not None)


def test_the_config_offers_every_pretext():
    assert set(get_args(PretextName)) == PRETEXTS.keys()
