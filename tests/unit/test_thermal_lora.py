"""LoRAs of a tiny FLUX model: they learn, stop and go on to the bit, see a control image, and files are read back."""

import json
import shutil
from dataclasses import replace
from pathlib import Path

import cv2
import numpy as np
import pandas as pd
import pytest
import torch
from diffusers import FluxControlPipeline, FluxPipeline
from peft.utils import get_peft_model_state_dict
from safetensors.torch import load_file

from archives import sample_members, write_archive
from diffusion.describe_faces import describe_faces
from diffusion.generate_thermal import generate_thermal
from diffusion.train_thermal_lora import train_thermal_lora
from tfake.archive.index import build_index
from tfake.diffusion.flux_model import LatentCoder, Prompt, check_model, encode_prompts, model_identity, widen_input
from tfake.diffusion.generation import GenerationSettings, Order, generate
from tfake.diffusion.generation_job import GenerationJob
from tfake.diffusion.lora_files import save_lora, to_kohya
from tfake.diffusion.lora_job import LoraJob
from tfake.diffusion.lora_network import LoraVelocity, find_targets
from tfake.diffusion.lora_pictures import LoraFaces, LoraSource
from tfake.diffusion.lora_settings import LoraSettings
from tfake.diffusion.lora_training import CachedPicture, FlowSampler, train_lora
from tfake.training.loop import RunControl, TrainingStoppedError
from tfake.training.rng import ProcessShard
from tfake.training.weights_file import CheckpointFile
from tiny_dataset import PIXELS, ROWS, make_dataset
from tiny_flux import LATENT_CHANNELS, make_flux, tiny_transformer

pytestmark = pytest.mark.usefixtures("one_thread")
CPU = torch.device("cpu")
TOKENS, CHANNELS = 16, 4 * LATENT_CHANNELS
TINY = {
    "steps": 4,
    "rank": 2,
    "alpha": 4.0,
    "batch": 2,
    "image_pixels": 32,
    "precision": "float32",
    "validate_every": 2,
    "checkpoint_every": 2,
    "text_tokens": 24,
}


@pytest.fixture(scope="module")
def flux(tmp_path_factory):
    return make_flux(tmp_path_factory.mktemp("flux"))


def settings(**changes):
    return LoraSettings.from_mapping({**TINY, **changes})


def cached(count, control=False, seed=0):
    """Pictures with texts of unlike lengths."""
    generator = torch.Generator().manual_seed(seed)

    def draw(*shape):
        return torch.randn(shape, generator=generator)

    return [
        CachedPicture(
            draw(TOKENS, CHANNELS),
            draw(TOKENS, CHANNELS if control else 0),
            Prompt(draw(3 + 2 * number, 32), draw(32)),
        )
        for number in range(count)
    ]


def train(checkpoint=None, is_stopping=lambda: False, pictures=None, held_out=None, **changes):
    transformer, pictures = tiny_transformer(), pictures or cached(3)
    if pictures[0].control.shape[1]:
        widen_input(transformer)
    others = cached(2, seed=1) if held_out is None else held_out
    return train_lora(settings(**changes), transformer, pictures, others, RunControl(CPU, checkpoint, is_stopping))


def equal(first, second):
    return first.keys() == second.keys() and all(torch.equal(first[name], second[name]) for name in first)


def test_a_lora_learns_and_the_model_stays():
    before = tiny_transformer().state_dict()
    transformer = tiny_transformer()
    trained = train_lora(
        settings(steps=40, learning_rate=3e-2, batch=4), transformer, cached(2), cached(2)[:1], RunControl(CPU)
    )
    validation = trained.losses["validation"].dropna()
    assert validation.iloc[-1] < 0.95 * validation.iloc[0]
    after = transformer.state_dict()
    assert all(torch.equal(value, after.get(name, after.get(base(name)))) for name, value in before.items())
    assert all(name.startswith("transformer.") and name.endswith(".weight") for name in trained.tensors)
    assert {name.split(".lora_")[1] for name in trained.tensors} == {"A.weight", "B.weight"}


def base(name):
    stem, _, end = name.rpartition(".")
    return f"{stem}.base_layer.{end}"


