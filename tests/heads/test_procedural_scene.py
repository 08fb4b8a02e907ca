import numpy as np
import pytest

from heads import person
from heads.scene import render_face
from tfake.core.classes import FaceClass, is_class_id
from tfake.mesh.head import head_mesh
from tfake.mesh.landmark_places import landmark_places

_SEED = 7
_PIXELS = 256


@pytest.fixture(scope="module")
def faces():
    """Wild faces at half size, each rendered once."""
    return [render_face(_SEED, face, _PIXELS) for face in range(32)]


@pytest.fixture(scope="module")
def lab_faces():
    return [render_face(_SEED, face, _PIXELS, "lab") for face in range(8)]


def inside(classes, points):
    """Class under each point, IGNORE off the image."""
    x, y = np.rint(points).astype(int).T
    here = (x >= 0) & (y >= 0) & (x < classes.shape[1]) & (y < classes.shape[0])
    ids = np.full(len(points), int(FaceClass.IGNORE))
    ids[here] = classes[y[here], x[here]]
    return ids


def box_size(points):
    return np.sqrt(np.prod(np.ptp(points, axis=0)))


def test_the_same_number_gives_the_same_face(faces):
    again = render_face(_SEED, 3, _PIXELS)
    np.testing.assert_array_equal(again.rgb, faces[3].rgb)
    np.testing.assert_array_equal(again.landmarks_70, faces[3].landmarks_70)
    for name in ("classes", "rest_position", "facing", "lens"):
        np.testing.assert_array_equal(getattr(again.surface, name), getattr(faces[3].surface, name))


def test_another_seed_or_number_gives_another_face(faces):
    other = render_face(_SEED + 1, 3, _PIXELS)
    assert (other.rgb != faces[3].rgb).mean() > 0.5
    assert (faces[4].rgb != faces[3].rgb).mean() > 0.5


def test_shapes_types_and_legal_ids(faces):
    for face in faces:
        assert face.rgb.shape == (_PIXELS, _PIXELS, 3)
        assert face.rgb.dtype == np.uint8
        assert face.landmarks_70.shape == (70, 2)
        assert face.surface.classes.dtype == np.uint8
        assert is_class_id(face.surface.classes).all()
        assert np.isfinite(face.landmarks_70).all()


def test_the_mesh_holds_the_landmarks_and_lies_on_the_surface(faces, lab_faces):
    for face in (*faces, *lab_faces):
        shared = landmark_places("shared")
        on_skin = shared.landmarks < 68
        places = shared.on(np.concatenate([face.mesh[:, :2], np.zeros((10, 2))]))
        # A place within a triangle is projected once, its corners each: perspective parts them by less than this.
        np.testing.assert_allclose(places[on_skin], face.landmarks_70[shared.landmarks[on_skin]], atol=0.05)
        assert abs(face.mesh[:, 2].mean()) < 1e-9
    rest = head_mesh().rest[:468]
    for face in lab_faces:
        # FaceMesh's 4 is the tip of the nose and 234 the edge of the jaw, behind it.
        assert face.mesh[4, 2] == pytest.approx(face.mesh[:, 2].min(), abs=0.5)
        depth = (face.mesh[234, 2] - face.mesh[4, 2]) * 13.5 / (0.40 * _PIXELS)
        assert 6 < depth < 14
        x, y = np.rint(face.mesh[:, :2]).astype(int).T
        seen = face.surface.rest_position[y, x]
        bare = np.isin(face.surface.classes[y, x], (FaceClass.SKIN, FaceClass.NOSE))
        assert np.median(np.linalg.norm(seen - rest, axis=1)[bare]) < 0.25


def test_the_surface_agrees_with_the_class_map(faces):
    for face in faces:
        surface = face.surface
        background = surface.classes == FaceClass.BACKGROUND
        np.testing.assert_array_equal(np.isnan(surface.rest_position).any(axis=2), background)
        assert not surface.facing[background].any()
        assert surface.facing.min() >= 0
        assert surface.facing.max() <= 1.0
        assert surface.lens[surface.classes == FaceClass.GLASSES].all()


