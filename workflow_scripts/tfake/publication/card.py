"""``README.md`` of a published folder: a dataset card as Hugging Face reads them."""

from pathlib import Path

import jinja2
import pandas as pd
import yaml

from tfake.publication.facts import Publication
from tfake.publication.row_table import COLUMNS

_SIZES = ((1_000, "n<1K"), (10_000, "1K<n<10K"), (100_000, "10K<n<100K"), (1_000_000, "100K<n<1M"))


def write_card(folder: Path, facts: Publication, table: pd.DataFrame, cite_as: str) -> None:
    """Write the card.

    Args:
        folder: the published folder.
        facts: what is published.
        table: ``rows.parquet`` (:mod:`tfake.publication.row_table`).
        cite_as: how to cite it.
    """
    template = Path(__file__).with_name("card.md.jinja").read_text()
    environment = jinja2.Environment(
        trim_blocks=True, lstrip_blocks=True, keep_trailing_newline=True, undefined=jinja2.StrictUndefined
    )
    text = environment.from_string(template).render(
        header=yaml.safe_dump(_header(facts), sort_keys=False, allow_unicode=True).strip(),
        facts=facts,
        columns=COLUMNS,
        statuses=table["status"].value_counts().to_dict(),
        label_statuses=table["landmarks_478_status"].value_counts().to_dict(),
        splits=table["split"].value_counts().to_dict(),
        cite_as=cite_as,
    )
    (folder / "README.md").write_text(text)


def _header(facts: Publication) -> dict:
    named = {"license_name": facts.terms.name.lower(), "license_link": "LICENSE.txt"}
    return {
        "pretty_name": facts.title,
        "license": facts.terms.hub_id,
        **(named if facts.terms.hub_id == "other" else {}),
        "task_categories": ["keypoint-detection", "image-segmentation", "image-to-image"],
        "tags": ["thermal", "infrared", "face", "landmarks", "synthetic", "zarr"],
        "size_categories": [next((name for limit, name in _SIZES if facts.rows < limit), "1M<n<10M")],
        "configs": [{"config_name": "rows", "data_files": "rows.parquet"}],
    }
