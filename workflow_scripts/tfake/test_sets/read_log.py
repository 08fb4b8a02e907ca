"""What became of every row of a test set: used, used with a remark, or left out, each by name."""

import csv
import os
from collections import Counter
from dataclasses import dataclass
from pathlib import Path

#: What parsing raises at content of another form than expected.
CONTENT_ERRORS = (ValueError, LookupError, TypeError, AttributeError, OverflowError, RecursionError)
COLUMNS = ("row", "fault", "left_out", "detail")


@dataclass(frozen=True)
class Finding:
    """Something wrong with one row.

    Attributes:
        row: the row's name, with file and line.
        fault: a short name, the same for all rows with this fault.
        left_out: whether the row is not used because of it.
        detail: what was found, for a person.
    """

    row: str
    fault: str
    left_out: bool
    detail: str


class ReadLog:
    """The book that an adapter keeps while it reads."""

    def __init__(self) -> None:
        """Open an empty book."""
        self.rows: list[str] = []
        self.findings: list[Finding] = []

    def enter(self, row: str) -> None:
        """Enter a row; each name once.

        Args:
            row: its name.
        """
        self.rows.append(row)

    def warn(self, row: str, fault: str, detail: str = "") -> None:
        """Note a fault of a row that is used all the same.

        Args:
            row: its name.
            fault: short name.
            detail: what was found.
        """
        self.findings.append(Finding(row, fault, False, detail))

    def exclude(self, row: str, fault: str, detail: str = "") -> None:
        """Note why a row is not used.

        Args:
            row: its name.
            fault: short name.
            detail: what was found.
        """
        self.findings.append(Finding(row, fault, True, detail))

    def exclude_unreadable(self, row: str, error: Exception) -> None:
        """Note that a row cannot be read.

        Args:
            row: its name.
            error: one of ``CONTENT_ERRORS``.
        """
        is_plain = type(error) is ValueError
        self.exclude(row, "unreadable", str(error) if is_plain else f"{type(error).__name__}: {error}")

    @property
    def left_out(self) -> set[str]:
        """Names of the rows that are not used."""
        return {finding.row for finding in self.findings if finding.left_out}

    @property
    def used(self) -> list[str]:
        """Names of the rows that are used, in order."""
        gone = self.left_out
        return [row for row in self.rows if row not in gone]

    def summary(self) -> dict[str, object]:
        """Counts: rows, used, left out, used with a remark, and rows by fault, left out and used apart."""
        gone = self.left_out
        remarked = {finding.row for finding in self.findings} - gone
        return {
            "rows": len(self.rows),
            "used": len(self.rows) - len(gone),
            "used_with_remark": len(remarked),
            "left_out": len(gone),
            "faults": {
                "left_out": dict(sorted(Counter(f.fault for f in self.findings if f.left_out).items())),
                "used": dict(sorted(Counter(f.fault for f in self.findings if not f.left_out).items())),
            },
        }

    def save(self, path: str | Path) -> None:
        """Write every finding, one row each, as CSV.

        Args:
            path: the file; it appears whole or not at all.
        """
        with open(f"{path}.part", "w", newline="", encoding="utf-8") as file:
            writer = csv.writer(file, lineterminator="\n")
            writer.writerow(COLUMNS)
            writer.writerows((f.row, f.fault, int(f.left_out), f.detail) for f in self.findings)
        os.replace(f"{path}.part", path)
