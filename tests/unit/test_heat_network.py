"""A thermalizer with a heat field: it renders the field, learns what the image adds, and does without it, too."""

from dataclasses import replace

import numpy as np
import pytest
import torch

from heads.scene import render_face
from heated_faces import PIXELS, face, faces
from tfake.archive.pairs import Pair
from tfake.core.classes import FaceClass
from tfake.heat.face_heat import FaceHeat, unknown_field
from tfake.heat.field import heat_field
from tfake.heat.registration import register_face
from tfake.heat.subject import SubjectState, draw_subject
from tfake.imaging.crops import CropSettings, build_pyramid, warp_linear
from tfake.imaging.foreground import fill_glasses, mask_background
from tfake.thermalizer.face_fields import FaceSurface
from tfake.thermalizer.inference import Thermalizer
from tfake.thermalizer.pair_sampling import PairSampler, SourceSampler, TrainingData
from tfake.thermalizer.thermal_unet import Architecture, ThermalUNet
from tfake.thermalizer.thermalizer_file import FORMAT, load_thermalizer, save_weights
from tfake.training.weights_file import save_payload
from tiny_training import PRIOR, make_bank, run

pytestmark = pytest.mark.usefixtures("one_thread")
CPU, ROOM = torch.device("cpu"), 22.0
HEATED = Architecture("resnet18", (16, 8, 8), (10.0, 45.0), heat_field=True)
CROP = CropSettings(pixels=64, largest_zoom=1.0, rotation_degrees=20, shear_degrees=8, photometric_strength=0.0)


@pytest.fixture
def network():
    torch.manual_seed(0)
    return ThermalUNet(HEATED).eval()


def images(count=2, pixels=64):
    rng = np.random.default_rng(1)
    rgb = torch.from_numpy(rng.integers(0, 256, (count, 3, pixels, pixels), dtype=np.uint8))
    classes = torch.from_numpy(rng.integers(0, 19, (count, pixels, pixels), dtype=np.uint8))
    field = torch.from_numpy(rng.uniform(15, 38, (count, 1, pixels, pixels)).astype(np.float32))
    return rgb, classes, field


def test_an_untrained_network_gives_the_field_back(network):
    rgb, classes, field = images()
    found = network(rgb, classes, None, field)
    assert found.dtype == torch.float32
    assert (found - field).abs().max() < 1e-3
    # No step of a class shows in it, whatever the network has learnt of classes.
    torch.nn.init.normal_(network.offset.weight)
    assert (network(rgb, classes, None, field) - field).abs().max() < 1e-3


def test_temperatures_beyond_the_range_stay_finite(network):
    rgb, classes, field = images(1)
    with torch.inference_mode():
        found = network(rgb, classes, None, torch.where(field > 30, 60.0, -20.0))
    assert found.min() == pytest.approx(10.0035, abs=1e-3)
    assert found.max() == pytest.approx(44.9965, abs=1e-3)


def test_where_the_field_is_not_known_the_network_is_as_without(network):
    rgb, classes, field = images()
    torch.nn.init.normal_(network.offset.weight, std=0.1)
    torch.nn.init.normal_(network.correction.weight)
    plain = network(rgb, classes)
    field[0] = torch.nan
    field[1, :, :30] = torch.nan
    found = network(rgb, classes, None, field)
    torch.testing.assert_close(found[0], plain[0], rtol=0, atol=0)
    torch.testing.assert_close(found[1, :, :30], plain[1, :, :30], rtol=0, atol=0)
    assert (found[1, :, 30:] - plain[1, :, 30:]).abs().min() > 0
    twin = ThermalUNet(replace(HEATED, heat_field=False)).eval()
    twin.load_state_dict({name: value for name, value in network.state_dict().items() if "correction" not in name})
    torch.testing.assert_close(twin(rgb, classes, None, field), plain, rtol=0, atol=0)


def test_gradients_reach_the_path_that_made_a_pixel_and_are_finite(network):
    rgb, classes, field = images()
    for known, reached, still in (
        (field, "correction", "head"),
        (torch.full_like(field, torch.nan), "head", "correction"),
    ):
        network.zero_grad()
        network(rgb, classes, None, known).square().mean().backward()
        assert all(value.grad is None or value.grad.isfinite().all() for value in network.parameters())
        norms = {
            name: sum(float(p.grad.abs().sum()) for p in getattr(network, name).parameters() if p.grad is not None)
            for name in ("correction", "head", "offset")
        }
        assert norms[reached] > 0
        assert norms[still] == 0
        assert (norms["offset"] > 0) == (reached == "head")


