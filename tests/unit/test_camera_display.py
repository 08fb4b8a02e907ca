"""Gain control against closed forms."""

import numpy as np
import pytest

from cameras import camera, face
from tfake.camera.recording import Recorder, display, equalise, stretch

RAMP = (29000 + np.arange(1024)).astype(np.uint16).reshape(32, 32)


def test_minmax_is_a_line_between_the_extremes():
    grey = display(RAMP, camera(values="agc_minmax"))
    np.testing.assert_array_equal(grey.ravel(), np.rint(np.arange(1024) / 1023 * 255))


def test_percentiles_saturate_the_asked_share_at_either_end():
    grey = display(RAMP, camera(values="agc_percentile", agc_clip_percent=10.0))
    assert np.mean(grey == 0) == pytest.approx(0.1, abs=0.003)
    assert np.mean(grey == 255) == pytest.approx(0.1, abs=0.003)
    middle = grey.ravel()[200:800].astype(int)
    assert middle[300] == pytest.approx((500 - 102.3) / (1023 * 0.8) * 255, abs=1)
    assert (np.diff(middle) >= 0).all()


def test_a_hot_pixel_blackens_minmax_and_not_the_percentiles():
    counts = RAMP.copy()
    counts[0, 0] = 60000
    assert np.median(display(counts, camera(values="agc_minmax"))) < 10
    assert 100 < np.median(display(counts, camera(values="agc_percentile"))) < 155


def skewed():
    """900 pixels over ten cold counts, 100 over a hundred warm ones."""
    return np.concatenate([np.repeat(29000 + np.arange(10), 90), 29500 + np.arange(100)]).astype(np.uint16)[None]


def test_a_plateau_of_all_pixels_is_histogram_equalisation():
    counts = skewed()
    grey = equalise(counts, 1.0)
    below = np.array([np.sum(counts < value) for value in counts.ravel()])
    np.testing.assert_array_equal(grey.ravel(), np.rint(below / below.max() * 255))


def test_a_plateau_of_one_pixel_is_linear_over_the_counts_that_occur():
    counts = skewed()
    rank = np.searchsorted(np.unique(counts), counts.ravel())
    np.testing.assert_array_equal(equalise(counts, 1e-9).ravel(), np.rint(rank / 109 * 255))


def test_a_plateau_between_gives_the_rare_more_grey_than_equalisation():
    counts = skewed()
    spans = [np.ptp(equalise(counts, share).ravel()[900:].astype(int)) for share in (1.0, 0.01, 1e-9)]
    assert spans[0] < spans[1] < spans[2]


@pytest.mark.parametrize("values", ["agc_minmax", "agc_percentile", "agc_plateau"])
def test_the_lowest_is_black_and_order_is_kept(values):
    rng = np.random.default_rng(1)
    for counts in (rng.integers(29000, 31000, (24, 32)).astype(np.uint16), skewed()):
        grey = display(counts, camera(values=values))
        assert grey.dtype == np.uint8
        assert grey[counts == counts.min()].max() == 0
        order = np.argsort(counts.ravel(), kind="stable")
        assert (np.diff(grey.ravel()[order].astype(int)) >= 0).all()


@pytest.mark.parametrize("values", ["agc_minmax", "agc_percentile", "agc_plateau"])
def test_a_flat_image_is_black(values):
    assert not display(np.full((4, 4), 30000, np.uint16), camera(values=values)).any()
    assert not stretch(RAMP, 5.0, 5.0).any()


def test_grey_images_keep_the_labels():
    plain, grey = (
        Recorder(camera(values=values), 20.0).record("a", **face()) for values in ("radiometric", "agc_plateau")
    )
    assert (plain.thermal.dtype, grey.thermal.dtype) == (np.uint16, np.uint8)
    np.testing.assert_array_equal(plain.segmentation, grey.segmentation)
    np.testing.assert_array_equal(plain.landmarks_478, grey.landmarks_478)
