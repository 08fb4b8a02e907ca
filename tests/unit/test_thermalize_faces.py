"""The scripts that make, fill, seal and verify a store, as functions, with a network that has learnt nothing."""

import json

import numpy as np
import pytest
import torch
import yaml
import zarr

from archives import LABELS, PIXELS, encode_png, flip_byte, write_samples
from faces.label_faces import label_faces
from heated_faces import face
from products.save_config import save_config
from source.decode_images import decode_images
from source.index_archive import index_archive
from stores.create_store import create_store
from stores.seal_store import seal_store
from stores.verify_store import verify_store
from tfake.archive.image_reader import ArchiveImages
from tfake.archive.index import read_index
from tfake.archive.samples import SampleError
from tfake.core.codes import SampleStatus
from tfake.core.radiometry import NO_IMAGE, decode_counts
from tfake.heat.face_heat import FaceHeat
from tfake.store.arrays import write_shard
from tfake.store.manifest import read_manifest
from tfake.store.shards import StoreError
from tfake.store.stream import empty_face_rows
from tfake.thermalizer.thermal_unet import Architecture, ThermalUNet
from tfake.thermalizer.thermalizer_file import save_weights
from tfake.variants.kinds import KINDS
from tiny_diffusion import make_diffusion
from variants.thermalize_faces import thermalize_faces

IMAGES, SHARD, AMBIENT = 5, 2, 18.5
SHARDS = {0: (0, 2), 1: (2, 4), 2: (4, 5)}


@pytest.fixture(scope="module")
def weights(tmp_path_factory):
    torch.manual_seed(0)
    network = ThermalUNet(Architecture("resnet18", (16, 8, 8), (10.0, 45.0)))
    path = tmp_path_factory.mktemp("weights") / "weights.pt"
    save_weights(path, network, "warm")
    return path


def source_of(folder):
    return {"index": str(folder / "index.parquet"), "image_pixels": PIXELS, "source_license": "CC0-1.0"}


@pytest.fixture
def folder(tmp_path, weights):
    """An indexed archive whose sample 3 is broken, and the thermal store's metadata."""
    archive = write_samples(tmp_path / "a.zip", range(IMAGES), m000003__png=b"broken")
    index_archive(str(tmp_path / "index.parquet"), [str(archive)], IMAGES, PIXELS, threads=1)
    (tmp_path / "provenance.json").write_text('{"seed": 0}')
    given = source_of(tmp_path) | {
        "weights": str(weights),
        "provenance": str(tmp_path / "provenance.json"),
        "variant": "test",
        "condition": "warm",
        "ambient_celsius": AMBIENT,
        "heat": {},
    }
    create_store(str(tmp_path / "thermal.zarr"), KINDS["thermalized"], SHARD, given)
    return tmp_path


def thermalize(folder, weights, *shards, threads=1, **changes):
    arguments = {
        "manifests": [str(folder / f"{shard}.json") for shard in shards],
        "store": str(folder / "thermal.zarr"),
        "archive": [str(folder / "a.zip")],
        "index": str(folder / "index.parquet"),
        "weights": str(weights),
        "shard_images": SHARD,
        "image_pixels": PIXELS,
        "ambient_celsius": AMBIENT,
        "device": "cpu",
        "threads": threads,
        "recipe": 1,
    }
    thermalize_faces(**arguments | changes)


def seal_and_verify(folder):
    store, sums = str(folder / "thermal.zarr"), str(folder / "SHA256SUMS")
    manifests = [str(folder / f"{shard}.json") for shard in SHARDS]
    seal_store(sums, str(folder / "summary.json"), store, manifests, (0, IMAGES))
    verify_store(str(folder / "verified.json"), sums, store, threads=2)


def test_what_a_diffusion_draws_depends_on_no_shard_job_or_thread(folder, tmp_path):
    """Each image's noise is its own."""
    save_weights(tmp_path / "d.pt", make_diffusion(), "warm")
    thermalize(folder, tmp_path / "d.pt", *SHARDS, threads=3)
    together = zarr.open_group(folder / "thermal.zarr", mode="r")["thermal"][:]
    for shard in SHARDS:
        thermalize(folder, tmp_path / "d.pt", shard)
    np.testing.assert_array_equal(zarr.open_group(folder / "thermal.zarr", mode="r")["thermal"][:], together)
    celsius = decode_counts(together)
    assert np.isfinite(celsius[[0, 1, 2, 4]]).all()
    assert celsius[0, 0, 0] == pytest.approx(AMBIENT, abs=1e-4)