def test_weights_come_back_and_older_files_take_no_field(network, tmp_path):
    rgb, classes, field = images()
    torch.nn.init.normal_(network.correction.weight, std=0.1)
    save_weights(tmp_path / "new.pt", network, "warm")
    loaded = load_thermalizer(tmp_path / "new.pt", CPU, expected=HEATED).network
    torch.testing.assert_close(loaded(rgb, classes, None, field), network(rgb, classes, None, field), rtol=0, atol=0)
    old = ThermalUNet(replace(HEATED, heat_field=False))
    named = {"encoder": "resnet18", "decoder_channels": (16, 8, 8), "output_celsius": (10.0, 45.0)}
    more = {"class_offset": True, "ambient_celsius": None, "condition": "warm", "tensors": old.state_dict()}
    save_payload(tmp_path / "old.pt", {"format": FORMAT, **named, **more})
    assert load_thermalizer(tmp_path / "old.pt", CPU).network.architecture == old.architecture


def test_a_face_with_a_mesh_has_the_field_of_the_person_of_its_seed_and_id():
    shown = face()
    heat = FaceHeat(seed=7, state=SubjectState(fever_kelvin=1.0))
    found = heat.render(shown.mesh, shown.surface.classes, shown.rgb, ROOM, "000012")
    surface = register_face(shown.mesh, shown.surface.classes, shown.rgb)
    person = draw_subject(7, "000012", SubjectState(fever_kelvin=1.0))
    np.testing.assert_array_equal(found, heat_field(surface, ROOM, person).celsius)
    np.testing.assert_array_equal(found, heat.render(shown.mesh, shown.surface.classes, shown.rgb, ROOM, "000012"))
    other = heat.render(shown.mesh, shown.surface.classes, shown.rgb, ROOM, "000013")
    assert np.abs(found - other).max() > 0.3
    mean = FaceHeat(persons="mean").render(shown.mesh, shown.surface.classes, shown.rgb, ROOM, "000012")
    np.testing.assert_array_equal(mean, heat_field(surface, ROOM).celsius)
    assert np.isnan(heat.render(None, shown.surface.classes, shown.rgb, ROOM, "000012")).all()


def test_wrong_persons_are_named():
    with pytest.raises(ValueError, match="persons must be 'drawn' or 'mean'; found 'median'"):
        FaceHeat.from_mapping({"persons": "median"})
    with pytest.raises(ValueError, match="the mean person has no state"):
        FaceHeat.from_mapping({"persons": "mean", "state": {"fever_kelvin": 1.0}})
    assert FaceHeat.from_mapping({"seed": 3, "state": {"breath": 0.5}}) == FaceHeat(3, state=SubjectState(breath=0.5))


def test_faces_with_and_without_a_field_share_a_batch(network):
    thermalizer = Thermalizer(network, CPU, "float32")
    torch.nn.init.normal_(network.correction.weight, std=0.1)
    shown = [face(number) for number in range(2)]
    rgb, classes = np.stack([f.rgb for f in shown]), np.stack([f.surface.classes for f in shown])
    field = FaceHeat().render(shown[0].mesh, classes[0], rgb[0], ROOM, "a")
    fields = np.stack((field, unknown_field(field.shape)))
    found = thermalizer.thermalize(rgb, classes, ROOM, fields)
    np.testing.assert_array_equal(found[1], thermalizer.thermalize(rgb[1:], classes[1:], ROOM)[0])
    tensors = [torch.from_numpy(mask_background(rgb[:1], classes[:1])).permute(0, 3, 1, 2)]
    tensors += [torch.from_numpy(fill_glasses(classes[0]))[None], None, torch.from_numpy(field)[None, None]]
    with torch.inference_mode():
        by_hand = network(*tensors)[0, 0].numpy()
    by_hand[classes[0] == FaceClass.BACKGROUND] = ROOM
    np.testing.assert_array_equal(found[0], by_hand)
    each = list(thermalizer.thermalize_each(zip(rgb, classes, fields, strict=True), ROOM))
    np.testing.assert_array_equal(np.stack(each), found)
    with pytest.raises(ValueError, match=r"field must be \(2, 128, 128\) float32"):
        thermalizer.thermalize(rgb, classes, ROOM, fields[:1])


def test_a_pair_has_the_mean_person_s_field_of_its_room_moved_with_the_image():
    shown = face()
    thermal = np.full(shown.surface.classes.shape, 30.0, np.float32)
    pair = Pair("a", shown.rgb, thermal, shown.surface.classes, "", 19.0, None, shown.mesh)
    expected = heat_field(register_face(shown.mesh, shown.surface.classes, shown.rgb), 19.0).celsius
    # The field in the place of the thermal image: what is sampled of one must be sampled of the other.
    batch = PairSampler([replace(pair, thermal=expected)], CROP, 4, 0, ROOM, with_field=True).batch(0)
    torch.testing.assert_close(batch.field, batch.thermal, rtol=0, atol=0)
    for without in (replace(pair, points=None), replace(pair, classes=None)):
        assert PairSampler([without], CROP, 4, 0, ROOM, with_field=True).batch(0).field.isnan().all()
    assert PairSampler([pair], CROP, 4, 0, ROOM).batch(0).field.isnan().all()


