"""The temperature truth against the CHARLOTTE measurements, on a painted head without the renderer."""

import numpy as np
import pytest

from painted_head import paint_head, region_masks
from tfake.core.classes import FaceClass
from tfake.heat.apparent import BAND_EXPONENT, apparent_celsius, directional_emissivity
from tfake.heat.coverings import SKULL_RADII, covering_fraction, stand_off
from tfake.heat.field import heat_field
from tfake.heat.regions import control_celsius, control_weights, skin_field
from tfake.heat.subject import SubjectState, draw_subject
from tfake.heat.surface import rendered_surface
from tfake.heat.tables import read_materials, read_regions
from tfake.heat.vascular import draw_vessels, draw_waves
from tfake.mesh.raster import SurfaceBuffer

#: The tables whose truth is known in numbers.
TABLES = "charlotte"
#: facts 3: T = a * ambient + b, computed on 8,032 CHARLOTTE images.
CHARLOTTE_LINES = {
    "forehead": (0.317, 27.05),
    "cheek": (0.532, 21.12),
    "eye": (0.391, 24.97),
    "nose": (0.788, 14.20),
    "mouth": (0.370, 25.64),
    "chin": (0.369, 25.77),
}
#: facts 3: between-subject SD at 19-22 °C, K.
CHARLOTTE_SPREAD = {"forehead": 0.43, "cheek": 0.74, "eye": 0.49, "nose": 1.41, "mouth": 0.76, "chin": 0.79}


@pytest.fixture(scope="module")
def head() -> SurfaceBuffer:
    return paint_head(256)


def expected_temperature(buffer: SurfaceBuffer, ambient: float) -> np.ndarray:
    return heat_field(rendered_surface(buffer, TABLES), ambient, None, TABLES).celsius


def subject_temperature(buffer: SurfaceBuffer, ambient: float, seed: int, face: int) -> np.ndarray:
    return heat_field(rendered_surface(buffer, TABLES), ambient, draw_subject(seed, face), TABLES).celsius


def region_means(surface: SurfaceBuffer, celsius: np.ndarray) -> dict[str, float]:
    return {name: float(celsius[mask].mean()) for name, mask in region_masks(surface).items()}


def expected_means(surface: SurfaceBuffer, ambient: float) -> dict[str, float]:
    return region_means(surface, expected_temperature(surface, ambient))


@pytest.mark.parametrize("ambient", [20.0, 23.0, 27.0])
def test_region_means_follow_charlotte(head, ambient):
    for name, mean in expected_means(head, ambient).items():
        slope, offset = CHARLOTTE_LINES[name]
        assert mean == pytest.approx(slope * ambient + offset, abs=0.3), name


def test_nose_is_steepest_and_forehead_shallowest(head):
    cold, warm = expected_means(head, 20.0), expected_means(head, 27.0)
    slopes = {name: (warm[name] - cold[name]) / 7.0 for name in cold}
    assert max(slopes, key=slopes.get) == "nose"
    assert min(slopes, key=slopes.get) == "forehead"


@pytest.mark.parametrize("ambient", [20.0, 22.0, 24.0, 26.0])
def test_nose_is_the_coldest_region(head, ambient):
    means = expected_means(head, ambient)
    assert min(means, key=means.get) == "nose"


@pytest.mark.parametrize(("ambient", "gap"), [(20.0, 2.6), (27.0, 0.45)])
def test_gap_between_forehead_and_nose(head, ambient, gap):
    means = expected_means(head, ambient)
    assert means["forehead"] - means["nose"] == pytest.approx(gap, abs=0.3)


def test_open_mouth_is_warmest_in_the_cold():
    head = paint_head(256, mouth_open=True)
    celsius = expected_temperature(head, 20.0)
    mouth = celsius[head.classes == FaceClass.MOUTH_INTERIOR].mean()
    assert mouth > max(region_means(head, celsius).values()) + 0.5
    assert mouth > celsius[head.classes == FaceClass.NECK].mean()