def test_a_store_from_end_to_end(folder, weights):
    for shard in SHARDS:
        thermalize(folder, weights, shard)
    seal_and_verify(folder)
    group = zarr.open_group(folder / "thermal.zarr", mode="r")
    celsius = decode_counts(group["thermal"][:])
    assert np.isnan(celsius[3]).all()
    assert (group["thermal"][3] == NO_IMAGE).all()
    assert np.isfinite(celsius[[0, 1, 2, 4]]).all()
    assert celsius[0, 0, 0] == pytest.approx(AMBIENT, abs=1e-4)
    assert (group.attrs["variant"], group.attrs["thermalizer"]) == ("test", {"seed": 0})
    assert group.attrs["source_sha256"] == read_index(folder / "index.parquet").attrs["source_sha256"]
    summary = json.loads((folder / "summary.json").read_text())
    assert summary["counts"] == {"source_ok": 4, "source_undecodable_image": 1}
    classes = summary["statistics"]
    assert classes["background"]["mean"] == pytest.approx(AMBIENT, abs=1e-4)
    assert classes["background"]["sd"] == 0
    assert classes["background"]["pixels"] + classes["skin"]["pixels"] == 4 * PIXELS**2
    assert json.loads((folder / "verified.json").read_text())["files"] == len(SHARDS) + 2


@pytest.mark.parametrize(("native", "precision"), [(True, "auto"), (False, "auto"), (True, "float32")])
def test_a_shard_tells_what_computed_it_and_the_config_may_fix_the_number_format(
    folder, weights, native, precision, monkeypatch
):
    monkeypatch.setattr(torch.cpu, "_is_avx512_bf16_supported", lambda: native)
    thermalize(folder, weights, 2, precision=precision)
    number = "bfloat16" if native and precision == "auto" else "float32"
    expected = {"device": "cpu", "precision": number, "torch": torch.__version__}
    assert read_manifest(folder / "2.json").made_from["computed_on"] == expected


def test_the_number_of_threads_changes_no_byte(folder, weights):
    manifests = []
    for threads in (1, 3):
        thermalize(folder, weights, 0, threads=threads)
        manifests.append(read_manifest(folder / "0.json"))
    assert manifests[0] == manifests[1]


def test_images_that_are_kept_decoded_change_no_byte(folder, weights):
    thermalize(folder, weights, 1)
    from_archive = read_manifest(folder / "1.json")
    create_store(str(folder / "images.zarr"), KINDS["images"], SHARD, source_of(folder))
    decode_images(
        manifest=str(folder / "images.json"),
        store=str(folder / "images.zarr"),
        archive=[str(folder / "a.zip")],
        index=str(folder / "index.parquet"),
        shard=1,
        rows=SHARDS[1],
        image_pixels=PIXELS,
        threads=1,
    )
    (folder / "a.zip").unlink()
    thermalize(folder, weights, 1, archive=[], images=str(folder / "images.zarr"))
    assert read_manifest(folder / "1.json") == from_archive


def test_faces_with_a_mesh_are_given_their_person_s_heat(folder, tmp_path):
    torch.manual_seed(0)
    network = ThermalUNet(Architecture("resnet18", (16, 8, 8), (10.0, 45.0), heat_field=True))
    save_weights(tmp_path / "heated.pt", network, "warm")
    store, table = folder / "faces.zarr", read_index(folder / "index.parquet")
    create_store(str(store), KINDS["faces"], SHARD, source_of(folder))
    shown = face().mesh * (PIXELS / face().rgb.shape[0])
    rows = empty_face_rows(SHARD, PIXELS)
    rows["landmarks_478"][0, :468], rows["landmarks_478"][0, 468:] = shown, shown[:10]
    write_shard(store, rows, 0)
    heat = {"seed": 4, "persons": "drawn", "state": {"fever_kelvin": 2.0}, "tables": "measured"}
    thermalize(folder, tmp_path / "heated.pt", 0, faces=str(store), heat=heat)
    celsius = decode_counts(zarr.open_group(folder / "thermal.zarr", mode="r")["thermal"][:2])
    manifest = read_manifest(folder / "0.json")
    assert manifest.made_from["heat"] == heat
    source, record = ArchiveImages([folder / "a.zip"], PIXELS), next(table.itertuples())
    rgb, classes = source.read_rgb(record), source.read_classes(record)
    field = FaceHeat.from_mapping(heat).render(rows["landmarks_478"][0], classes, rgb, AMBIENT, "000000")
    inside = classes != 0
    assert inside.any()
    np.testing.assert_allclose(celsius[0][inside], field[inside], atol=0.0075)
    # A row without a mesh, and a job without labels, are as the network has them alone.
    thermalize(folder, tmp_path / "heated.pt", 0)
    without = decode_counts(zarr.open_group(folder / "thermal.zarr", mode="r")["thermal"][:2])
    np.testing.assert_array_equal(celsius[1], without[1])
    assert np.abs(celsius[0] - without[0]).max() > 0.5
    thermalize(folder, tmp_path / "heated.pt", 0, faces=str(store), heat=heat, threads=3)
    assert read_manifest(folder / "0.json") == manifest


