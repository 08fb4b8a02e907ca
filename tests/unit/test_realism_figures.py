"""Figures of the realism study in closed form: patterns, spectra, gradients, and whether two sets can be told apart."""

import numpy as np
import pytest

from mesh_faces import face_set, noise_maps
from tfake.heat.patterns import centred, standardised
from tfake.studies.heat_patterns import mean_pattern, person_spread, places_of_points, score_pattern, split_half
from tfake.studies.realism_faces import MAP_FACE_PIXELS, MAP_PIXELS
from tfake.studies.skin_texture import (
    compare_texture,
    gradient_magnitudes,
    is_seen,
    log_spectrum,
    shared_band,
    skin_faces,
    skin_mask,
)
from tfake.studies.two_sample_test import area_under_curve, cross_validated_auc, tell_faces_apart, tell_patches_apart


def planted(count, seed=0, noise=0.0, pattern_seed=0, scale=1.0):
    """Values at the points: one pattern of standard deviation 1 for all, and white noise of its own for each."""
    pattern = np.random.default_rng(100 + pattern_seed).standard_normal(478)
    return 33 + scale * (pattern + noise * np.random.default_rng(seed).standard_normal((count, 478)))


def test_a_planted_pattern_is_found_again():
    real = mean_pattern(face_set(20, planted(20, seed=1, noise=0.5)))
    alike = score_pattern(face_set(20, planted(20, seed=2, noise=0.5)), real)
    other = score_pattern(face_set(20, planted(20, seed=2, noise=0.5, pattern_seed=1)), real)
    assert alike.r > 0.97
    assert abs(other.r) < 0.15
    assert np.isnan(score_pattern(face_set(20, planted(20))).r)


@pytest.mark.parametrize("noise", [0.0, 1.0])
def test_spread_within_a_face_and_correlation_with_its_own_mean(noise):
    scores = score_pattern(face_set(200, planted(200, noise=noise, scale=0.7)))
    assert scores.sd == pytest.approx(0.7 * np.sqrt(1 + noise**2), rel=0.05)
    assert scores.own == pytest.approx(1 / np.sqrt(1 + noise**2), abs=0.03)


def test_a_level_of_its_own_and_a_cover_change_no_pattern():
    patterns = planted(30, noise=0.2)
    before = score_pattern(face_set(30, patterns), patterns[0])
    patterns = patterns + np.linspace(-5, 5, 30)[:, None]
    patterns[3, 50:90] = np.nan
    after = score_pattern(face_set(30, patterns), patterns[0])
    assert after.r == pytest.approx(before.r, abs=0.01)
    assert after.sd == pytest.approx(before.sd, abs=0.01)


def test_people_count_once():
    patterns = np.concatenate([planted(9, pattern_seed=0), planted(3, pattern_seed=1)])
    often = mean_pattern(face_set(12, patterns, persons=["a"] * 9 + ["b", "c", "d"]))
    assert np.corrcoef(often, patterns[-1])[0, 1] > 0.99


def test_halves_of_alike_people_agree_and_those_of_strangers_do_not():
    alike, _ = split_half(face_set(20, planted(20, noise=0.1)), seed=0)
    strangers, sd = split_half(face_set(20, np.random.default_rng(0).standard_normal((20, 478))), seed=0)
    assert alike > 0.99
    assert abs(strangers) < 0.1
    assert 0 < sd < 0.1
    assert np.isnan(split_half(face_set(3, planted(3)), seed=0)).all()


def test_how_people_differ_is_told_by_place():
    rng = np.random.default_rng(0)
    patterns = planted(1).repeat(400, axis=0)
    nose = places_of_points()["nose"]
    patterns[:, nose] += 1.5 * rng.standard_normal((400, len(nose)))
    found = person_spread(face_set(400, patterns), centred)
    assert found["nose"] == pytest.approx(1.5, rel=0.1)
    assert found["cheeks"] == pytest.approx(0, abs=0.15)
    assert person_spread(face_set(400, 10 * patterns), standardised)["nose"] == pytest.approx(
        person_spread(face_set(400, patterns), standardised)["nose"], rel=1e-3
    )


def test_white_noise_has_a_flat_spectrum_of_one():
    found = log_spectrum(skin_faces(face_set(40, maps=5 + 3 * noise_maps(40, 0))))
    np.testing.assert_allclose(found[3:], 0, atol=0.06)


def test_a_blur_shows_in_the_spectrum_as_its_transfer_function():
    sigma = 1.5
    sharp, soft = (log_spectrum(skin_faces(face_set(40, maps=noise_maps(40, 0, blur)))) for blur in (0.0, sigma))
    ratio = soft - sharp
    low, high = 5, 20
    expected = (2 * np.pi * sigma / MAP_FACE_PIXELS) ** 2 * (high**2 - low**2) / np.log(10)
    assert ratio[low - 1] - ratio[high - 1] == pytest.approx(expected, rel=0.1)


def test_sets_are_compared_as_far_as_the_coarser_one_resolves():
    fine, coarse = face_set(3, size=200.0), face_set(3, size=40.0)
    assert shared_band(fine, fine) == (2.0, 32.0)
    assert shared_band(fine, coarse) == shared_band(coarse, fine) == (2.0, pytest.approx(14.0))