def test_inner_canthus_is_warmer_than_cornea(head):
    celsius = expected_temperature(head, 23.0)
    x, y = head.rest_position[..., 0], head.rest_position[..., 1]
    cornea = celsius[np.hypot(x - 3.15, y - 2.0) < 0.3].mean()
    canthus = celsius[np.hypot(x - 1.6, y - 1.8) < 0.3].mean()
    assert 0.5 < canthus - cornea < 1.5
    assert canthus == pytest.approx(34.3, abs=0.7)
    assert cornea == pytest.approx(33.3, abs=0.8)


def test_ears_are_cool_in_the_cold_only(head):
    def ear_below_forehead(ambient: float) -> float:
        celsius = expected_temperature(head, ambient)
        ears = (head.classes == FaceClass.LEFT_EAR) | (head.classes == FaceClass.RIGHT_EAR)
        return celsius[region_masks(head)["forehead"]].mean() - celsius[ears].mean()

    assert ear_below_forehead(20.0) > 0.8
    assert ear_below_forehead(27.0) < 0.8


@pytest.mark.parametrize("tables", ["charlotte", "measured"])
def test_places_differ_between_subjects_as_regions_of_real_faces_do(tables):
    head = paint_head(96)
    surface = rendered_surface(head, tables)
    people = np.array([heat_field(surface, 20.0, draw_subject(3, face), tables).celsius for face in range(200)])
    spread = {name: people.std(axis=0)[mask & (head.facing > 0.6)].mean() for name, mask in region_masks(head).items()}
    for name, measured in CHARLOTTE_SPREAD.items():
        assert spread[name] == pytest.approx(measured, rel=0.25), name
    assert spread["nose"] > 1.4 * np.mean([spread[name] for name in CHARLOTTE_SPREAD if name != "nose"])
    # The mean subject is the mean of the subjects.
    means = region_means(head, people.mean(axis=0))
    for name, expected in region_means(head, heat_field(surface, 20.0, None, tables).celsius).items():
        assert means[name] == pytest.approx(expected, abs=0.3)


@pytest.mark.parametrize("ambient", [-20.0, 20.0, 36.99, 37.0, 45.0])
def test_a_fever_warms_skin_in_any_room(head, ambient):
    surface = rendered_surface(head)
    well, ill = (
        heat_field(surface, ambient, draw_subject(0, "a", SubjectState(fever_kelvin=kelvin))).celsius
        for kelvin in (0.0, 2.0)
    )
    skin = (head.classes == FaceClass.SKIN) & (head.facing > 0.7)
    assert np.isfinite(well[head.classes != FaceClass.IGNORE]).all()
    assert 0.2 < (ill - well)[skin].mean() <= 2.01


def test_background_is_exactly_ambient(head):
    for celsius in (expected_temperature(head, 21.3), subject_temperature(head, 21.3, 1, 2)):
        assert np.all(celsius[head.classes == FaceClass.BACKGROUND] == np.float32(21.3))
        assert celsius.dtype == np.float32
        assert np.isfinite(celsius).all()


def test_only_background_is_ambient():
    empty = SurfaceBuffer(
        np.zeros((8, 8), np.uint8),
        np.full((8, 8, 3), np.nan, np.float32),
        np.zeros((8, 8), np.float32),
        np.zeros((8, 8), bool),
    )
    assert np.all(expected_temperature(empty, 20.0) == 20.0)


def test_glass_is_near_ambient_over_every_lens_pixel():
    head = paint_head(256, glasses=True)
    for ambient in (20.0, 26.0):
        celsius = subject_temperature(head, ambient, 1, 1)
        assert np.all(np.abs(celsius[head.lens] - ambient) < 0.2 * (36.0 - ambient))
        assert celsius[head.classes == FaceClass.LEFT_BROW].mean() > ambient + 5.0


