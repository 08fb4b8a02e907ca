"""The adapter of LivePortrait, a script in its place: what it is told and gives, and what its greys become."""

import os
import sys
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from still_faces import PIXELS, still_picture
from tfake.core.classes import FaceClass
from tfake.core.codes import RetargetStatus
from tfake.retargeting.animation import Animation
from tfake.retargeting.live_portrait import LivePortrait, LivePortraitError, Repainting, as_grey, recalibrate
from tfake.retargeting.mesh_motion import rest_motion

#: Stands for inference.py: a film of four frames, the still a little brighter in each.
SCRIPT = """
import sys
import av, cv2
words = dict(zip(sys.argv[1::2], sys.argv[2::2]))
still = cv2.imread(words["-s"])
name = "still--" + words["-d"].rsplit("/", 1)[1].split(".")[0] + ".mp4"
# As it does.
open(words["-d"].rsplit(".", 1)[0] + ".pkl", "wb").close()
with av.open(words["-o"] + "/" + name, "w") as film:
    stream = film.add_stream("libx264rgb", rate=2, options={"qp": "0", "preset": "ultrafast"})
    stream.height, stream.width, stream.pix_fmt = *still.shape[:2], "rgb24"
    for number in range(4):
        film.mux(stream.encode(av.VideoFrame.from_ndarray(still[..., ::-1] // 32 * 32 + number, format="rgb24")))
    film.mux(stream.encode())
"""


@pytest.fixture
def tool(tmp_path) -> LivePortrait:
    (tmp_path / "inference.py").write_text(SCRIPT)
    return LivePortrait(tmp_path, sys.executable, on_gpu=True)


@pytest.fixture
def film(tmp_path) -> Path:
    (tmp_path / "films").mkdir()
    (tmp_path / "films/my.driver.mp4").write_bytes(b"a film")
    return tmp_path / "films/my.driver.mp4"


def test_it_is_run_on_still_and_film(tool, film):
    still = still_picture().rgb
    frames = tool.animate(still, film, [0.0, 0.5, 1.5, 2.0])
    assert frames.shape == (4, PIXELS, PIXELS, 3)
    # Beyond its end, at 1.5 s, the film runs backwards.
    for place, shown in enumerate((0, 1, 3, 2)):
        np.testing.assert_array_equal(frames[place], still // 32 * 32 + shown)
    # What it leaves beside the film is not left beside the user's.
    assert list(film.parent.iterdir()) == [film]


def test_paths_are_seen_from_where_the_workflow_runs(tool, film, monkeypatch):
    monkeypatch.chdir(tool.checkout.parent)
    os.symlink(sys.executable, "python")
    near = LivePortrait(Path(tool.checkout.name), "./python", on_gpu=True)
    (tool.checkout / "inference.py").write_text("import sys; raise SystemExit(f'it was {sys.argv[0]}')")
    with pytest.raises(LivePortraitError, match=r"ended with 1; .* it was inference\.py"):
        near.animate(np.zeros((64, 64, 3), np.uint8), film.relative_to(Path.cwd()), [0.0])


@pytest.mark.parametrize(("on_gpu", "words"), [(True, ""), (False, "--flag_force_cpu")])
def test_it_computes_where_it_is_told(tool, film, on_gpu, words):
    (tool.checkout / "inference.py").write_text("import sys; raise SystemExit(f'and {sys.argv[7:]}')")
    with pytest.raises(LivePortraitError) as caught:
        replace(tool, on_gpu=on_gpu).animate(np.zeros((64, 64, 3), np.uint8), film, [0.0])
    assert str(caught.value).endswith(f"and {[words] if words else []}")


def test_a_failure_has_its_last_words(tool, film):
    (tool.checkout / "inference.py").write_text("raise SystemExit('no weights here')")
    with pytest.raises(
        LivePortraitError, match=r"ended with 1; expected still--film\.mp4, found no film: no weights here"
    ):
        tool.animate(np.zeros((64, 64, 3), np.uint8), film, [0.0])


def test_each_class_has_the_stills_mean_again():
    rng = np.random.default_rng(0)
    classes = np.zeros((40, 40), np.uint8)
    classes[10:30] = FaceClass.SKIN
    classes[0, :5] = FaceClass.HAIR
    celsius = (22.0 + 11.0 * (classes == FaceClass.SKIN) + rng.normal(0, 0.5, classes.shape)).astype(np.float32)
    grey, low, high = as_grey(celsius)
    # Without an error of the network, only rounding is left.
    exact = recalibrate(grey, classes, (low, high), celsius, classes)
    np.testing.assert_allclose(exact, celsius, atol=(high - low) / 255 + 0.01)
    # A network that makes everything darker and the skin flatter.
    painted = (grey * 0.8).astype(np.uint8)
    found = recalibrate(painted, classes, (low, high), celsius, classes)
    for face_class in (FaceClass.BACKGROUND, FaceClass.SKIN):
        assert found[classes == face_class].mean() == pytest.approx(celsius[classes == face_class].mean(), abs=0.01)
    # Five pixels are no mean to go by.
    assert found[0, :5].mean() < celsius[0, :5].mean() - 0.2


def test_a_repeated_frame_repeats_its_pictures(tool, film):
    picture = still_picture()
    portrait = Repainting(tool, picture, film, [0.0, 0.5, 1.0])
    frames = [
        portrait.repaint(k, frame)
        for k, frame in enumerate(Animation(picture, 35.0, [rest_motion(), None, rest_motion()]))
    ]
    assert [frame.status for frame in frames] == [RetargetStatus.OK, RetargetStatus.NO_DRIVER, RetargetStatus.OK]
    np.testing.assert_array_equal(frames[0].picture.rgb, frames[1].picture.rgb)
    assert (frames[2].picture.rgb != frames[0].picture.rgb).any()
    skin = picture.classes == FaceClass.SKIN
    assert frames[2].picture.celsius[skin].mean() == pytest.approx(picture.celsius[skin].mean(), abs=0.01)