def test_an_interrupted_run_ends_with_the_same_weights_and_keeps_the_lora_alone(tmp_path):
    whole = train()
    file = CheckpointFile(tmp_path / "checkpoint.pt", "run")
    answers = iter([False, False, True])
    with pytest.raises(TrainingStoppedError, match="after step 3 of 4"):
        train(file, lambda: next(answers))
    held = file.load()["network"]
    assert sum(value.numel() for value in held.values()) == sum(value.numel() for value in whole.tensors.values())
    resumed = train(file)
    assert equal(resumed.tensors, whole.tensors)
    pd.testing.assert_frame_equal(resumed.losses, whole.losses)
    assert not equal(train(seed=1).tensors, whole.tensors)


def test_activations_computed_twice_change_nothing():
    assert equal(train(gradient_checkpointing=False).tensors, train(gradient_checkpointing=True).tensors)


@pytest.mark.parametrize("targets", ["blocks", "attention"])
def test_the_layers_that_are_named_are_updated(targets):
    names = find_targets(tiny_transformer(), targets, has_control=False)
    linear = {name for name, part in tiny_transformer().named_modules() if isinstance(part, torch.nn.Linear)}
    in_blocks = {name for name in linear if "transformer_blocks" in name}
    assert set(names) == (in_blocks if targets == "blocks" else {name for name in in_blocks if ".attn." in name})
    found = {name.removeprefix("transformer.").split(".lora_")[0] for name in train(targets=targets).tensors}
    assert found == set(names)
    assert find_targets(tiny_transformer(), targets, has_control=True) == ["x_embedder", *names]


def network(alpha=4.0):
    torch.manual_seed(0)
    transformer = tiny_transformer()
    return LoraVelocity(transformer, 2, alpha, find_targets(transformer, "blocks", False), 3.0, "float32")


def test_padding_of_a_batch_is_not_seen():
    pictures = cached(3)
    (whole,) = FlowSampler(pictures, settings(batch=3)).batch(0)
    assert not whole.is_text.all()
    net = network()
    single = []
    for place, length in enumerate(whole.is_text.sum(dim=1)):
        alone = whole._map(lambda value, place=place: value[place : place + 1])
        single.append(net(replace(alone, text=alone.text[:, :length], is_text=alone.is_text[:, :length])))
    torch.testing.assert_close(net(whole), torch.stack(single).mean(), rtol=1e-5, atol=1e-6)
    seen = net(replace(whole, is_text=torch.ones_like(whole.is_text)))
    assert abs(seen - net(whole)) > 1e-5


def test_guidance_is_told_to_models_that_take_it():
    (batch,) = FlowSampler(cached(2), settings()).batch(0)
    told, other = network(), network()
    other._guidance = 7.0
    assert told(batch) != other(batch)
    torch.manual_seed(0)
    plain = tiny_transformer(guidance=False)
    net = LoraVelocity(plain, 2, 2.0, find_targets(plain, "attention", False), 3.0, "float32")
    assert torch.isfinite(net(batch))


def test_processes_make_the_parts_of_one_batch():
    whole = FlowSampler(cached(3), settings(batch=2)).batch(5)[0]
    parts = [FlowSampler(cached(3), settings(batch=2), ProcessShard(rank, 2)).batch(5)[0] for rank in range(2)]
    for rank, part in enumerate(parts):
        assert torch.equal(whole.noise[rank : rank + 1], part.noise)
        assert torch.equal(whole.sigmas[rank : rank + 1], part.sigmas)
    with pytest.raises(ValueError, match="no pictures to learn from"):
        FlowSampler([], settings())


def test_a_wider_model_begins_as_it_was_and_learns_its_control():
    pictures = cached(2, control=True)
    (batch,) = FlowSampler(pictures, settings()).batch(0)
    transformer = tiny_transformer()
    widen_input(transformer)
    assert (transformer.config.in_channels, transformer.config.out_channels) == (2 * CHANNELS, CHANNELS)
    torch.manual_seed(0)
    wide = LoraVelocity(transformer, 2, 4.0, find_targets(transformer, "blocks", True), 3.0, "float32")
    without = replace(batch, control=batch.control[:, :, :0])
    assert wide(batch) == network()(without)
    trained = train(pictures=pictures, held_out=cached(1, control=True, seed=1), steps=3)
    assert trained.tensors["transformer.x_embedder.lora_A.weight"].shape == (2, 2 * CHANNELS)
    assert trained.tensors["transformer.x_embedder.lora_B.weight"].any()


