"""The registry of the formats that sequences are exported to: a new one is a module and an entry here."""

from collections.abc import Callable, Mapping
from pathlib import Path
from types import MappingProxyType

from tfake.products.exports.sequence_coco import write_sequence_coco
from tfake.products.exports.sequence_mot import write_mot
from tfake.products.exports.sequence_video import write_video
from tfake.reader.sequences import SequenceDataset

#: Name, as the configuration and the export's folder have it, to what writes an empty folder.
SEQUENCE_FORMATS: Mapping[str, Callable[[Path, SequenceDataset], None]] = MappingProxyType(
    {"video": write_video, "mot": write_mot, "coco": write_sequence_coco}
)
