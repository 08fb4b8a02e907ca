"""What became of every row of a test set: used, used with a warning, or excluded, each by name."""

import csv
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from tfake.core.files import write_whole
from tfake.core.text_tables import TableRow

#: What parsing raises at content of another form than expected.
CONTENT_ERRORS = (ValueError, LookupError, TypeError, AttributeError, OverflowError, RecursionError)
COLUMNS = ("row", "fault", "left_out", "detail")


class RowError(ValueError):
    """A row that cannot be used; ``fault`` is a short name, the same for all rows with it."""

    def __init__(self, fault: str, detail: str = "") -> None:
        """Keep the fault beside the message."""
        super().__init__(detail)
        self.fault = fault


def cells_of(row: TableRow) -> tuple[str, ...]:
    """The cells of a table's row.

    Raises:
        RowError: ``unreadable``, or ``empty_row``.
    """
    if row.fault or row.is_blank:
        raise RowError("unreadable" if row.fault else "empty_row", row.fault)
    return row.cells


@dataclass(frozen=True)
class Finding:
    """Something wrong with one row.

    Attributes:
        row: the row's name, with file and line.
        fault: a short name, the same for all rows with this fault.
        excluded: whether the row is not used because of it.
        detail: what was found, for a person.
    """

    row: str
    fault: str
    excluded: bool
    detail: str


class ReadLog:
    """The rows of a set in the order they were read, and what was wrong with them."""

    def __init__(self) -> None:
        """Begin empty."""
        self.rows: list[str] = []
        self.findings: list[Finding] = []

    def enter(self, row: str) -> None:
        """Add a row; each name once."""
        self.rows.append(row)

    def warn(self, row: str, fault: str, detail: str = "") -> None:
        """Note a fault of a row that is used all the same."""
        self.findings.append(Finding(row, fault, False, detail))

    def exclude(self, row: str, fault: str, detail: str = "") -> None:
        """Note why a row is not used."""
        self.findings.append(Finding(row, fault, True, detail))

    def exclude_for(self, row: str, error: Exception) -> None:
        """Exclude a row for an error: the fault of a :class:`RowError`, ``unreadable`` for any other."""
        if isinstance(error, RowError):
            self.exclude(row, error.fault, str(error))
        else:
            kind = "" if type(error) is ValueError else f"{type(error).__name__}: "
            self.exclude(row, "unreadable", f"{kind}{error}")

    @contextmanager
    def excluding(self, row: str) -> Iterator[None]:
        """Exclude a row for any of ``CONTENT_ERRORS`` that is raised inside, and go on."""
        try:
            yield
        except CONTENT_ERRORS as error:
            self.exclude_for(row, error)

    @contextmanager
    def reading(self, row: str) -> Iterator[None]:
        """Enter a row, and exclude it for what is raised inside."""
        self.enter(row)
        with self.excluding(row):
            yield

    @property
    def excluded(self) -> set[str]:
        """Names of the rows that are not used."""
        return {finding.row for finding in self.findings if finding.excluded}

    @property
    def used(self) -> list[str]:
        """Names of the rows that are used, in order."""
        excluded = self.excluded
        return [row for row in self.rows if row not in excluded]

    def summary(self) -> dict[str, object]:
        """Numbers of rows, used, excluded, used with a warning; and of findings by fault, of excluded and used rows."""
        excluded = self.excluded
        faults = {
            key: dict(sorted(Counter(f.fault for f in self.findings if f.excluded == is_excluded).items()))
            for key, is_excluded in (("left_out", True), ("used", False))
        }
        return {
            "rows": len(self.rows),
            "used": len(self.rows) - len(excluded),
            "used_with_remark": len({finding.row for finding in self.findings} - excluded),
            "left_out": len(excluded),
            "faults": faults,
        }

    def save(self, path: str | Path) -> None:
        """Write every finding as a line of a CSV, which appears whole or not at all."""

        def write(part: str) -> None:
            with open(part, "w", newline="", encoding="utf-8") as file:
                writer = csv.writer(file, lineterminator="\n")
                writer.writerow(COLUMNS)
                writer.writerows((f.row, f.fault, int(f.excluded), f.detail) for f in self.findings)

        write_whole(str(path), write)
