"""Removing the background, setting it to ambient, and filling lenses without swallowing a face."""

import cv2
import numpy as np
import pytest

from tfake.core.classes import FaceClass
from tfake.imaging.foreground import fill_glasses, mask_background, set_background


def face(pixels=200):
    classes = np.zeros((pixels, pixels), np.uint8)
    cv2.circle(classes, (100, 100), 80, int(FaceClass.SKIN), -1)
    for x, eye in ((70, FaceClass.RIGHT_EYE), (130, FaceClass.LEFT_EYE)):
        cv2.circle(classes, (x, 80), 5, int(eye), -1)
    cv2.rectangle(classes, (85, 140), (115, 146), int(FaceClass.TOP_LIP), -1)
    return classes


def with_glasses(classes, thickness=2):
    for x in (70, 130):
        cv2.circle(classes, (x, 80), 20, int(FaceClass.GLASSES), thickness)
    cv2.line(classes, (90, 80), (110, 80), int(FaceClass.GLASSES), thickness)
    return classes


def test_only_background_turns_black():
    classes = np.array([[0, 1], [255, 16]], np.uint8)
    rgb = np.full((2, 2, 3), 200, np.uint8)
    masked = mask_background(rgb, classes)
    assert masked[..., 0].tolist() == [[0, 200], [200, 200]]
    assert (rgb == 200).all()
    np.testing.assert_array_equal(mask_background(rgb[None], classes[None])[0], masked)


def test_an_image_of_another_size_is_refused():
    with pytest.raises(ValueError, match="class map"):
        mask_background(np.zeros((4, 4, 3), np.uint8), np.zeros((4, 5), np.uint8))


def test_only_background_becomes_ambient():
    celsius = np.full((2, 2), 33.0, np.float32)
    result = set_background(celsius, np.array([[0, 1], [255, 16]], np.uint8), 19.3)
    assert result.dtype == np.float32
    assert result[0, 0] == np.float32(19.3)
    assert (result.ravel()[1:] == 33).all()


@pytest.mark.parametrize("thickness", [1, 2, 4])
def test_both_lenses_are_filled(thickness):
    filled = fill_glasses(with_glasses(face(), thickness))
    for x in (70, 130):
        assert (filled[75:86, x - 10 : x + 11] == FaceClass.GLASSES).all()
    disc = cv2.circle(np.zeros_like(filled), (70, 80), 17, 1, -1).astype(bool)
    assert (filled[disc] == FaceClass.GLASSES).all()


def test_nothing_else_changes():
    before = with_glasses(face())
    after = fill_glasses(before)
    changed = before != after
    near = cv2.circle(cv2.circle(np.zeros_like(before), (70, 80), 21, 1, -1), (130, 80), 21, 1, -1).astype(bool)
    assert changed[near].any()
    assert not changed[~near].any()


def test_a_frame_broken_by_one_pixel_is_closed():
    classes = with_glasses(face(), thickness=1)
    classes[60, 70] = FaceClass.SKIN
    assert (fill_glasses(classes)[75:86, 60:81] == FaceClass.GLASSES).all()


def test_a_contour_around_the_face_does_not_swallow_it():
    classes = face()
    cv2.circle(classes, (100, 100), 75, int(FaceClass.GLASSES), 2)
    np.testing.assert_array_equal(fill_glasses(classes), classes)


def test_a_small_hole_with_the_mouth_is_no_lens():
    classes = face()
    cv2.rectangle(classes, (82, 137), (118, 149), int(FaceClass.GLASSES), 1)
    np.testing.assert_array_equal(fill_glasses(classes), classes)


def test_an_odd_contour_spoils_no_good_lens():
    classes = with_glasses(face())
    cv2.rectangle(classes, (82, 137), (118, 149), int(FaceClass.GLASSES), 1)
    filled = fill_glasses(classes)
    assert (filled[75:86, 60:81] == FaceClass.GLASSES).all()
    assert (filled[141:146, 90:110] == FaceClass.TOP_LIP).all()


def test_background_seen_through_a_frame_stays_background():
    classes = face()
    cv2.circle(classes, (30, 60), 20, int(FaceClass.GLASSES), 2)
    before = classes == FaceClass.BACKGROUND
    np.testing.assert_array_equal(fill_glasses(classes) == FaceClass.BACKGROUND, before)


def test_without_glasses_nothing_is_done():
    classes = face()
    assert fill_glasses(classes) is classes