def loaded(flux, path, kind=FluxPipeline):
    pipeline = kind.from_pretrained(flux, local_files_only=True)
    pipeline.load_lora_weights(str(path.parent), weight_name=path.name, adapter_name="thermal")
    return pipeline.transformer, get_peft_model_state_dict(pipeline.transformer, adapter_name="thermal")


@pytest.mark.parametrize("is_comfyui", [False, True])
def test_files_are_loaded_by_diffusers_with_the_same_effect(flux, tmp_path, is_comfyui):
    """Alpha is not the rank here. Layers of single blocks have sizes of FLUX.1 in diffusers' converter."""
    transformer = tiny_transformer()
    trained = train_lora(settings(learning_rate=0.1), transformer, cached(3), [], RunControl(CPU))
    path = tmp_path / "lora.safetensors"
    double = {name: value for name, value in trained.tensors.items() if ".transformer_blocks." in f".{name[12:]}"}
    tensors = double if is_comfyui else trained.tensors
    save_lora(path, to_kohya(tensors) if is_comfyui else tensors, torch.float32)
    first = path.read_bytes()
    save_lora(path, to_kohya(tensors) if is_comfyui else tensors, torch.float32)
    assert path.read_bytes() == first
    read, state = loaded(flux, path)
    assert equal({f"transformer.{name}": value for name, value in state.items()}, tensors)
    if not is_comfyui:
        (batch,) = FlowSampler(cached(2), settings()).batch(0)
        # The loaded model has alpha = rank, and the factor in its weights.
        net = network()
        object.__setattr__(net, "transformer", transformer)
        expected = net._velocity(batch.clean, batch)
        object.__setattr__(net, "transformer", read)
        torch.testing.assert_close(net._velocity(batch.clean, batch), expected)


def test_a_model_that_is_not_whole_is_told_with_what_was_expected(flux, tmp_path):
    check_model(flux)
    with pytest.raises(FileNotFoundError, match=r"is not there; it lacks model_index.json.*nothing is downloaded"):
        check_model(tmp_path / "nowhere")
    part = tmp_path / "part"
    shutil.copytree(flux, part)
    (part / "vae/diffusion_pytorch_model.safetensors").unlink()
    shutil.rmtree(part / "tokenizer_2")
    with pytest.raises(FileNotFoundError, match=r"lacks tokenizer_2, vae/\*\.safetensors\. Expected is a FLUX model"):
        check_model(part)
    (tmp_path / "flux1-dev.safetensors").touch()
    with pytest.raises(FileNotFoundError, match="is a file"):
        check_model(tmp_path / "flux1-dev.safetensors")
    assert model_identity(flux) != model_identity(part)


def test_a_masked_text_has_its_own_tokens_alone(flux):
    texts = ["a man, smiling", "a woman", "a man, smiling"]
    masked = encode_prompts(flux, texts, 24, True, torch.float32, CPU)
    padded = encode_prompts(flux, texts, 24, False, torch.float32, CPU)
    assert [len(prompt.tokens) for prompt in masked] == [16, 9, 16]
    assert {len(prompt.tokens) for prompt in padded} == {24}
    assert masked[0] is masked[2]
    assert torch.equal(masked[0].pooled, padded[0].pooled)
    # T5 with an attention mask is T5 without padding.
    pipeline = FluxPipeline.from_pretrained(flux, transformer=None, vae=None, local_files_only=True)
    told = pipeline.tokenizer_2(texts[:2], padding=True, return_tensors="pt")
    with torch.no_grad():
        expected = pipeline.text_encoder_2(told.input_ids, attention_mask=told.attention_mask)[0]
    torch.testing.assert_close(masked[1].tokens, expected[1, :9], rtol=1e-4, atol=1e-5)
    # Unmasked ones are the pipeline's own.
    embedded, pooled, _ = pipeline.encode_prompt(texts[:1], max_sequence_length=24)
    torch.testing.assert_close(padded[0].tokens, embedded[0])
    torch.testing.assert_close(padded[0].pooled, pooled[0])