@pytest.mark.parametrize("member", [FaceClass.HAIR, FaceClass.CLOTHING])
def test_coverings_are_between_skin_and_ambient(head, member):
    celsius = expected_temperature(head, 20.0)[head.classes == member]
    assert celsius.min() > 22.0
    assert celsius.max() < 33.5
    assert 24.0 < celsius.mean() < 31.0


def test_hair_cools_away_from_the_head():
    heights = np.float32([0.0, 1.0, 3.0, 8.0])
    top = np.stack((np.zeros(4), 12.7 + heights, np.full(4, 0.4)), axis=1).astype(np.float32)
    assert np.allclose(stand_off(top), heights * np.mean(SKULL_RADII) / SKULL_RADII[1], atol=0.01)
    fraction = covering_fraction("hair", stand_off(top), tables=TABLES)
    assert np.all(np.diff(fraction) < 0.0)
    assert covering_fraction("hair", np.float32([0.0]), tables=TABLES) > 0.9
    assert fraction[-1] < 0.5


def test_mask_breathes():
    head = paint_head(128)
    classes = head.classes.copy()
    y = np.nan_to_num(head.rest_position[..., 1], nan=99.0)
    mask = (classes != FaceClass.BACKGROUND) & (y < -1.0) & (y > -9.0)
    classes[mask] = FaceClass.FACEWEAR
    masked = SurfaceBuffer(classes, head.rest_position, head.facing, head.lens)
    breaths = np.array([draw_subject(1, face).breath for face in range(40)])
    mouth = np.hypot(head.rest_position[..., 0], y + 5.0) < 1.5
    centre = [subject_temperature(masked, 20.0, 1, face)[mouth].mean() for face in range(40)]
    assert np.corrcoef(breaths, centre)[0, 1] > 0.7
    assert np.ptp(centre) > 2.0
    assert 25.0 < expected_temperature(masked, 20.0)[mouth].mean() < 31.0


def test_no_seams_inside_skin(head):
    # Painted skin, nose, chin and neck meet, but the field knows places, not classes; only the shape of the painted
    # head bends abruptly, so the steps are looked at in the field itself.
    position = head.rest_position[head.classes != FaceClass.BACKGROUND]
    control = control_celsius(20.0, tables=TABLES)
    here = skin_field(control_weights(position, TABLES), control)
    for axis in np.eye(3, dtype=np.float32):
        step = np.abs(skin_field(control_weights(position + 0.01 * axis, TABLES), control) - here) / 0.01
        assert step.max() < 2.5, "K per cm"
    celsius = expected_temperature(head, 20.0)
    skin_like = np.isin(head.classes, (FaceClass.SKIN, FaceClass.NOSE, FaceClass.TOP_LIP, FaceClass.BOTTOM_LIP))
    seam = (head.classes[:, 1:] != head.classes[:, :-1]) & skin_like[:, 1:] & skin_like[:, :-1]
    seam &= (head.facing[:, 1:] > 0.5) & (head.facing[:, :-1] > 0.5)
    assert seam.sum() > 50
    assert np.abs(np.diff(celsius, axis=1))[seam].max() < 0.4


def test_expectation_has_nothing_of_the_subject(head):
    assert np.array_equal(expected_temperature(head, 20.0), expected_temperature(head, 20.0))
    first, second = (subject_temperature(head, 20.0, 1, face) for face in (1, 2))
    assert np.array_equal(first, subject_temperature(head, 20.0, 1, 1))
    assert np.abs(first - second).max() > 0.3
    assert not np.array_equal(first, subject_temperature(head, 20.0, 2, 1))


def test_person_is_the_same_at_both_ambients(head):
    deviations = [
        [subject_temperature(head, ambient, 1, face) - expected_temperature(head, ambient) for face in (1, 2)]
        for ambient in (20.0, 26.0)
    ]
    skin = (head.classes == FaceClass.SKIN) & (head.facing > 0.7)
    for face in range(2):
        assert np.corrcoef(deviations[0][face][skin], deviations[1][face][skin])[0, 1] > 0.9


