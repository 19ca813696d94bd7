"""What a table's year was made of, so that fresh is told from stale by content and never by file times."""

from collections.abc import Iterable
from dataclasses import dataclass
from functools import cache
from hashlib import sha256
from pathlib import Path
from typing import Self

import spark_jobs
from chicago_crime.tables import Table

_PACKAGE = Path(__file__).parent.parent
_CODE = (
    (_PACKAGE / "sql", "tables/*.sql"),
    (_PACKAGE / "sql", "fragments/*.sql"),
    (_PACKAGE / "reference", "*.csv"),
    (Path(spark_jobs.__path__[0]), "*.py"),
)
"""The files that decide what the tables contain: by folder, a pattern."""


@dataclass(frozen=True)
class Lineage:
    """What a year of a table was made of; each digest has 16 hexadecimal characters.

    Attributes:
        identity: stands for the content: the same code over the same inputs has the same identity.
        inputs: digest of the identities of the upstream tables, or of the file, that the year was made from.
    """

    identity: str
    inputs: str

    @classmethod
    def of(cls, table: Table, upstream: Iterable[str], estimates: Path | None = None) -> Self:
        """The lineage of what this version of the package makes from inputs with these identities.

        Args:
            table: what is made.
            upstream: the identities.
            estimates: the file of population estimates, of which each table is made that reads residents.
        """
        inputs = digest(*upstream)
        return cls(_identity(table, inputs, estimates), inputs)

    def is_current(self, table: Table, estimates: Path | None) -> bool:
        """Whether this version of the package would make the same of the same inputs, with these estimates."""
        return self.identity == _identity(table, self.inputs, estimates)


def _identity(table: Table, inputs: str, estimates: Path | None) -> str:
    of_estimates = estimates.read_text() if estimates and table.name == "area_rates" else ""
    return digest(table.name, code_version() + of_estimates, inputs)


def digest(*texts: str) -> str:
    """A digest of texts: 16 hexadecimal characters."""
    return sha256("\n".join(texts).encode()).hexdigest()[:16]


@cache
def code_version() -> str:
    """A digest of the SQL, the Spark job and the reference files of this version."""
    found = sha256()
    for folder, pattern in _CODE:
        for file in sorted(folder.glob(pattern)):
            found.update(file.read_bytes())
    return found.hexdigest()[:16]
