"""What a product says of its origin; never the time or the place of a run, for stores are compared by bytes."""

import tfake


def store_attributes(title: str, license: str, source_sha256: str, **more) -> dict:
    """Attributes of a store's root.

    Args:
        title: what the store holds, for a reader.
        license: terms of the data.
        source_sha256: identity of the source samples (:func:`tfake.archive.index.build_index`).
        **more: further JSON values.
    """
    return {
        "Conventions": "CF-1.11",
        "title": title,
        "license": license,
        "source_sha256": source_sha256,
        "history": f"made by tfake-workflow {tfake.__version__}",
        **more,
    }
