"""Flow matching in closed form; pictures, captions, files and class means of the LoRAs, without a model."""

from types import SimpleNamespace

import numpy as np
import pytest
import torch
from diffusers.loaders.lora_conversion_utils import _convert_kohya_flux_lora_to_diffusers

from heads import scene
from heads.description import describe_people
from heads.identity import draw_traits
from tfake.archive.file_trees import open_tree
from tfake.core.classes import FaceClass
from tfake.diffusion.captions import describe_face, fill_template, read_attributes
from tfake.diffusion.flow_matching import draw_sigma, mix_noise
from tfake.diffusion.lora_files import to_kohya
from tfake.diffusion.lora_settings import LoraSettings
from tfake.diffusion.recalibration import find_offsets, recalibrate
from tfake.diffusion.window_pictures import resize_celsius, to_celsius, to_picture, write_gray, write_sheet
from tfake.variants.imported import list_images, read_image


def test_the_true_velocity_leads_from_noise_to_the_picture():
    generator = torch.Generator().manual_seed(0)
    clean, noise = torch.randn(2, 2, 5, 4, generator=generator)
    ends = [mix_noise(clean, noise, torch.full((2,), level)).noisy for level in (0.0, 1.0)]
    assert torch.equal(ends[0], clean)
    assert torch.equal(ends[1], noise)
    found = noise.clone()
    for _ in range(7):
        found -= mix_noise(clean, noise, torch.rand(2)).velocity / 7
    torch.testing.assert_close(found, clean)


def test_each_picture_of_a_batch_has_its_own_level():
    mixed = mix_noise(torch.zeros(2, 3, 4), torch.ones(2, 3, 4), torch.tensor([0.25, 0.75])).noisy
    assert mixed[:, 0, 0].tolist() == [0.25, 0.75]


def test_noise_levels_are_drawn_as_named():
    levels = {kind: np.array([draw_sigma(np.random.default_rng(n), kind, 1.0) for n in range(4000)]) for kind in KINDS}
    normal = np.log(levels["logit_normal"] / (1 - levels["logit_normal"]))
    assert abs(normal.mean()) < 0.06
    assert abs(normal.std() - 1) < 0.05
    assert np.histogram(levels["uniform"], 4, (0, 1))[0].min() > 900
    shifted = np.array([draw_sigma(np.random.default_rng(n), "uniform", 3.0) for n in range(50)])
    plain = levels["uniform"][:50]
    np.testing.assert_allclose(shifted / (1 - shifted), 3 * plain / (1 - plain))


KINDS = ("uniform", "logit_normal")


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"image_pixels": 100}, "image_pixels must be a multiple of 16"),
        ({"rank": 0}, "rank must be at least 1"),
        ({"targets": "all"}, "targets must be one of blocks, attention"),
        ({"timesteps": "early"}, "timesteps must be one of"),
        ({"ema_decay": 0.9}, "ema_decay must be 0"),
        ({"precision": "float16"}, "precision must be auto, float32 or bfloat16"),
        ({"t5_mask": True}, "unknown training settings: t5_mask"),
    ],
)
def test_settings_that_cannot_train_are_named(changes, message):
    with pytest.raises(ValueError, match=message):
        LoraSettings.from_mapping(changes)


def test_temperatures_come_back_from_a_picture_and_from_its_file(tmp_path):
    celsius = np.linspace(18, 42, 64, dtype=np.float32).reshape(8, 8)
    celsius[0, 0] = np.nan
    picture = to_picture(celsius)
    assert picture.shape == (3, 8, 8)
    assert picture[0, 0, 0] == -1
    expected = np.clip(np.nan_to_num(celsius, nan=0), 20, 40)
    np.testing.assert_allclose(to_celsius(picture), expected, atol=1e-5)
    # The file that a variant is imported from.
    write_gray(tmp_path / "a_thermal.png", expected, 16)
    tree = open_tree(tmp_path, "pictures")
    np.testing.assert_allclose(read_image(tree, list_images(tree)["a"], 8), expected, atol=20 / 65535)
    write_sheet(tmp_path / "sheet.png", [expected] * 5)
    assert resize_celsius(expected, 4).shape == (4, 4)
    np.testing.assert_allclose(resize_celsius(expected, 4)[1, 1], expected[2:4, 2:4].mean(), rtol=1e-6)
    assert resize_celsius(expected, 16).shape == (16, 16)