def test_rest_positions_name_the_same_place_on_every_face(faces):
    for face in faces:
        x, y, z = np.moveaxis(face.surface.rest_position, -1, 0)
        ids = face.surface.classes
        assert (x[ids == FaceClass.LEFT_EYE] > 0).all()
        assert (x[ids == FaceClass.RIGHT_EYE] < 0).all()
        assert (z[ids == FaceClass.NOSE] > 7).all()
        assert (y[ids == FaceClass.TOP_LIP] > -7).all()
        assert (y[ids == FaceClass.NECK] < 0).all()


def test_the_picture_shows_what_the_class_map_says(faces):
    # A step of the class map between head and background must be a step of the picture: labels and pixels are one.
    for face in faces[:10]:
        person = face.surface.classes != FaceClass.BACKGROUND
        rgb = face.rgb.astype(float)
        across = person[:, 1:] != person[:, :-1]
        step = np.abs(np.diff(rgb, axis=1)).sum(axis=2)
        assert step[across].mean() > 1.5 * np.median(step[~across])


def test_eye_points_surround_the_eye_class(faces):
    checked = 0
    for face in faces:
        for points, own in ((slice(36, 42), FaceClass.RIGHT_EYE), (slice(42, 48), FaceClass.LEFT_EYE)):
            rows, columns = np.nonzero(face.surface.classes == own)
            if len(rows) < 20:
                continue
            checked += 1
            corners = face.landmarks_70[points]
            margin = 0.03 * box_size(face.landmarks_70) + 1
            low, high = corners.min(axis=0) - margin, corners.max(axis=0) + margin
            assert ((columns >= low[0]) & (columns <= high[0]) & (rows >= low[1]) & (rows <= high[1])).all()
    assert checked > 32


def test_pupils_lie_in_open_eyes(faces):
    hits, seen = 0, 0
    for face in faces:
        ids = inside(face.surface.classes, face.landmarks_70[68:])
        for found, own in zip(ids, (FaceClass.RIGHT_EYE, FaceClass.LEFT_EYE), strict=True):
            if (face.surface.classes == own).sum() > 25:
                seen += 1
                hits += found == own
    assert hits > 0.8 * seen


def test_the_subjects_right_is_image_left_when_frontal(lab_faces):
    for face in lab_faces:
        points, ids = face.landmarks_70, face.surface.classes
        assert points[68, 0] < points[69, 0]
        assert points[36, 0] < points[45, 0]
        assert points[0, 0] < points[8, 0] < points[16, 0]
        for right, left in ((FaceClass.RIGHT_EYE, FaceClass.LEFT_EYE), (FaceClass.RIGHT_BROW, FaceClass.LEFT_BROW)):
            assert np.nonzero(ids == right)[1].mean() < np.nonzero(ids == left)[1].mean()


def test_a_face_has_its_features(lab_faces):
    wanted = (
        "SKIN",
        "NOSE",
        "RIGHT_EYE",
        "LEFT_EYE",
        "RIGHT_BROW",
        "LEFT_BROW",
        "TOP_LIP",
        "BOTTOM_LIP",
        "NECK",
        "CLOTHING",
    )
    for face in lab_faces:
        present = set(np.unique(face.surface.classes))
        assert {int(FaceClass[name]) for name in wanted} <= present


def test_hidden_points_are_projected_not_dropped(faces):
    turned = max(faces, key=lambda f: np.ptp(f.landmarks_70[:, 1]) / np.ptp(f.landmarks_70[:, 0]))
    # In a head turned far the two eyes' outlines come close together, yet every point keeps its own place.
    assert len(np.unique(turned.landmarks_70.round(3), axis=0)) == 70
    ids = inside(turned.surface.classes, turned.landmarks_70[:17])
    assert (ids != FaceClass.BACKGROUND).sum() >= 12