def test_texture_of_a_set_against_itself_and_another():
    sharp, soft = (face_set(20, maps=noise_maps(20, seed, sigma)) for seed, sigma in ((0, 2.0), (1, 6.0)))
    same = compare_texture(sharp, face_set(20, maps=noise_maps(20, 2, 2.0)))
    other = compare_texture(soft, sharp)
    assert same.spectrum < 0.1 < 0.5 < other.spectrum
    assert same.gradient < 0.05 < 0.3 < other.gradient
    assert compare_texture(sharp, sharp).spectrum == compare_texture(sharp, sharp).gradient == 0


def test_the_gradient_of_a_ramp():
    ramp = np.tile(np.arange(MAP_PIXELS, dtype=np.float32) * 0.01, (1, MAP_PIXELS, 1))
    np.testing.assert_allclose(gradient_magnitudes(ramp), 0.01 * MAP_FACE_PIXELS / 100, rtol=1e-3)


def test_flat_skin_with_sharp_borders_has_strong_edges():
    painted = np.zeros((4, MAP_PIXELS, MAP_PIXELS), np.float32)
    painted[:, 60:] = 1
    painted += 0.02 * noise_maps(4, 0, 2.0)
    smooth = face_set(4, maps=noise_maps(4, 1, 6.0))
    assert compare_texture(face_set(4, maps=painted), smooth).edges > 3 * compare_texture(smooth, smooth).edges


def test_covered_and_lifted_faces_are_not_compared():
    maps = noise_maps(4, 0)
    rows, columns = np.nonzero(skin_mask())
    covered = rng_choice(len(rows), 0.3)
    maps[1, rows[covered], columns[covered]] = np.nan
    faces = face_set(4, maps=maps)
    faces.pitches[2] = -60
    np.testing.assert_array_equal(is_seen(faces), [True, False, False, True])
    assert np.isfinite(skin_faces(faces)).all()


def rng_choice(count, fraction):
    return np.random.default_rng(0).choice(count, int(fraction * count), replace=False)


def test_area_under_the_curve():
    assert area_under_curve(np.array([2, 3]), np.array([0, 1])) == 1
    assert area_under_curve(np.array([0, 1]), np.array([2, 3])) == 0
    assert area_under_curve(np.array([1, 1]), np.array([1, 1])) == 0.5


def test_one_distribution_cannot_be_told_from_itself():
    rng = np.random.default_rng(0)
    people = np.repeat(np.arange(30), 4).astype(str)
    found = [
        cross_validated_auc([rng.standard_normal((120, 40))], [rng.standard_normal((120, 40))], people, people, seed)[0]
        for seed in range(5)
    ]
    assert np.mean(found) == pytest.approx(0.5, abs=0.06)


def test_who_a_person_is_does_not_help():
    """Rows of a person are alike, and learning persons by heart would tell the sets apart if folds split them."""
    rng = np.random.default_rng(0)
    people = np.repeat(np.arange(12), 10).astype(str)
    sets = [np.repeat(rng.standard_normal((12, 40)), 10, axis=0) for _ in range(2)]
    auc, _ = cross_validated_auc([sets[0]], [sets[1]], people, people, 0)
    assert auc < 0.75


def test_a_shift_is_found():
    rng = np.random.default_rng(0)
    people = np.arange(60).astype(str)
    auc, sd = cross_validated_auc([rng.standard_normal((60, 5))], [3 + rng.standard_normal((60, 5))], people, people, 0)
    assert auc > 0.99
    assert sd < 0.02


@pytest.mark.parametrize("test", [tell_patches_apart, tell_faces_apart], ids=["patches", "faces"])
def test_halves_of_one_set_are_alike_and_other_textures_are_not(test):
    one, other, blurred = (
        face_set(30, maps=noise_maps(30, seed, sigma)) for seed, sigma in ((0, 3.0), (1, 3.0), (2, 5.0))
    )
    alike = test(one, other, 0)
    assert alike.auc == pytest.approx(0.5, abs=0.2)
    assert alike.faces == (30, 30)
    assert test(one, blurred, 0).auc > 0.95


def test_a_painted_pattern_gives_whole_faces_away():
    painted = noise_maps(30, 0, 3.0)
    painted[:, 55:80, 55:75] -= 0.3
    assert tell_faces_apart(face_set(30, maps=painted), face_set(30, maps=noise_maps(30, 1, 3.0)), 0).auc > 0.95


def test_level_contrast_steps_of_a_file_and_turning_do_not_give_a_set_away():
    """All that a camera adds to the same skin: gain, offset, steps of 8 bits; and faces mirrored."""
    maps = noise_maps(60, 0, 3.0)
    gray = np.round(128 + 300 * maps[30:])[..., ::-1]
    for test in (tell_faces_apart, tell_patches_apart):
        assert test(face_set(30, maps=maps[:30]), face_set(30, maps=gray, radiometric=False), 0).auc < 0.72


def test_what_covers_faces_does_not_give_a_set_away():
    maps = noise_maps(60, 0, 6.0)
    maps[30:, 20:42, 30:60] = np.nan
    one, covered = face_set(30, maps=maps[:30]), face_set(30, maps=maps[30:])
    assert 0.85 < np.isfinite(covered.maps[:, skin_mask()]).mean() < 0.97
    assert tell_patches_apart(one, covered, 0).auc < 0.65


def test_a_few_people_are_no_test():
    few = face_set(20, maps=noise_maps(20, 0), persons=["a", "b"] * 10)
    assert np.isnan(tell_faces_apart(few, few, 0).auc)


def test_the_same_seed_gives_the_same_area():
    one, other = (face_set(12, maps=noise_maps(12, seed, 3.0)) for seed in (0, 1))
    assert tell_faces_apart(one, other, 3) == tell_faces_apart(one, other, 3)
