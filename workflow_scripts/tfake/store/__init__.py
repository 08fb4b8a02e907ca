"""Zarr v3 stores: their layout, writing one shard, manifests, checksums and verification."""

import zarr

# The Rust codec pipeline reads and writes several times faster; the bytes are plain Zarr v3 either way.
zarr.config.set({"codec_pipeline.path": "zarrs.ZarrsCodecPipeline"})
