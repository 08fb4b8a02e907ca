"""The formats that a variant can be exported to."""

from collections.abc import Callable, Mapping
from types import MappingProxyType

from tfake.products.exports.coco import write_coco
from tfake.products.exports.image_folders import write_png, write_webdataset
from tfake.products.exports.tfake_layout import write_tfake

#: Name to what writes usable faces of one variant into an empty folder; ``tfake`` also takes its ``most_clipped``.
FORMATS: Mapping[str, Callable[..., None]] = MappingProxyType(
    {"coco": write_coco, "png": write_png, "tfake": write_tfake, "webdataset": write_webdataset}
)
