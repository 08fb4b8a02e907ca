"""A table in a file that grows row by row, CSV or Parquet: memory holds a few rows of it."""

from collections.abc import Mapping
from contextlib import AbstractContextManager
from pathlib import Path
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    import pandas as pd

#: Rows that wait to be written together.
CHUNK_ROWS = 4096
#: Decimals of numbers in a CSV.
_DECIMALS = {"time_seconds": 6, "celsius": 3, "sigma": 3}
#: The names of types as Arrow has them.
_ARROW_NAMES = {"float64": "double", "int64": "int64", "bool": "bool", "object": "string"}


class TableFile(AbstractContextManager):
    """Rows of a table on their way to its file, which is whole when ``close`` was called."""

    def __init__(self, path: Path, types: Mapping[str, str], is_parquet: bool) -> None:
        """Begin the file.

        Args:
            path: of the file.
            types: each column's: ``float64``, ``int64``, ``bool``, or ``object`` for text.
            is_parquet: write Parquet, and not CSV.

        Raises:
            ImportError: there is no pyarrow, which writes Parquet.
            OSError: the file cannot be written.
        """
        self._types, self._rows = dict(types), []
        self._file: Any
        if is_parquet:
            import pyarrow
            import pyarrow.parquet

            names = {name: pyarrow.type_for_alias(_ARROW_NAMES[kind]) for name, kind in types.items()}
            self._file = pyarrow.parquet.ParquetWriter(path, pyarrow.schema(names.items()))
            self._write = self._write_parquet
        else:
            self._file = path.open("w", newline="", encoding="utf-8")
            self._file.write(",".join(types) + "\n")
            self._write = self._write_csv

    def append(self, row: tuple) -> None:
        """Add a row, in the order of the columns."""
        self._rows.append(row)
        if len(self._rows) >= CHUNK_ROWS:
            self._flush()

    def close(self) -> None:
        """Write what waits, and close the file."""
        self._flush()
        self._file.close()

    def __exit__(self, *error: object) -> None:
        """Close the file; after an error what waits is lost."""
        self._rows.clear()
        self._file.close()

    def _flush(self) -> None:
        import pandas as pd  # here, for what writes no table does without

        if self._rows:
            self._write(pd.DataFrame(self._rows, columns=list(self._types)).astype(self._types))
            self._rows.clear()

    def _write_csv(self, rows: "pd.DataFrame") -> None:
        rows.round(_DECIMALS).to_csv(self._file, header=False, index=False)

    def _write_parquet(self, rows: "pd.DataFrame") -> None:
        import pyarrow

        self._file.write_table(pyarrow.Table.from_pandas(rows, schema=self._file.schema, preserve_index=False))
