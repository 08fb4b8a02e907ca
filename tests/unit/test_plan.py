"""The plan: which shards there are, who makes them from what, and what is refused before any job."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from planned import DEFAULTS, plan_of, wildcards
from tfake.config.faults import ConfigError
from tfake.config.plan import MOST_SHARDS
from tfake.config.plan_stages import name_downloads

RECORDED = {"seen": {"of": "cold", "camera": "lepton_160x120", "images": [32, 96]}}
IMPORTED = {"theirs": {"files": "a.zip", "points": "b.pickle", "license": "x", "condition": "warm"}}
IMPORTED["theirs"]["ambient_celsius"] = 25.0
SIZES = st.tuples(st.integers(1, 10_000), st.integers(1, 3_000))


def sized(images, shard_images, variant=None):
    """A plan of one variant, ``warm``, and as many images."""
    return plan_of(
        source={"images": images}, store={"shard_images": shard_images}, variants={"cold": {}, "warm": variant or {}}
    )


def rows_of(plan, shards):
    return [row for shard in shards for row in range(*plan.shard_rows(shard))]


@given(SIZES)
def test_the_sources_shards_hold_every_row_once_and_in_order(size):
    plan = sized(*size)
    assert rows_of(plan, plan.source_shards) == list(range(plan.images))
    assert plan.shards("warm") == plan.source_shards
    assert plan.rows("warm") == [0, plan.images]
    assert all(stop - start == plan.shard_images for start, stop in map(plan.shard_rows, plan.source_shards[:-1]))


@given(SIZES, st.data())
def test_a_slices_shards_hold_its_rows_once(size, data):
    images, shard_images = size
    count = -(-images // shard_images)
    first, last = sorted(data.draw(st.tuples(st.integers(0, count - 1), st.integers(0, count - 1))))
    rows = [first * shard_images, min((last + 1) * shard_images, images)]
    plan = sized(images, shard_images, {"images": rows})
    assert rows_of(plan, plan.shards("warm")) == list(range(*rows))
    assert rows_of(plan, plan.source_shards) == list(range(images))


@given(SIZES, st.integers(1, 50))
def test_batches_hold_every_shard_of_every_variant_once(size, shards_per_job):
    images, shard_images = size
    stop = min(images, 2 * shard_images)
    plan = plan_of(
        source={"images": images},
        store={"shard_images": shard_images, "shards_per_job": shards_per_job},
        variants={"cold": {"images": [0, stop]}},
    )
    made = {variant: [] for variant in plan.thermalized}
    batches = plan.stores.batches(uses_gpu=False)
    for batch, variants in batches.values():
        for variant in variants:
            made[variant] += list(plan.shards(variant)) if batch == ["{shard}"] else batch
        assert len(batch) <= shards_per_job
    assert {variant: sorted(shards) for variant, shards in made.items()} == {
        variant: list(plan.shards(variant)) for variant in plan.thermalized
    }
    assert next(iter(batches)) == "thermalize_faces"


def test_a_gpu_is_given_enough_images_to_be_worth_loading_the_network():
    plan = plan_of(source={"images": 200_000}, store={"shard_images": 1000})
    assert plan.stores.shards_per_job(uses_gpu=False) == 1
    assert plan.stores.shards_per_job(uses_gpu=True) == 67
    assert list(plan.stores.batches(uses_gpu=True)) == [
        "thermalize_faces",
        "thermalize_faces_2",
        "thermalize_faces_3",
    ]


def test_variants_by_how_they_are_made():
    plan = plan_of(variants={**RECORDED, **IMPORTED})
    assert (plan.thermalized, plan.recorded, plan.imported) == (("warm", "cold"), ("seen",), ("theirs",))
    assert plan.ambients == {"warm": 26.0, "cold": 20.0, "theirs": 25.0, "seen": 20.0, "heat": 23.0}
    assert (plan.rows("seen"), list(plan.shards("seen"))) == ([32, 96], [1, 2])
    assert (plan.condition("seen"), plan.base("seen"), plan.base("cold")) == ("cold", "cold", "cold")
    assert (plan.modelled, plan.products.published) == (("heat",), ("warm", "cold", "heat", "seen"))
    exported = plan_of(variants=RECORDED, publication={"rgb": True})
    assert exported.products.rgb(wildcards(variant="warm"))
    assert not exported.products.rgb(wildcards(variant="seen"))


def test_a_variants_files():
    stores = plan_of(variants={**RECORDED, **IMPORTED}).stores
    seen, theirs, cold = (wildcards(variant=name, shard=1) for name in ("seen", "theirs", "cold"))
    folder = "results/variants/seen"
    assert stores.manifests(seen) == [f"{folder}/manifests/1.json", f"{folder}/manifests/2.json"]
    files = stores.shard_files(seen)
    assert len(files) == 2 * len(stores.arrays(seen)) == 10
    assert files[:2] == [f"{folder}/thermal.zarr/thermal/c/{shard}/0/0" for shard in (1, 2)]
    assert [path.split("/")[4] for path in stores.arrays(theirs)] == ["thermal", "landmarks_478"]
    assert stores.arrays(cold) == ["results/variants/cold/thermal.zarr/thermal/zarr.json"]
    assert stores.base_shard(seen) == "results/variants/cold/thermal.zarr/thermal/c/1/0/0"
    assert stores.base_root(seen) == "results/variants/cold/thermal.zarr/zarr.json"
    assert stores.base_manifest(seen) == "results/variants/cold/manifests/1.json"
    assert stores.weights(cold) == "results/thermalizers/cold/weights.pt"
    assert stores.shard_rows(cold) == [32, 64]
    assert stores.published_files(theirs) == ["a.zip", "b.pickle"]


def test_heat_fields_wait_for_the_sealed_labels_whatever_shards_a_job_writes():
    job = wildcards(variant="warm")
    labels = ["results/faces/faces.zarr/zarr.json", "results/faces/SHA256SUMS"]
    training = wildcards(condition="warm")
    assert plan_of().stores.meshes(job) == plan_of().thermalizers.faces(training) == labels
    without = plan_of(thermalizer={"heat_field": False})
    assert (without.stores.meshes(job), without.thermalizers.faces(training)) == ([], [])
    # Weights from elsewhere may take a field, whatever is trained here.
    released = plan_of(thermalizer={"heat_field": False}, thermalizers={"warm": {"weights": "w.pt", "sha256": None}})
    assert released.stores.meshes(job) == labels
    assert released.stores.meshes(wildcards(variant="cold")) == []


def test_a_diffusion_thermalizer_has_settings_inputs_and_packages_of_its_own():
    kinds = {"warm": {"kind": "diffusion"}}
    changes = {"encoder_weights": "imagenet", "heat_field": False}
    plan = plan_of(conditions=kinds, thermalizer=changes)
    thermalizers, drawn, regressed = plan.thermalizers, wildcards(condition="warm"), wildcards(condition="cold")
    assert [thermalizers.is_diffusion(job) for job in (drawn, regressed)] == [True, False]
    assert [thermalizers.is_diffusion(wildcards(variant=name)) for name in ("warm", "cold")] == [True, False]
    assert not thermalizers.is_diffusion(wildcards(arm="full", rooms="warm", seed=0))
    settings = thermalizers.training_settings(drawn)
    assert (settings["kind"], settings["sampling_steps"]) == (
        "diffusion",
        DEFAULTS["diffusion_thermalizer"]["sampling_steps"],
    )
    assert "compile" not in settings
    assert thermalizers.training_settings(regressed) == thermalizers.settings
    # Stating the kind that a condition has anyhow makes nothing anew.
    assert "kind" not in thermalizers.condition(drawn)
    assert (thermalizers.patches(drawn), thermalizers.pretrained(drawn)) == ([], [])
    assert thermalizers.patches(regressed) == ["results/thermalizers/cold/patches.npz"]
    assert thermalizers.pretrained(regressed) == ["resources/encoders/thermalizer.pt"]
    # Each kind has a say of its own on heat fields.
    assert (bool(thermalizers.faces(drawn)), bool(thermalizers.faces(regressed))) == (True, False)
    assert [bool(plan.stores.meshes(wildcards(variant=name))) for name in ("warm", "cold")] == [True, False]


def test_decoded_images_are_read_where_they_are_kept():
    assert plan_of().stores.all_decoded == []
    plan = plan_of(store={"rgb": "kept"})
    assert plan.source.undecoded == []
    one = plan.stores.decoded(["{shard}"])
    assert one[0] == "results/images/images.zarr/zarr.json"
    assert one[-1] == "results/images/manifests/{shard}.json"
    assert len(plan.stores.all_decoded) == 3 + 3 * 3


def test_where_the_archive_comes_from():
    assert plan_of().source.archive == ["results/source/faces.zip"]
    assert plan_of(source={"archive": ["a.zip"]}).source.archive == ["a.zip"]
    parts = plan_of(source={"archive": ["https://a.org/f.zip.001", "f.zip.002"]}).source
    assert parts.archive == ["resources/archives/f.zip.001", "f.zip.002"]
    assert parts.url(wildcards(file="f.zip.001")) == "https://a.org/f.zip.001"
    first = plan_of(source={"archive": "dataset_1000", "download": "first_samples"}).source
    assert first.archive == ["results/source/first_samples.zip"]
    assert len(first.urls) == 1
    # Which no server has.
    assert plan_of(source={"archive": ["a.zip"], "download": "first_samples"}).source.archive == ["a.zip"]


def test_downloads_get_names_that_tell_them_apart():
    assert name_downloads(["https://a.org/x.zip?key=1"]) == {"https://a.org/x.zip?key=1": "x.zip"}
    urls = ["https://a.org/1/part", "https://a.org/2/part"]
    names = list(name_downloads(urls).values())
    assert len(set(names)) == 2
    assert all(
        name.startswith("archive-") and name.endswith(end) for name, end in zip(names, (".001", ".002"), strict=True)
    )


def checked(plan, dry_run=False):
    return list(plan.check_files(dry_run))


@pytest.mark.parametrize(
    ("blocks", "message"),
    [
        ({"source": {"archive": "dataset_2"}}, "the published releases are dataset_100, dataset_1000"),
        ({"source": {"archive": ["none.zip"]}}, "source.archive: there is no none.zip"),
        ({"source": {"archive": ["https://a.org/a.zip"]}}, "would be downloaded under the terms CC0-1.0"),
        ({"source": {"archive": "dataset_100", "accept_license": True}}, "set source.license to that, found CC0-1.0"),
        (
            {
                "source": {
                    "archive": ["a.zip", "https://a.org/b.zip"],
                    "accept_license": True,
                    "download": "first_samples",
                }
            },
            "source.archive has local files, too",
        ),
        ({"conditions": {"warm": {"pairs": {"path": "none"}}}}, "conditions.warm.pairs.path: there is no none"),
        ({"landmark_study": {"pictures": {"here": "none"}}}, "landmark_study.pictures.here: no folder none"),
        ({"landmark_speed": {"weights": {"a": "none.pt"}}}, "landmark_speed.weights.a: there is no none.pt"),
        ({"landmark_speed": {"calibration": "none"}}, "landmark_speed.calibration: there is no none"),
        ({"sequence_tasks": {"weights": "none.pt"}}, "sequence_tasks.weights: there is no none.pt"),
        ({"evaluation": {"landmarkers": {"a": "none.pt"}}}, "evaluation.landmarkers.a: there is no none.pt"),
        ({"evaluation": {"sets": {"own_70": {"path": "hot"}}}}, "it is a variant: warm, cold, heat"),
    ],
)
def test_what_is_not_there_is_refused(tmp_path, monkeypatch, blocks, message):
    monkeypatch.chdir(tmp_path)
    with pytest.raises(ConfigError, match=r"^config: ") as caught:
        checked(plan_of(**blocks))
    assert message in str(caught.value)


def test_a_dry_run_needs_no_archive_and_an_indexed_one_neither(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    plan = plan_of(source={"archive": ["none.zip"]})
    assert plan.source.find_absent() == ["none.zip"]
    assert ["planned as if it were" in text for text in checked(plan, dry_run=True)] == [True]
    (tmp_path / "results/source").mkdir(parents=True)
    (tmp_path / "results/source/index.parquet").touch()
    assert plan.source.find_absent() == checked(plan) == []


def test_many_shards_are_warned_of():
    assert checked(plan_of(source={"images": MOST_SHARDS * 2}, store={"shard_images": 2})) == []
    (text,) = checked(plan_of(source={"images": MOST_SHARDS * 2 + 1}, store={"shard_images": 2}))
    assert "makes 1,001 shards of 2,001 images" in text
    assert "with store.shard_images: 1000 there are 3" in text


def test_a_forecast_needs_the_first_shard_of_each_store():
    plan = plan_of(variants=RECORDED)
    assert plan.products.first_shards(wildcards()) == [
        "results/faces/manifests/0.json",
        "results/variants/warm/manifests/0.json",
        "results/variants/cold/manifests/0.json",
        "results/variants/heat/manifests/0.json",
        "results/variants/seen/manifests/1.json",
    ]
    assert plan_of(forecast={"runs": ["before"]}).products.first_shards(wildcards()) == []


def test_stores_that_are_compared_are_known_by_their_seals(tmp_path):
    for name, text in (("a", "1"), ("b", "2")):
        (tmp_path / name / "faces").mkdir(parents=True)
        (tmp_path / name / "faces/SHA256SUMS").write_text(text)
    folders = [str(tmp_path / name) for name in "ab"]
    products = plan_of(compare=folders).products
    assert products.compared(wildcards()) == folders
    before = products.compared_seals(wildcards())
    assert len(before) == 2
    (tmp_path / "b/faces/SHA256SUMS").write_text("3")
    assert [key for key, seal in products.compared_seals(wildcards()).items() if seal != before[key]] == [
        str(tmp_path / "b/faces/SHA256SUMS")
    ]
    with pytest.raises(ConfigError, match="compare is empty"):
        plan_of().products.compared(wildcards())
