"""The finest pattern of skin: its spectrum, and how it is laid on a face."""

import numpy as np
import pytest

from tfake.heat.grain import LONGEST_CM, POWER, draw_grain, lay_grain
from tfake.heat.vascular import draw_waves

_EDGE_CM = 32.0


def test_grain_has_the_power_law_below_its_longest_wave():
    power = np.mean([np.abs(np.fft.fft2(draw_grain(np.random.default_rng(seed)))) ** 2 for seed in range(20)], axis=0)
    frequency = np.hypot(*np.meshgrid(np.fft.fftfreq(256), np.fft.fftfreq(256))) * 256 / _EDGE_CM
    band = (frequency > 1.5 / LONGEST_CM) & (frequency < 3.0)
    slope = np.polyfit(np.log(frequency[band]), np.log(power[band]), 1)[0]
    assert slope == pytest.approx(POWER, abs=0.1)
    assert power[frequency < 0.5 / LONGEST_CM].max() < 1e-6 * power.max()


def test_grain_has_unit_variance_and_is_one_person_s():
    first, again, other = (draw_grain(np.random.default_rng(seed)) for seed in (1, 1, 2))
    assert np.array_equal(first, again)
    assert first.std() == pytest.approx(1.0, abs=1e-5)
    assert abs(np.corrcoef(first.ravel(), other.ravel())[0, 1]) < 0.1


def test_one_place_on_the_head_has_one_grain_wherever_it_is_in_the_picture():
    texture = draw_grain(np.random.default_rng(0))
    y, x = np.meshgrid(np.linspace(5, -5, 40), np.linspace(-5, 5, 40), indexing="ij")
    places = np.stack((x, y, np.full_like(x, 9.0)), axis=2).astype(np.float32)
    whole = lay_grain(texture, places, (40, 40))
    moved = lay_grain(texture, np.roll(places, 7, axis=1), (40, 40))
    assert np.allclose(np.roll(whole, 7, axis=1), moved)
    assert lay_grain(texture, places, (160, 160)).shape == (160, 160)
    places[0, 0] = np.nan
    assert np.isfinite(lay_grain(texture, places, (40, 40))).all()


@pytest.mark.parametrize(("symmetric", "expected"), [(1.0, 1.0), (0.0, -1.0), (0.83, 0.66)])
def test_waves_are_as_symmetric_as_asked_for(symmetric, expected):
    places = np.random.default_rng(0).uniform(1.0, 40.0, (4000, 3)).astype(np.float32)
    here, there = [], []
    for seed in range(30):
        waves = draw_waves(np.random.default_rng(seed), 2.0, 7.0, 40)
        here.append(waves.evaluate_mirrored(places, symmetric))
        there.append(waves.evaluate_mirrored(places * np.float32((-1, 1, 1)), symmetric))
    assert np.corrcoef(np.ravel(here), np.ravel(there))[0, 1] == pytest.approx(expected, abs=0.05)
    assert np.std(here) == pytest.approx(1.0, rel=0.1)