def test_weights_sum_to_one_far_away():
    weights = control_weights(np.array([[0.0, -44.0, 8.0], [60.0, 60.0, -60.0]], np.float32))
    assert np.allclose(weights.sum(axis=1), 1.0, atol=1e-5)


def test_band_exponent_is_plancks():
    def band(kelvin: float) -> float:
        wavelength = np.linspace(8e-6, 14e-6, 2001)
        radiance = wavelength**-5 / np.expm1(1.438777e-2 / (wavelength * kelvin))
        return float(np.sum(radiance))

    local = [np.log(band(t + 1.0) / band(t - 1.0)) / np.log((t + 1.0) / (t - 1.0)) for t in (293.15, 300.0, 308.15)]
    assert pytest.approx(np.mean(local), abs=0.02) == BAND_EXPONENT


def test_radiometry_closed_forms():
    celsius = np.array([20.0, 26.0, 33.0], np.float32)
    # A camera set to the surface's own emissivity reads the surface.
    assert np.allclose(apparent_celsius(celsius, 0.98, 20.0), celsius, atol=1e-4)
    # Anything at ambient reads ambient, whatever it emits.
    assert np.all(apparent_celsius(np.full(3, 20.0, np.float32), np.array([0.1, 0.5, 0.98]), 20.0) == 20.0)
    # By hand: eps E(T) + (.98 - eps) E(Ta) = .98 E(T_read).
    kelvin = np.array([293.15, 306.15]) ** BAND_EXPONENT
    by_hand = ((0.88 * kelvin[1] + 0.10 * kelvin[0]) / 0.98) ** (1 / BAND_EXPONENT) - 273.15
    assert apparent_celsius(np.float32([33.0]), 0.88, 20.0)[0] == pytest.approx(by_hand, abs=1e-3)


def test_emissivity_falls_only_at_grazing_angles():
    facing = np.cos(np.radians([0.0, 30.0, 60.0, 80.0, 90.0]))
    emissivity = directional_emissivity(0.98, facing)
    assert emissivity[0] == pytest.approx(0.98)
    assert emissivity[1] > 0.979
    assert emissivity[2] > 0.95
    assert np.all(np.diff(emissivity) < 0.0)
    assert emissivity[-1] < 0.6
    assert np.allclose(directional_emissivity(0.98, facing, warm_beyond=1.0), 0.98)


def test_perfusion_is_band_limited_with_unit_variance():
    waves = draw_waves(np.random.default_rng(0), 2.0, 7.0, 400)
    lengths = 2.0 * np.pi / np.linalg.norm(waves.vectors, axis=0)
    assert lengths.min() >= 2.0 * (1 - 1e-5)
    assert lengths.max() <= 7.0 * (1 + 1e-5)
    values = waves.evaluate(np.random.default_rng(1).uniform(-50.0, 50.0, (20000, 3)).astype(np.float32))
    assert values.std() == pytest.approx(1.0, rel=0.1)
    assert values.mean() == pytest.approx(0.0, abs=0.05)


def test_vessels_are_warm_ridges():
    peaks = []
    for face in range(20):
        vessels = draw_vessels(np.random.default_rng(face))
        warmth = vessels.evaluate(vessels.centres.astype(np.float32))
        peaks.append(warmth.max())
        assert np.all(vessels.evaluate((vessels.centres + (0.0, 0.0, 30.0)).astype(np.float32)) == 0.0)
    assert min(peaks) > 0.2
    assert max(peaks) < 0.8


def test_tables_name_a_source_for_every_row():
    assert {"forehead", "cheek", "eye", "nose", "mouth", "chin"} <= set(read_regions().names)
    materials = read_materials()
    assert np.all((materials.emissivity > 0.8) & (materials.emissivity < 1.0))
    assert np.all(materials.deep <= materials.edge)
