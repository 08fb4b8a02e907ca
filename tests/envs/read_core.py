"""Read datasets with what is installed; print what was found, what was imported and what Zarr was needed for, as JSON.

Run by pythons with the core alone (``core_check.py``), and by the tests.
"""

import hashlib
import json
import sys
from dataclasses import fields

import numpy as np

import tfake


def read_all(address: str) -> dict[str, str]:
    """SHA-256 of every field of every face of each variant, and the rows of every part of a split."""
    found = {}
    for name in tfake.open_dataset(address).all_variants():
        faces = tfake.open_dataset(address, [name], statuses=None, rows="all")
        digests = {field.name: hashlib.sha256() for field in fields(faces[0])}
        for face in faces:
            for field, digest in digests.items():
                digest.update(_bytes_of(getattr(face, field)))
        found |= {f"{name} {field}": digest.hexdigest() for field, digest in digests.items()}
        found |= {f"{name} {part}": str(faces.split(part).rows.tolist()) for part in ("train", "validation", "test")}
        found[f"{name} as text"] = repr(faces).replace(address, "")
    return found


def _bytes_of(value: object) -> bytes:
    if isinstance(value, dict):
        return b"".join(key.encode() + _bytes_of(inner) for key, inner in sorted(value.items()))
    array = np.asarray(value)
    return array.tobytes() if array.dtype.kind in "uif" else str(value).encode()


def main() -> None:
    """Read every dataset that is named."""
    found = {address: read_all(address) for address in sys.argv[1:]}
    versions = {
        name: module.__version__ for name, module in sys.modules.items() if name in ("numpy", "zarr", "numcodecs")
    }
    print(json.dumps({"found": found, "modules": sorted(sys.modules), "versions": versions}))


if __name__ == "__main__":
    main()
