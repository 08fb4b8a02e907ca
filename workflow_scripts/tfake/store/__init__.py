"""Zarr v3 stores: their layout, writing one shard, manifests, checksums and verification."""