def test_labels_of_another_source_are_refused(folder, tmp_path):
    network = ThermalUNet(Architecture("resnet18", (16, 8, 8), (10.0, 45.0), heat_field=True))
    save_weights(tmp_path / "heated.pt", network, "warm")
    other = write_samples(folder / "b.zip", range(1, IMAGES + 1))
    index_archive(str(folder / "other.parquet"), [str(other)], IMAGES, PIXELS, threads=1)
    given = source_of(folder) | {"index": str(folder / "other.parquet")}
    create_store(str(folder / "other.zarr"), KINDS["faces"], SHARD, given)
    with pytest.raises(StoreError, match="its labels are of the source"):
        thermalize(folder, tmp_path / "heated.pt", 0, faces=str(folder / "other.zarr"))


def test_a_network_that_gives_nan_stops_the_job(folder, weights, tmp_path):
    network = ThermalUNet(Architecture("resnet18", (16, 8, 8), (10.0, 45.0)))
    torch.nn.init.constant_(network.head[0].bias, float("nan"))
    broken = tmp_path / "broken.pt"
    save_weights(broken, network, "warm")
    with pytest.raises(ValueError, match="000000: temperatures must be finite"):
        thermalize(folder, broken, 0)
    assert not (folder / "0.json").exists()
    assert not list((folder / "thermal.zarr").rglob("c/0/0/*"))


def test_an_archive_that_changed_since_it_was_indexed_stops_the_job(folder, weights):
    image = np.zeros((PIXELS, PIXELS, 3), np.uint8)
    write_samples(folder / "a.zip", range(IMAGES), m000000__png=encode_png(image))
    with pytest.raises(SampleError, match="000000"):
        thermalize(folder, weights, 0)
    assert not (folder / "0.json").exists()


def test_a_flipped_byte_is_named(folder, weights):
    for shard in SHARDS:
        thermalize(folder, weights, shard)
    seal_and_verify(folder)
    flip_byte(folder / "thermal.zarr/thermal/c/1/0/0", 100)
    with pytest.raises(StoreError, match=r"thermal\.zarr/thermal/c/1/0/0: SHA-256 is"):
        verify_store(str(folder / "v.json"), str(folder / "SHA256SUMS"), str(folder / "thermal.zarr"), threads=1)
    assert not (folder / "v.json").exists()


def test_the_faces_store_is_sealed_and_verified(folder):
    store, index = str(folder / "faces.zarr"), str(folder / "index.parquet")
    create_store(store, KINDS["faces"], SHARD, source_of(folder))
    for shard, rows in SHARDS.items():
        manifest, archive = str(folder / f"f{shard}.json"), [str(folder / "a.zip")]
        label_faces(manifest, store, archive, index, shard, rows, PIXELS, LABELS, model=None, threads=1)
    sums, manifests = str(folder / "sums"), [str(folder / f"f{shard}.json") for shard in SHARDS]
    seal_store(sums, str(folder / "faces.json"), store, manifests, IMAGES)
    verify_store(str(folder / "faces_verified.json"), sums, store, 1, index=index)
    status = zarr.open_group(store, mode="r")["status"][:]
    assert status.tolist() == [0, 0, 0, SampleStatus.UNDECODABLE_IMAGE, 0]
    other = write_samples(folder / "b.zip", range(1, IMAGES + 1))
    index_archive(str(folder / "other.parquet"), [str(other)], IMAGES, PIXELS, threads=1)
    with pytest.raises(StoreError, match="row 0: id '000000'"):
        verify_store(str(folder / "no.json"), sums, store, 1, index=str(folder / "other.parquet"))


def test_the_config_is_saved(tmp_path):
    save_config(str(tmp_path / "config.yaml"), {"b": {"ambient_celsius": 20.0}, "a": None})
    assert yaml.safe_load((tmp_path / "config.yaml").read_text()) == {"a": None, "b": {"ambient_celsius": 20.0}}