def test_latents_are_those_of_the_pipeline(flux):
    picture = np.random.default_rng(0).uniform(-1, 1, (3, 32, 32)).astype(np.float32)
    coder = LatentCoder(flux, CPU)
    packed = coder.encode(picture)
    assert packed.shape == (4, CHANNELS)
    pipeline = FluxPipeline.from_pretrained(flux, local_files_only=True)
    with torch.no_grad():
        latents = (pipeline.vae.encode(torch.from_numpy(picture)[None]).latent_dist.mean - 0.1) * 0.4
        shown = pipeline.vae.decode(latents / 0.4 + 0.1).sample[0]
    unpacked = pipeline._unpack_latents(packed[None], 32, 32, 8)
    torch.testing.assert_close(unpacked, latents)
    np.testing.assert_allclose(coder.decode(packed, 32), shown, rtol=1e-4, atol=1e-5)


@pytest.fixture(scope="module")
def results(tmp_path_factory):
    """Stores of ten faces, and the archive with their visible images."""
    folder = tmp_path_factory.mktemp("run")
    members = {}
    for number in range(ROWS):
        members |= sample_members(number, PIXELS)
    archive = write_archive(folder / "faces.zip", members)
    source = build_index([archive], ROWS, PIXELS).attrs["source_sha256"]
    make_dataset(folder / "results", source_sha256=source)
    describe_faces(str(folder / "attributes.csv"), 1, ROWS)
    return folder


CAPTION = "heat of [person], [pose], [glasses]"


def source_of(results):
    return LoraSource(
        str(results / "results"), "warm", [str(results / "faces.zip")], 26.0, CAPTION, str(results / "attributes.csv")
    )


def lora_job(results, flux, folder, kind, **changes):
    files = ("weights.safetensors", "comfyui.safetensors", "provenance", "losses", "loss_figure", "checkpoint")
    known = {
        "source": source_of(results),
        "sums": [str(results / "results/faces/SHA256SUMS"), str(results / "results/variants/warm/SHA256SUMS")],
        "kind": kind,
        "model": str(flux),
        "license": "Apache-2.0",
        "faces": 3,
        "settings": TINY | {"steps": 2, "alpha": 2.0},
        "device": "cpu",
        "threads": 1,
    }
    return LoraJob(**{name.split(".")[0]: str(folder / name) for name in files}, **known | changes)


def generation_job(job, folder, **changes):
    known = {
        "folder": str(folder / "pictures"),
        "manifest": str(folder / "manifest.json"),
        "sheet": str(folder / "sheet.png"),
        "lora": job.weights,
        "training": job.settings,
        "settings": {"images": 2, "steps": 2, "part": "train"},
    }
    shared = {name: getattr(job, name) for name in ("source", "kind", "model", "license", "device", "threads")}
    return GenerationJob(**known, **shared | changes)


def test_text_to_thermal_from_the_stores_to_pictures(results, flux, tmp_path):
    job = lora_job(results, flux, tmp_path, "text")
    train_thermal_lora(job)
    record = json.loads(Path(job.provenance).read_text())
    assert record["terms"] == {"model": "Apache-2.0", "images": "CC0-1.0"}
    assert record["model"]["files"] == model_identity(flux)
    assert record["faces"]["train"] == 3
    assert all(caption.startswith(("heat of a man, ", "heat of a woman, ")) for caption in record["captions"])
    assert not record["is_radiometric"]
    assert len(pd.read_csv(job.losses)) == 2
    assert cv2.imread(job.loss_figure) is not None
    assert not Path(job.checkpoint).exists()
    assert {name.split(".")[0] for name in load_file(job.weights)} == {"transformer"}
    assert all(name.startswith("lora_unet_") for name in load_file(job.comfyui))

    generate_thermal(order := generation_job(job, tmp_path))
    manifest = json.loads(Path(order.manifest).read_text())
    assert not manifest["is_radiometric"]
    assert [entry["file"] for entry in manifest["pictures"]] == ["000000.png", "000001.png"]
    pictures = [cv2.imread(f"{order.folder}/00000{number}.png", cv2.IMREAD_UNCHANGED) for number in range(2)]
    assert all(picture.shape == (32, 32) and picture.dtype == np.uint8 for picture in pictures)
    assert not np.array_equal(*pictures)

    own = replace(order, settings={"images": 1, "steps": 2, "prompts": ["a man"]})
    generate_thermal(own)
    assert [path.name for path in Path(order.folder).iterdir()] == ["000000.png"]
    manifest = json.loads(Path(own.manifest).read_text())
    assert [entry["prompt"] for entry in manifest["pictures"]] == ["a man"]
    assert "described_row" not in manifest["pictures"][0]


