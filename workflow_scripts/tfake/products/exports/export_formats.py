"""The registry of the formats that a variant can be exported to.

A new format is a module with a function that writes it, and one entry here; the configuration offers the same names.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from types import MappingProxyType

from tfake.products.exports.coco import write_coco
from tfake.products.exports.image_folders import write_png, write_webdataset
from tfake.products.exports.tfake_layout import write_tfake


@dataclass(frozen=True)
class ExportFormat:
    """One format.

    Attributes:
        name: as the configuration has it, and the name of the export's folder.
        write: writes the usable faces of a one-variant dataset: an empty folder, the dataset, and the options.
        options: the keys of the configuration's ``publication`` that ``write`` takes by name.
    """

    name: str
    write: Callable[..., None]
    options: tuple[str, ...] = ()


FORMATS: Mapping[str, ExportFormat] = MappingProxyType(
    {
        entry.name: entry
        for entry in (
            ExportFormat("coco", write_coco),
            ExportFormat("png", write_png),
            ExportFormat("tfake", write_tfake, options=("most_clipped",)),
            ExportFormat("webdataset", write_webdataset),
        )
    }
)
