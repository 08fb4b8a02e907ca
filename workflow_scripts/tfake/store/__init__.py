"""Verified Zarr stores: layout, streamed shards, manifests, sealing, verification and repair."""