def test_each_crop_of_a_source_shows_another_person_and_some_none():
    sources, meshes = faces(1)
    make = SourceSampler(sources, CROP, 40, 0, (ROOM, ROOM), meshes=meshes, field_dropout=0.5)
    batch = make.batch(0)
    dropped = batch.field.isnan().flatten(1)
    assert (dropped.all(1) == dropped.any(1)).all()
    assert 8 <= dropped.all(1).sum() <= 32
    skin = (batch.classes == FaceClass.SKIN) & ~dropped.reshape(batch.classes.shape)
    means = [batch.field[i, 0][skin[i]].mean() for i in range(40) if skin[i].sum() > 200]
    assert torch.stack(means).std() > 0.1
    again = SourceSampler(sources, CROP, 40, 0, (ROOM, ROOM), meshes=meshes, field_dropout=0.5, cache_bytes=0).batch(0)
    for name, value in vars(batch).items():
        torch.testing.assert_close(vars(again)[name], value, rtol=0, atol=0, equal_nan=True)
    plain = SourceSampler(sources, CROP, 40, 0, (ROOM, ROOM)).batch(0)
    assert plain.field.isnan().all()
    torch.testing.assert_close(plain.rgb, batch.rgb, rtol=0, atol=0)
    absent = SourceSampler(sources, CROP, 4, 0, (ROOM, ROOM), meshes=[None]).batch(0)
    assert absent.field.isnan().all()


def test_a_kept_surface_is_coarser_and_gives_nearly_the_whole_one_s_field():
    shown, matrix = render_face(3, 0, 512, "lab"), np.array([[2.0, 0, 0.5], [0, 2.0, 0.5]])
    classes = shown.surface.classes
    field = heat_field(register_face(shown.mesh, classes, shown.rgb), ROOM).celsius
    expected = warp_linear(build_pyramid(field), matrix, 256)
    kept = FaceSurface(shown.mesh, classes, shown.rgb, crop_pixels=160)
    found = kept.crop(matrix, 256, ROOM, None)
    whole = FaceSurface(shown.mesh, classes, shown.rgb, crop_pixels=256)
    assert kept.nbytes < 0.3 * whole.nbytes
    np.testing.assert_array_equal(whole.crop(matrix, 256, ROOM, None).celsius, expected)
    skin = np.isin(classes[::2, ::2], (FaceClass.SKIN, FaceClass.NOSE))
    assert np.abs(found.celsius - expected)[skin].mean() < 0.1
    # sqrt(w h) of a lab face is .40 of the image, and 13.5 cm.
    assert found.pixels_per_cm == pytest.approx(256 * 0.40 / 13.5, rel=0.1)


def learn_hair(**changes):
    """Pairs whose hair is 2 K colder than the field says; sources whose field nobody may leave."""
    sources, meshes = faces(3)
    pairs = []
    for number, (rgb, classes) in enumerate(sources):
        thermal = FaceHeat(persons="mean").render(meshes[number], classes, rgb, ROOM, "")
        thermal = thermal - np.float32(2.0) * (classes == FaceClass.HAIR)
        pairs.append(Pair(f"{number}", rgb, thermal, classes, "", ROOM, None, meshes[number]))
    rooms = (ROOM, ROOM)
    data = TrainingData(
        pairs, ["a", "b", "c"], "celsius", "absolute", sources, make_bank(), PRIOR, rooms, meshes=meshes
    )
    return run(data, steps=60, learning_rate=0.01, weight_wasserstein=0.0, validation_share=0.0, **changes)


def test_training_learns_what_the_image_adds_and_leaves_skin_to_the_field():
    trained = learn_hair(weight_prior=0.0, field_dropout=0.0)
    (rgb, classes), mesh = faces(1)[0][0], faces(1)[1][0]
    field = FaceHeat().render(mesh, classes, rgb, ROOM, "x")
    found = Thermalizer(trained.network, CPU, "float32").thermalize(rgb[None], classes[None], ROOM, field[None])[0]
    inner = {c: (classes == c) for c in (FaceClass.HAIR, FaceClass.SKIN)}
    assert (found - field)[inner[FaceClass.HAIR]].mean() == pytest.approx(-2.0, abs=0.7)
    assert (found - field)[inner[FaceClass.SKIN]].mean() == pytest.approx(0.0, abs=0.4)
    assert found.shape == (PIXELS, PIXELS)


def test_a_training_with_fields_is_the_same_every_time():
    one, two = (learn_hair().losses for _ in range(2))
    assert one.equals(two)
