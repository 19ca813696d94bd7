"""What each year of a table was computed from. Staleness is decided by content, never by file times."""

import re
from collections.abc import Iterable
from dataclasses import dataclass
from functools import cache
from hashlib import sha256
from pathlib import Path
from typing import Self

import spark_jobs
from chicago_crime.tables import Table

_PACKAGE = Path(__file__).parent.parent
_REFERENCE = (_PACKAGE / "reference", "*.csv")
_CODE = {
    "csv": (),
    "sql": ((_PACKAGE / "sql", "tables/{}.sql"), (_PACKAGE / "sql", "fragments/*.sql"), _REFERENCE),
    "spark": ((Path(spark_jobs.__path__[0]), "*.py"), _REFERENCE),
}
"""The files that determine what a table contains, by what makes it: folder and pattern."""


@dataclass(frozen=True)
class Lineage:
    """What a year of a table was computed from; each digest has 16 hexadecimal characters.

    Attributes:
        identity: digest of code and inputs: equal identities mean equal content.
        inputs: digest of the upstream tables' identities, or of the source file.
    """

    identity: str
    inputs: str

    @classmethod
    def of(cls, table: Table, upstream: Iterable[str], estimates: Path | None = None) -> Self:
        """Return the lineage of a year that this version of the package computes from inputs with these identities.

        Tables that read residents also depend on the file of population estimates.
        """
        inputs = digest(*upstream)
        return cls(_identity(table, inputs, estimates), inputs)

    def is_current(self, table: Table, estimates: Path | None) -> bool:
        """Whether this version of the package would compute the same content from the same inputs and estimates."""
        return self.identity == _identity(table, self.inputs, estimates)


def _identity(table: Table, inputs: str, estimates: Path | None) -> str:
    of_estimates = estimates.read_text(encoding="utf-8") if estimates and _reads_residents(table) else ""
    return digest(table.name, code_version(table) + of_estimates, inputs)


@cache
def _reads_residents(table: Table) -> bool:
    sql = _PACKAGE / "sql" / "tables" / f"{table.name}.sql"
    return table.made_by == "sql" and bool(re.search(r"\bresidents\b", sql.read_text(encoding="utf-8")))


def digest(*texts: str) -> str:
    """Return a digest of some texts: 16 hexadecimal characters."""
    return sha256("\n".join(texts).encode()).hexdigest()[:16]


@cache
def code_version(table: Table) -> str:
    """Return a digest of this version's files that a table is computed with: SQL or Spark job, and reference files."""
    found = sha256()
    for folder, pattern in _CODE[table.made_by]:
        for file in sorted(folder.glob(pattern.format(table.name))):
            found.update(file.read_bytes())
    return found.hexdigest()[:16]