def face(**changes):
    points = np.zeros((70, 2), np.float32)
    points[[60, 64, 62, 66]] = [[0, 5], [10, 5], [5, 3], [5, 7]]
    classes = np.full((20, 20), FaceClass.SKIN, np.uint8)
    known = {"head_pose": np.array([30.0, -20.0, 0.0]), "segmentation": classes, "landmarks_70": points}
    return SimpleNamespace(**known | changes)


TEMPLATE = "thermal picture of [person], [pose], [expression], [glasses], [headwear], [ambient]"


def test_labels_become_words():
    caption = fill_template(TEMPLATE, describe_face(face(), 22.6, {"person": "a woman"}))
    assert caption == (
        "thermal picture of a woman, turned to the right of the picture and looking down, mouth open, without glasses, "
        "in a room of 23 degrees Celsius"
    )
    worn = face(head_pose=np.array([np.nan] * 3))
    worn.segmentation[:2] = FaceClass.GLASSES
    worn.segmentation[2:4] = FaceClass.HEADWEAR
    worn.landmarks_70[66] = [5, 4]
    fields = describe_face(worn, 20, {"expression": "smiling"})
    assert "pose" not in fields
    assert fill_template("a face, [pose], [expression], [glasses], [headwear]", fields) == (
        "a face, smiling, wearing glasses, wearing a hat"
    )
    assert describe_face(worn, 20, {})["expression"] == "mouth closed"
    with pytest.raises(ValueError, match=r"no part of '\[person\]' can be filled"):
        fill_template("[person]", fields)
    with pytest.raises(ValueError, match=r"expected fields such as \[pose\], found \[\]"):
        fill_template("a []", fields)


def test_a_table_of_attributes_is_read_or_refused(tmp_path):
    (tmp_path / "a.csv").write_text("image_id,person,mood\n000001,a man,\n000002,,glad\n")
    assert read_attributes(tmp_path / "a.csv") == {"000001": {"person": "a man"}, "000002": {"mood": "glad"}}
    (tmp_path / "b.csv").write_text("id,person\n1,a man\n")
    with pytest.raises(ValueError, match="expected a column image_id, found id, person"):
        read_attributes(tmp_path / "b.csv")
    (tmp_path / "c.csv").write_text("image_id,person\n1,a man\n1,a man\n")
    with pytest.raises(ValueError, match=r"c\.csv, line 3: the id '1' is there twice"):
        read_attributes(tmp_path / "c.csv")


def test_procedural_people_are_those_that_are_rendered(monkeypatch):
    drawn = []

    def stop(stream, lab):
        drawn.append(draw_traits(stream("identity")).femininity)
        raise InterruptedError

    monkeypatch.setattr(scene, "draw_person", stop)
    for number in range(4):
        with pytest.raises(InterruptedError):
            scene.render_face(5, number, 64)
    told = list(describe_people(5, 40))
    assert [person["person"] for person in told[:4]] == ["a woman" if f > 0.5 else "a man" for f in drawn]
    assert len({person["person"] for person in told}) == 2
    assert len({person["expression"] for person in told}) >= 4


def test_class_means_are_moved_onto_those_of_the_variant():
    rng = np.random.default_rng(0)
    classes = rng.choice([FaceClass.SKIN, FaceClass.HAIR, FaceClass.IGNORE], (3, 16, 16)).astype(np.uint8)
    classes[0, 0, :5] = FaceClass.NOSE  # too few to be trusted
    references = np.where(classes == FaceClass.SKIN, 34.0, 28.0) + rng.normal(0, 0.1, classes.shape)
    pictures = np.where(classes == FaceClass.SKIN, 31.0, 29.5) + rng.normal(0, 1, classes.shape)
    offsets = find_offsets(pictures, references, classes)
    assert offsets.keys() == {FaceClass.SKIN, FaceClass.HAIR}
    moved = np.stack([recalibrate(*each, offsets) for each in zip(pictures, classes, strict=True)])
    for kind in offsets:
        assert moved[classes == kind].mean() == pytest.approx(references[classes == kind].mean(), abs=1e-3)
        # What differs between pixels stays.
        np.testing.assert_allclose(moved[classes == kind].std(), pictures[classes == kind].std(), rtol=1e-4)
    left = np.isin(classes, [FaceClass.NOSE, FaceClass.IGNORE])
    np.testing.assert_allclose(moved[left], pictures[left], rtol=1e-6)


