"""How people differ: the pattern within a region, the spread that a prior is told, and when it is measured."""

from dataclasses import replace

import numpy as np
import pytest

from painted_head import paint_head, region_masks
from tfake.core.classes import FaceClass
from tfake.heat.field import heat_field
from tfake.heat.regions import WARMEST_CELSIUS, control_celsius
from tfake.heat.subject import PATTERN_SPREAD, Subject, draw_subject
from tfake.heat.surface import rendered_surface
from tfake.heat.tables import read_points, read_regions


def mean_but_for(pattern: np.ndarray) -> Subject:
    """A person who differs from the mean one by the pattern within regions alone."""
    nothing = np.zeros(len(read_regions().names))
    return replace(draw_subject(0, 0), regional=nothing, asymmetry=nothing, cooling=0.0, pattern=pattern)


@pytest.mark.parametrize("tables", ["measured", "charlotte"])
def test_a_stronger_pattern_scales_a_region_about_its_mean(tables):
    points, names = read_points(tables), read_regions(tables).names
    nose = points.region == names.index("nose")
    pattern = np.ones(len(names))
    pattern[names.index("nose")] = 1.5
    mean = points.celsius_at_24 + points.slope * (20.0 - 24.0)
    expected = mean.copy()
    expected[nose] = mean[nose].mean() + 1.5 * (mean[nose] - mean[nose].mean())
    person = control_celsius(20.0, mean_but_for(pattern), tables)
    assert np.allclose(person, np.minimum(expected, WARMEST_CELSIUS))
    assert np.array_equal(
        control_celsius(20.0, mean_but_for(np.ones(len(names))), tables), control_celsius(20.0, None, tables)
    )


def test_patterns_differ_from_person_to_person_as_stated():
    patterns = np.array([draw_subject(1, face).pattern for face in range(400)])
    assert patterns.mean() == pytest.approx(1.0, abs=0.02)
    # Scores are clipped at two standard deviations, which takes a tenth of them.
    assert patterns.std() == pytest.approx(0.88 * PATTERN_SPREAD, rel=0.1)
    assert patterns.min() > 0.0


@pytest.mark.parametrize("ambient", [20.0, 26.0])
def test_the_stated_spread_is_that_of_drawn_people(ambient):
    head = paint_head(64)
    surface = rendered_surface(head)
    people = np.array([heat_field(surface, ambient, draw_subject(5, face)).celsius for face in range(100)])
    stated = heat_field(surface, ambient).spread_kelvin
    for name, mask in region_masks(head).items():
        seen = mask & (head.facing > 0.6)
        assert stated[seen].mean() == pytest.approx(people.std(axis=0)[seen].mean(), rel=0.3), name


def test_spread_is_measured_when_asked_for_and_once():
    head = paint_head(64)
    field = heat_field(rendered_surface(head), 22.0)
    assert "spread_kelvin" not in vars(field)
    assert field.spread_kelvin is field.spread_kelvin
    assert field.spread_kelvin.shape == field.celsius.shape
    assert not field.spread_kelvin[head.classes == FaceClass.BACKGROUND].any()
