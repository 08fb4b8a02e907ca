"""Errors, curves and detection scores against closed forms."""

import numpy as np
import pandas as pd
import pytest
from scipy.integrate import trapezoid

from annotated_sets import seen_from
from tfake.imaging.crops import box_iou
from tfake.studies.landmark_errors import (
    COLUMNS,
    column_masks,
    coverage_curve,
    cumulative_curve,
    detection_summary,
    error_summary,
    finite,
    match_boxes,
    normaliser,
    point_errors,
    published,
    summarise,
)
from tfake.studies.test_set_page import render_evaluation, score_rows

BOX = (10.0, 20.0, 50.0, 110.0)


def test_normalisers_are_named():
    points = seen_from("ibug68")
    assert normaliser("box", points, "ibug68", BOX, (480, 640)) == pytest.approx(60)
    assert normaliser("image", points, "ibug68", BOX, (400, 900)) == pytest.approx(600)
    eyes = normaliser("inter_ocular", points, "ibug68", BOX, (480, 640))
    assert eyes == pytest.approx(np.linalg.norm(points[36] - points[45]))
    assert np.isnan(normaliser("inter_ocular", points, "charlotte43", BOX, (480, 640)))
    with pytest.raises(ValueError, match="box, inter_ocular, image"):
        normaliser("98", points, "ibug68", BOX, (480, 640))


def test_points_that_nobody_annotated_do_not_count():
    points = seen_from("ibug68")
    moved = points + (3.0, 4.0)
    points[5] = np.nan
    errors = point_errors(moved, points, 10.0)
    assert np.isnan(errors[5])
    np.testing.assert_allclose(np.delete(errors, 5), 0.5)


def test_missed_faces_fail_but_have_no_error():
    summary = error_summary(np.array([0.02, 0.06, 0.2, np.inf, np.nan]), 0.1)
    assert summary["faces"] == 4
    assert summary["found"] == 3
    assert summary["nme"] == pytest.approx((0.02 + 0.06 + 0.2) / 3)
    assert summary["failure_rate"] == 0.5
    # The share below e rises by a quarter at .02 and at .06.
    assert summary["auc"] == pytest.approx((0.08 + 0.04) / 4 / 0.1)
    assert np.isnan(error_summary(np.array([np.nan]), 0.1)["nme"])


def test_the_curve_s_area_is_the_auc():
    errors = np.array([0.013, 0.04, 0.055, 0.3, np.inf])
    places, shares = cumulative_curve(errors, 0.1)
    assert shares[0] == 0
    assert shares[-1] == 0.6
    assert trapezoid(shares, places) / 0.1 == pytest.approx(error_summary(errors, 0.1)["auc"], abs=1e-3)


def test_coverage_goes_by_descending_confidence():
    curve = coverage_curve(np.array([0.3, 0.1, np.inf, 0.2, np.nan]), np.array([3.0, 1.0, np.nan, 2.0, 0.5]))
    np.testing.assert_allclose(curve["threshold"], (1, 2, 3))
    np.testing.assert_allclose(curve["coverage"], (0.25, 0.5, 0.75))
    np.testing.assert_allclose(curve["nme"], (0.1, 0.15, 0.2))


def test_boxes_are_given_away_once():
    assert box_iou((0, 0, 2, 2), (1, 0, 3, 2)) == pytest.approx(1 / 3)
    assert box_iou((0, 0, 1, 1), (2, 2, 3, 3)) == 0
    face = (0.0, 0.0, 10.0, 10.0)
    found = [(1.0, 1.0, 11.0, 11.0), (0.0, 0.0, 10.0, 10.0), (50.0, 50.0, 60.0, 60.0)]
    assert match_boxes(found, (0.1, 0.2, 0.3), [face], 0.5) == [0, -1, -1]
    assert match_boxes(found, (0.3, 0.2, 0.1), [face], 0.5) == [-1, 0, -1]


def test_average_precision_of_a_known_order():
    summary = detection_summary(np.array([0.1, 0.2, 0.3, 0.4]), np.array([True, False, True, False]), 4)
    assert summary["precision"] == 0.5
    assert summary["recall"] == 0.5
    assert summary["average_precision"] == pytest.approx(0.25 * 1 + 0.25 * 2 / 3)
    assert detection_summary(np.array([]), np.array([], dtype=bool), 3)["recall"] == 0


def faces(method, errors, sigma):
    count = len(errors)
    frame = pd.DataFrame({"method": method, "face": [f"f{i}" for i in range(count)], "subject": "S1"})
    frame["view"] = ["front", "side"] * (count // 2)
    frame["size"] = np.arange(count, dtype=float) + 20
    frame["found"] = np.isfinite(errors)
    frame["sigma"] = sigma
    return frame.assign(nme_box=errors, nme_inter_ocular=np.array(errors) * 2, nme_image=np.nan)


def test_the_paper_s_columns_are_halves_and_published_beside_ours():
    table = faces("net", [0.1, 0.2, 0.3, 0.4], [0.1, 0.2, 0.3, 0.4])
    masks = column_masks(table, None)
    assert [int(masks[name].sum()) for name in COLUMNS] == [2, 2, 2, 2, 4]
    assert column_masks(table, 22.5)["High"].sum() == 1
    scores = summarise(table, pd.DataFrame(columns=["method", "image", "sigma", "right"]), 0.1, None)
    columns = scores["net"]["columns"]
    assert columns["High"] == pytest.approx(0.35)
    assert columns["Side"] == pytest.approx(0.3)
    assert columns["Full"] == pytest.approx(0.25)
    full = published().query("column == 'Full'").set_index("method")["nme"]
    assert full["T-FAKE 70 points"] == 0.097
    assert full["DAN (AACHEN)"] == 0.205


def test_the_page_shows_results_and_what_is_missing():
    table = pd.concat(
        [faces("net", [0.02, 0.03, 0.2, np.inf], [0.1, 0.2, 0.3, np.nan]), faces("<mean>", [0.1] * 4, [np.nan] * 4)]
    )
    detections = pd.DataFrame(
        {"method": "net", "image": "i", "sigma": [0.1, 0.2, 0.3, 0.4], "right": [True, True, True, False]}
    )
    account = {"rows": 6, "used": 4, "used_with_remark": 1, "left_out": 2}
    account["faults"] = {"left_out": {"points_44": 2}, "used": {"no_distance_m": 1}}
    scores = {"set": "charlotte", "kind": "charlotte", "missing": None, "account": account}
    scores["methods"] = summarise(table, detections, 0.1, None)
    gone = {"set": "tfw", "kind": "tfw", "missing": "ask at github.com/IS2AI/TFW", "account": None, "methods": {}}
    sets = [finite(scores), gone]
    page = render_evaluation(sets, [table, table[:0]], 0.1)
    assert "ask at github.com/IS2AI/TFW" in page
    assert "Flotho et al., 2025" in page
    assert "points 44" in page
    assert "&lt;mean&gt;" in page
    assert "<mean>" not in page
    assert 'src="http' not in page
    rows = score_rows(sets)
    recall = rows.query("method == 'net' and group == 'detection' and score == 'recall'")["value"].item()
    assert recall == 0.75