def test_points_scale_with_the_image():
    small, large = render_face(_SEED, 5, 128), render_face(_SEED, 5, 256)
    # Integer coordinates are pixel centres, so the image's corner is at -0.5.
    np.testing.assert_allclose((small.landmarks_70 + 0.5) * 2, large.landmarks_70 + 0.5, atol=1e-6)


def test_accessories_appear_among_faces_and_are_labelled(faces):
    present = np.array([np.bincount(f.surface.classes.ravel(), minlength=256)[:19] > 30 for f in faces])
    for name in ("GLASSES", "HEADWEAR", "HAIR", "BEARD", "MOUTH_INTERIOR", "RIGHT_EAR", "LEFT_EAR"):
        assert present[:, FaceClass[name]].any(), name


@pytest.mark.parametrize(
    ("choice", "label"),
    [
        (person.Wardrobe("clear", False, False), FaceClass.GLASSES),
        (person.Wardrobe("opaque", False, False), FaceClass.GLASSES),
        (person.Wardrobe("none", True, False), FaceClass.HEADWEAR),
        (person.Wardrobe("none", False, True), FaceClass.FACEWEAR),
    ],
)
def test_what_is_worn_is_labelled(monkeypatch, choice, label):
    monkeypatch.setattr("heads.person.draw_wardrobe", lambda rng, lab: choice)
    face = render_face(_SEED, 2, _PIXELS, "lab")
    ids = face.surface.classes
    assert (ids == label).sum() > 100
    for other in {FaceClass.GLASSES, FaceClass.HEADWEAR, FaceClass.FACEWEAR} - {label}:
        assert not (ids == other).any()
    eyes = np.isin(ids, (FaceClass.RIGHT_EYE, FaceClass.LEFT_EYE))
    if choice.glasses == "clear":
        # The eyes stay eyes behind a clear lens, and the buffer knows of the lens.
        assert eyes.sum() > 20
        assert face.surface.lens[eyes].mean() > 0.8
    if choice.glasses == "opaque":
        assert not eyes.any()
    if choice.mask:
        assert (inside(ids, face.landmarks_70[48:68]) == FaceClass.FACEWEAR).mean() > 0.9


def test_lab_faces_are_frontal_bare_and_before_a_plain_sheet(lab_faces):
    for face in lab_faces:
        ids = face.surface.classes
        assert not np.isin(ids, (FaceClass.FACEWEAR, FaceClass.HEADWEAR)).any()
        assert face.rgb[ids == FaceClass.BACKGROUND].std(axis=0).max() < 12
        left, right, nose = face.landmarks_70[[45, 36, 30]]
        assert 0.35 < (nose[0] - right[0]) / (left[0] - right[0]) < 0.65


def test_the_setting_does_not_change_who_it_is():
    # Identity has its own stream: hair colour and shape are those of the wild face with this number.
    wild, lab = render_face(_SEED, 6, 128), render_face(_SEED, 6, 128, "lab")
    assert wild.rgb.shape == lab.rgb.shape
    hair_wild = wild.surface.classes == FaceClass.HAIR
    hair_lab = lab.surface.classes == FaceClass.HAIR
    assert hair_wild.any() == hair_lab.any()


def test_framing_is_like_the_real_archive(faces):
    size = np.array([box_size(f.landmarks_70) for f in faces]) / _PIXELS
    centre = np.array([(f.landmarks_70.min(axis=0) + f.landmarks_70.max(axis=0)) / 2 for f in faces]) / _PIXELS
    assert 0.28 < np.median(size) < 0.5
    assert (np.abs(np.median(centre, axis=0) - 0.5) < 0.08).all()


def test_unknown_settings_and_tiny_images_are_refused():
    with pytest.raises(ValueError, match="'studio'"):
        render_face(0, 0, 128, "studio")
    with pytest.raises(ValueError, match="found 16"):
        render_face(0, 0, 16)