WIDTH, RANK = 3072, 2
#: In and out of layers of FLUX.1, by diffusers' names below a block.
DOUBLE = {
    **{f"attn.{name}": (WIDTH, WIDTH) for name in ("to_q", "to_k", "to_v", "to_out.0")},
    **{f"attn.{name}": (WIDTH, WIDTH) for name in ("add_q_proj", "add_k_proj", "add_v_proj", "to_add_out")},
    "ff.net.0.proj": (WIDTH, 4 * WIDTH),
    "ff.net.2": (4 * WIDTH, WIDTH),
    "ff_context.net.0.proj": (WIDTH, 4 * WIDTH),
    "ff_context.net.2": (4 * WIDTH, WIDTH),
    "norm1.linear": (WIDTH, 6 * WIDTH),
    "norm1_context.linear": (WIDTH, 6 * WIDTH),
}
SINGLE = {
    **{f"attn.{name}": (WIDTH, WIDTH) for name in ("to_q", "to_k", "to_v")},
    "proj_mlp": (WIDTH, 4 * WIDTH),
    "proj_out": (5 * WIDTH, WIDTH),
    "norm.linear": (WIDTH, 3 * WIDTH),
}


def tensors_of(layers):
    generator = torch.Generator().manual_seed(0)
    found = {}
    for layer, (inner, outer) in layers.items():
        found[f"transformer.{layer}.lora_A.weight"] = torch.randn(RANK, inner, generator=generator)
        found[f"transformer.{layer}.lora_B.weight"] = torch.randn(outer, RANK, generator=generator)
    return found


def test_a_file_for_comfyui_is_read_by_diffusers_as_the_same_tensors():
    layers = {f"transformer_blocks.18.{name}": size for name, size in DOUBLE.items()}
    tensors = tensors_of(layers | {f"single_transformer_blocks.37.{name}": size for name, size in SINGLE.items()})
    kohya = to_kohya(tensors)
    names = {name.split(".")[0] for name in kohya}
    assert {"lora_unet_double_blocks_18_img_attn_qkv", "lora_unet_single_blocks_37_linear1"} < names
    assert all(kohya[f"{name}.alpha"] == len(kohya[f"{name}.lora_down.weight"]) for name in names)
    back = _convert_kohya_flux_lora_to_diffusers(dict(kohya))
    assert back.keys() == tensors.keys()
    assert all(torch.equal(back[name], tensors[name]) for name in tensors)


def test_parts_that_are_not_updated_are_zero_and_unknown_layers_refused():
    layers = {f"single_transformer_blocks.0.attn.{name}": (WIDTH, WIDTH) for name in ("to_q", "to_k", "to_v")}
    tensors = tensors_of(layers)
    back = _convert_kohya_flux_lora_to_diffusers(to_kohya(tensors))
    assert not back["transformer.single_transformer_blocks.0.proj_mlp.lora_B.weight"].any()
    assert all(torch.equal(back[name], tensors[name]) for name in tensors)
    with pytest.raises(ValueError, match=r"proj_out: FLUX as it was published has no such layer"):
        to_kohya(tensors_of({"proj_out": (4, 4)}))


def test_a_wider_input_is_said_to_comfyui():
    kohya = to_kohya(tensors_of({"x_embedder": (128, WIDTH)}))
    assert kohya.pop("lora_unet_img_in.reshape_weight").tolist() == [WIDTH, 128]
    # diffusers' converter leaves its prefix out.
    back = _convert_kohya_flux_lora_to_diffusers(kohya)
    assert back.keys() == {"x_embedder.lora_A.weight", "x_embedder.lora_B.weight"}


def test_a_pixel_without_a_temperature_in_either_moves_no_mean():
    kinds = np.full((20, 20), FaceClass.SKIN, np.uint8)
    picture = np.full((20, 20), 30.0, np.float32)
    picture[10:] = 20.0
    reference = np.full((20, 20), 33.0, np.float32)
    reference[10:] = np.nan
    assert find_offsets([picture], [reference], [kinds]) == {FaceClass.SKIN: pytest.approx(3.0)}
    assert find_offsets([reference], [picture], [kinds]) == {FaceClass.SKIN: pytest.approx(-3.0)}
