"""Generation as a job: pictures of a LoRA as PNG, and a manifest of what each was made from."""

import logging
import shutil
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from tfake.core.devices import explain_full_memory
from tfake.diffusion.flux_model import LatentCoder, check_model, encode_prompts, model_identity
from tfake.diffusion.generation import GenerationSettings, Order, generate
from tfake.diffusion.lora_job import RECORDED_PACKAGES, network_dtype
from tfake.diffusion.lora_pictures import LoraFaces, LoraSource
from tfake.diffusion.lora_settings import LoraSettings
from tfake.diffusion.recalibration import find_offsets, recalibrate
from tfake.diffusion.window_pictures import WINDOW_CELSIUS, resize_celsius, write_gray, write_sheet
from tfake.store.manifest import file_sha256
from tfake.training.distributed import prepare_process
from tfake.training.weights_file import save_record

#: Pictures on the sheet, at most.
SHEET_PICTURES = 16


@dataclass(frozen=True)
class GenerationJob:
    """Everything a job reads, writes and is told.

    Attributes:
        folder: where the pictures go, and no others stay: ``{number}.png``, 8 bits; with control
            ``{id}_thermal.png``, 16 bits for 20 to 40 °C in the source's size, which is what a variant of ``files`` is
            imported from.
        manifest: the JSON to write, last.
        sheet: the PNG of some of them to write.
        lora: file of the LoRA by diffusers' names.
        source: faces to describe, or to see.
        kind: ``text`` or ``control``.
        model: folder of the FLUX model.
        license: its licence, as the user states it.
        training: fields of the LoRA's settings, for its size and its texts.
        settings: fields of :class:`tfake.diffusion.generation.GenerationSettings`.
        device: ``auto``, ``cpu``, ``cuda`` or ``cuda:N``.
        threads: of the job.
    """

    folder: str
    manifest: str
    sheet: str
    lora: str
    source: LoraSource
    kind: str
    model: str
    license: str
    training: Mapping[str, Any]
    settings: Mapping[str, Any]
    device: str
    threads: int


def run_generation_job(job: GenerationJob) -> None:
    """Generate and write.

    Raises:
        FileNotFoundError: the model is not there, or not whole.
        ValueError: a setting or a store that cannot be used, or there are no faces.
    """
    device, _ = prepare_process(job.device, job.threads)
    training = LoraSettings.from_mapping(job.training)
    settings = GenerationSettings.from_mapping(job.settings)
    check_model(job.model)
    faces = LoraFaces(job.source, job.kind, settings.part, settings.images, training.image_pixels)
    has_own_prompts = bool(settings.prompts) and not faces.has_control
    captions = list(settings.prompts)[: settings.images] if has_own_prompts else faces.captions
    if not captions:
        raise ValueError(f"diffusion.generation.part: there are no faces in the part {settings.part!r}")
    number = network_dtype(training.precision, device)
    with explain_full_memory(device, "diffusion.", training, ("image_pixels",)):
        prompts = encode_prompts(job.model, captions, training.text_tokens, training.t5_attention_mask, number, device)
        controls = LatentCoder(job.model, device).encode_all(faces.controls()) if faces.has_control else []
        rows = list(range(len(captions))) if has_own_prompts else faces.rows
        orders = [
            Order(prompt, controls[place] if controls else None, row)
            for place, (prompt, row) in enumerate(zip(prompts, rows, strict=True))
        ]
        made = generate(job.model, job.lora, orders, settings, training.image_pixels, number, device)
        pictures = list(made)
    logging.info("%d pictures", len(pictures))
    record = {
        "kind": job.kind,
        "lora_sha256": file_sha256(job.lora),
        "model": {"license": job.license, "files": model_identity(job.model)},
        "terms": {"model": job.license, "images": faces.license},
        "window_celsius": list(WINDOW_CELSIUS),
        "source": {"variant": job.source.variant, "part": settings.part},
        "settings": asdict(settings),
        "image_pixels": training.image_pixels,
        "device": device.type,
    }
    # Pictures of an earlier run of other faces would be imported with these.
    if Path(job.folder).exists():
        shutil.rmtree(job.folder)
    Path(job.folder).mkdir(parents=True)
    if faces.has_control:
        record |= _write_labelled(job, settings, faces, pictures)
    else:
        record |= _write_plain(job, captions, [] if has_own_prompts else rows, pictures)
    write_sheet(job.sheet, pictures[:SHEET_PICTURES])
    save_record(job.manifest, record, RECORDED_PACKAGES)


def _write_plain(job: GenerationJob, captions: list[str], rows: list[int], pictures: list) -> dict[str, Any]:
    """8-bit pictures, which are no temperatures."""
    about = []
    for number, (caption, picture) in enumerate(zip(captions, pictures, strict=True)):
        path = Path(job.folder, f"{number:06d}.png")
        write_gray(path, picture, 8)
        entry = {"file": path.name, "sha256": file_sha256(path), "prompt": caption}
        about.append(entry | ({"described_row": rows[number]} if rows else {}))
    return {"is_radiometric": False, "bits": 8, "offsets_kelvin": None, "pictures": about}


def _write_labelled(
    job: GenerationJob, settings: GenerationSettings, faces: LoraFaces, pictures: list
) -> dict[str, Any]:
    """16-bit pictures in the geometry of their source, named by its ids."""
    classes = [face.segmentation for face in faces]
    whole = [resize_celsius(picture, kinds.shape[0]) for picture, kinds in zip(pictures, classes, strict=True)]
    offsets = find_offsets(whole, map(faces.celsius, range(len(faces))), classes) if settings.recalibrated else {}
    about = []
    for place, (picture, kinds) in enumerate(zip(whole, classes, strict=True)):
        face = faces[place]
        path = Path(job.folder, f"{face.image_id}_thermal.png")
        write_gray(path, recalibrate(picture, kinds, offsets), 16)
        about.append(
            {
                "file": path.name,
                "sha256": file_sha256(path),
                "prompt": faces.captions[place],
                "row": face.row,
                "image_id": face.image_id,
            }
        )
    told = {kind.name: round(offset, 4) for kind, offset in offsets.items()} if settings.recalibrated else None
    return {"is_radiometric": settings.recalibrated, "bits": 16, "offsets_kelvin": told, "pictures": about}
