"""Images that are kept decoded: the same products, read by all from one place, and nothing reruns that need not."""

import re

import pytest
import yaml

from runs import TINY, run, succeed, sums


def config_with(folder, **blocks):
    """The tiny config with its images kept, and with some blocks replaced."""
    config = yaml.safe_load(TINY.read_text())
    config["store"]["rgb"] = "kept"
    path = folder / "kept.yaml"
    path.write_text(yaml.safe_dump(config | blocks))
    return path


def planned(folder, *arguments, config):
    """What a dry run would do: rule to number of jobs."""
    output = succeed(folder, "--dry-run", *arguments, config=config)
    return {name: int(count) for name, count in re.findall(r"(?m)^(\w+) +(\d+)$", output) if name != "total"}


@pytest.fixture(scope="module")
def kept(tmp_path_factory):
    """A run that keeps its images, as far as one variant and the faces."""
    folder = tmp_path_factory.mktemp("kept")
    config = config_with(folder)
    succeed(folder, "variant_warm", "faces", "results/images/verified.json", config=config)
    return folder


def test_the_products_are_those_of_a_run_that_keeps_none(kept, finished):
    ours, others = sums(kept), sums(finished)
    assert ours.keys() - others.keys() == {"results/images/SHA256SUMS"}
    shared = ours.keys() & others.keys()
    assert {"results/faces/SHA256SUMS", "results/variants/warm/SHA256SUMS"} <= shared
    assert {name: ours[name] for name in shared} == {name: others[name] for name in shared}


def test_a_run_that_keeps_none_makes_none(finished):
    assert not (finished / "results/images").exists()


def test_other_labels_make_heat_fields_and_variants_anew_but_decode_nothing(kept, tmp_path):
    config = config_with(tmp_path, labels={"retry_above": 0.05})
    found = planned(kept, "variant_warm", "faces", config=config)
    assert (found["label_faces"], found["train_thermalizer"], found["thermalize_faces"]) == (3, 1, 3)
    assert not found.keys() & {"decode_images", "index_archive"}


def test_a_changed_variant_reruns_alone(kept, tmp_path):
    config = config_with(
        tmp_path,
        conditions={"warm": {"ambient_celsius": [20.0, 30.0]}},
        variants={"warm": {"condition": "warm", "ambient_celsius": 25.0}},
    )
    # Another room needs another thermalizer; images and labels are no part of it.
    found = planned(kept, "variant_warm", "faces", config=config)
    assert found["thermalize_faces"] == 3
    assert not found.keys() & {"decode_images", "label_faces", "index_archive"}


def test_exports_take_the_images_from_there(kept):
    config = config_with(kept, publication={"rgb": True, "formats": ["png"], "variants": ["warm"]})
    succeed(kept, "exports", config=config)
    folder = kept / "results/exports/warm/png"
    assert len(list((folder / "rgb").iterdir())) == len(list((folder / "thermal").iterdir())) == 5


def test_damaged_images_are_taken_away_and_made_again(kept):
    config, path = kept / "kept.yaml", kept / "results/images/images.zarr/rgb/c/1/0/0/0"
    good = path.read_bytes()
    path.write_bytes(good[:100] + bytes([good[100] ^ 255]) + good[101:])
    succeed(kept, "--forcerun", "repair_stores", "--", "repair_stores", config=config)
    assert "removed results/images" in (kept / "logs/repair_stores.log").read_text()
    assert not path.exists()
    succeed(kept, "results/images/manifests/1.json", config=config)
    assert path.read_bytes() == good


def test_a_word_that_is_no_choice_stops_before_any_work(tmp_path):
    config = yaml.safe_load(TINY.read_text())
    config["store"]["rgb"] = "temporary"
    path = tmp_path / "wrong.yaml"
    path.write_text(yaml.safe_dump(config))
    done = run(tmp_path, "--dry-run", config=path)
    assert done.returncode
    assert "temporary" in done.stdout