def test_faces_that_the_table_of_attributes_lacks_are_told(results, tmp_path, caplog):
    (tmp_path / "own.csv").write_text("image_id,person\n0,a woman\n")
    faces = LoraFaces(replace(source_of(results), attributes=str(tmp_path / "own.csv")), "text", "train", 2, 32)
    assert all("woman" not in caption for caption in faces.captions)
    assert "of 2 of 2 faces the labels alone are told" in caplog.text


def test_control_keeps_the_labels_and_the_means(results, flux, tmp_path):
    job = lora_job(results, flux, tmp_path, "control", settings=TINY | {"steps": 2, "precision": "bfloat16"})
    train_thermal_lora(job)
    assert {value.dtype for value in load_file(job.weights).values()} == {torch.bfloat16}
    assert load_file(job.comfyui)["lora_unet_img_in.reshape_weight"].tolist() == [32, 2 * CHANNELS]
    transformer, _ = loaded(flux, Path(shutil.copy(job.weights, tmp_path / "a.safetensors")), FluxControlPipeline)
    assert transformer.config.in_channels == 2 * CHANNELS
    generate_thermal(order := generation_job(job, tmp_path))
    manifest = json.loads(Path(order.manifest).read_text())
    assert manifest["is_radiometric"]
    assert {"SKIN", "BACKGROUND"} == set(manifest["offsets_kelvin"])
    entry = manifest["pictures"][1]
    assert entry["file"] == f"{entry['image_id']}_thermal.png"
    assert int(entry["image_id"]) == entry["row"]
    picture = cv2.imread(f"{order.folder}/{entry['file']}", cv2.IMREAD_UNCHANGED)
    assert (picture.shape, picture.dtype) == ((PIXELS, PIXELS), np.uint16)
    plain = replace(order, folder=str(tmp_path / "plain"), settings={**order.settings, "recalibrated": False})
    generate_thermal(plain)
    manifest = json.loads(Path(plain.manifest).read_text())
    assert (manifest["is_radiometric"], manifest["offsets_kelvin"]) == (False, None)


def test_a_picture_follows_from_its_own_seed_and_its_control(flux, tmp_path):
    pictures = cached(2, control=True)
    trained = train(pictures=pictures, held_out=[], learning_rate=0.1)
    save_lora(path := tmp_path / "lora.safetensors", trained.tensors, torch.float32)
    prompt = pictures[0].prompt
    here, other = (Order(prompt, control, 5) for control in (pictures[0].control, pictures[1].control))

    def make(*orders, **changes):
        chosen = GenerationSettings(steps=2, **changes)
        return list(generate(flux, path, orders, chosen, 64, torch.float32, CPU))

    alone, _, changed = *make(here), None, make(other, here)
    assert np.array_equal(alone, changed[1])
    assert not np.array_equal(alone, changed[0])
    assert not np.array_equal(alone, make(replace(here, number=6))[0])
    assert not np.array_equal(alone, make(here, strength=0.0)[0])


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"kind": "both"}, "a LoRA is one of text, control; found 'both'"),
        ({"settings": TINY | {"rank": 0}}, "rank must be at least 1"),
        ({"model": "nowhere"}, "diffusion.model: nowhere is not there"),
    ],
)
def test_a_job_that_cannot_be_done_is_told(results, flux, tmp_path, changes, message):
    with pytest.raises((ValueError, FileNotFoundError), match=message):
        train_thermal_lora(lora_job(results, flux, tmp_path, **{"kind": "text"} | changes))
