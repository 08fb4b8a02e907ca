"""A LoRA's training as a job: from stores and settings to files that diffusers and ComfyUI read."""

import logging
from dataclasses import asdict, dataclass, replace
from functools import partial
from pathlib import Path

import torch

from tfake.core.files import write_whole
from tfake.diffusion.flux_model import (
    LatentCoder,
    check_model,
    encode_prompts,
    model_identity,
    open_transformer,
    widen_input,
)
from tfake.diffusion.lora_files import save_lora, to_kohya
from tfake.diffusion.lora_pictures import KINDS, LoraFaces, LoraSource
from tfake.diffusion.lora_settings import LoraSettings
from tfake.diffusion.lora_training import VALIDATION_FACES, CachedPicture, TrainedLora, train_lora
from tfake.store.manifest import file_sha256
from tfake.training.curves import LossCurve, plot_loss_terms
from tfake.training.distributed import rank_zero_only
from tfake.training.training_job import TrainingJob
from tfake.training.training_settings import resolve_precision
from tfake.training.weights_file import run_digest, save_record

RECORDED_PACKAGES = ("torch", "diffusers", "transformers", "peft", "numpy")


@dataclass(frozen=True, kw_only=True)
class LoraJob(TrainingJob):
    """Everything a job reads, writes and is told, beside what every training does.

    Attributes:
        weights: the LoRA by diffusers' names, to write.
        comfyui: the same for ComfyUI.
        source: what to learn from.
        sums: the stores' checksum lists, and the table of attributes: what the run is told apart by.
        kind: ``text`` or ``control``.
        model: folder of the FLUX model.
        license: its licence, as the user states it.
        faces: how many faces to learn from, at most.
    """

    weights: str
    comfyui: str
    source: LoraSource
    sums: list[str]
    kind: str
    model: str
    license: str
    faces: int


def run_lora_job(job: LoraJob) -> None:
    """Train and write; of a group of processes the first one writes.

    Raises:
        FileNotFoundError: the model is not there, or not whole.
        ValueError: a setting or a store that cannot be used; the message names it.
        FloatingPointError: the loss is not finite any more.
        TrainingStoppedError: SIGTERM came; the checkpoint is written and the same job goes on from it.
    """
    prepared = job.prepare()
    settings = LoraSettings.from_mapping(job.settings)
    if job.kind not in KINDS:
        raise ValueError(f"a LoRA is one of {', '.join(KINDS)}; found {job.kind!r}")
    check_model(job.model)
    learnt, held_out = (
        LoraFaces(job.source, job.kind, part, most, settings.image_pixels)
        for part, most in (("train", job.faces), ("validation", VALIDATION_FACES))
    )
    logging.info("%d faces to learn from, %d to validate on", len(learnt), len(held_out))
    keys = ("batch", "image_pixels", "rank")
    with job.controlled(prepared, settings, partial(_digest, job), keys, "diffusion") as (chosen, control):
        number = network_dtype(chosen.precision, control.device)
        pictures, others = cache_pictures(job.model, [learnt, held_out], chosen, number, control.device)
        transformer = open_transformer(job.model, number)
        if job.kind == "control":
            widen_input(transformer)
        trained = train_lora(chosen, transformer, pictures, others, control)
        with rank_zero_only() as writes:
            if writes:
                _write_products(job, settings, trained, learnt, held_out, control.device)


def network_dtype(precision: str, device: torch.device) -> torch.dtype:
    """The number format of FLUX's frozen parts."""
    return torch.float32 if resolve_precision(precision, device) == "float32" else torch.bfloat16


def cache_pictures(
    model: str, parts: list[LoraFaces], settings: LoraSettings, number: torch.dtype, device: torch.device
) -> list[list[CachedPicture]]:
    """Latents and text embeddings of some sets of faces, each computed once.

    Args:
        model: the folder.
        parts: the sets.
        settings: of the run.
        number: of the text encoders.
        device: where to compute.
    """
    captions = [caption for faces in parts for caption in faces.captions]
    prompts = iter(encode_prompts(model, captions, settings.text_tokens, settings.t5_attention_mask, number, device))
    coder = LatentCoder(model, device)
    cached = []
    for faces in parts:
        latents = coder.encode_all(faces.pictures())
        empty = (latent[:, :0] for latent in latents)
        controls = coder.encode_all(faces.controls()) if faces.has_control else list(empty)
        cached.append([CachedPicture(*both, next(prompts)) for both in zip(latents, controls, strict=True)])
    return cached


def _write_products(
    job: LoraJob,
    settings: LoraSettings,
    trained: TrainedLora,
    learnt: LoraFaces,
    held_out: LoraFaces,
    device: torch.device,
) -> None:
    number = torch.float32 if trained.precision == "float32" else torch.bfloat16
    save_lora(job.weights, trained.tensors, number)
    save_lora(job.comfyui, to_kohya(trained.tensors), number)
    write_whole(job.losses, lambda part: trained.losses.to_csv(part, index=False, float_format="%.6g"))
    curves = {"total": LossCurve("flow matching")}
    if trained.losses["validation"].notna().any():
        curves["validation"] = LossCurve("the same on held-out faces", "#0f172a")
    title = f"LoRA {job.kind}, {len(trained.losses)} steps"
    write_whole(job.loss_figure, lambda part: plot_loss_terms(part, trained.losses, curves, title))
    record = {
        "kind": job.kind,
        "lora_sha256": file_sha256(job.weights),
        "comfyui_sha256": file_sha256(job.comfyui),
        "model": {"license": job.license, "files": model_identity(job.model)},
        "terms": {"model": job.license, "images": learnt.license},
        "is_radiometric": False,
        "source": {**asdict(job.source), "archive": [Path(path).name for path in job.source.archive]},
        "faces": {"train": len(learnt), "validation": len(held_out)},
        "captions": sorted(set(learnt.captions))[:20],
        "parameters": sum(value.numel() for value in trained.tensors.values()),
        "settings": settings.as_mapping(),
        "precision": trained.precision,
        "sources": [file_sha256(path) for path in job.sums],
        "device": device.type,
        "threads": torch.get_num_threads(),
    }
    save_record(job.provenance, record, RECORDED_PACKAGES)


def _digest(job: LoraJob, settings: LoraSettings) -> str:
    """Stands for everything the weights depend on, given the number format; where files lie is none of it."""
    source = job.source.variant, job.source.ambient_celsius, job.source.caption
    sums = [file_sha256(path) for path in job.sums]
    # Activations that are computed twice are the same.
    settings = replace(settings, gradient_checkpointing=True)
    return run_digest(settings, job.kind, job.faces, source, sums, model_identity(job.model))
