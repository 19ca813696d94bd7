"""How many bytes a statement reads on the BigQuery server, as a dry run reports them.

BigQuery reads the named columns of a table in full, in the partitions that a condition on the partition's column
leaves, whatever other filters there are. This is never less than BigQuery counts: a column that may be of this table
is counted, and so is the partition's column if only the condition names it.
"""

from collections.abc import Iterator, Mapping
from datetime import date

from sqlglot import exp

from chicago_crime.sql.duckdb_dialect import translated
from chicago_crime_tests.servers.bigquery_catalog import PARTITION, Catalog, LiveTable, Partitions


def bytes_read(catalog: Catalog, live: LiveTable, table: exp.Table, values: Mapping[str, object]) -> int:
    """What a statement reads of a table where it names it.

    Args:
        catalog: with the tables.
        live: the table.
        table: the node that names it.
        values: of the statement's parameters.
    """
    around = table.find_ancestor(exp.Select, exp.Delete) or table.parent
    assert around
    named = {column.name for column in around.find_all(exp.Column)}
    # A whole row may be meant by a star, or by the table's own name; COUNT(*) means none.
    is_all = table.alias_or_name in named or any(
        not isinstance(star.parent, exp.Count) for star in around.find_all(exp.Star)
    )
    chosen = _chosen(catalog, live, around, values)
    return sum(
        size
        for part in catalog.measured(live)
        if part.id is None or part.id in chosen
        for name, size in part.bytes.items()
        if is_all or name in named
    )


def _chosen(catalog: Catalog, live: LiveTable, around: exp.Expr, values: Mapping[str, object]) -> set[str]:
    """The ids of the partitions that the conditions on their column leave."""
    ids = {part.id for part in catalog.measured(live) if part.id is not None}
    if live.partitions is None or not ids:
        return ids
    column, where = live.partitions.column or PARTITION, around.args.get("where")
    conditions = [one for one in _all_of(where.this) if _is_about(one, column)] if where else []
    if not conditions:
        return ids
    rows = exp.values([(id_, _value(live.partitions, id_)) for id_ in sorted(ids)], "parts", ["id", "held"])
    chosen = exp.select("id").from_(rows).where(*(one.transform(_as_held) for one in conditions))
    query = translated(chosen, values, exp.to_table)
    return {id_ for (id_,) in catalog.database.cursor().sql(query).fetchall()}


def _all_of(condition: exp.Expr) -> Iterator[exp.Expr]:
    """The conditions of which all must hold."""
    if isinstance(condition, exp.Paren):
        yield from _all_of(condition.this)
    elif isinstance(condition, exp.And):
        yield from _all_of(condition.left)
        yield from _all_of(condition.right)
    else:
        yield condition


def _is_about(condition: exp.Expr, column: str) -> bool:
    """Whether a condition is only about the partition's column: BigQuery evaluates those before it reads."""
    return {one.name for one in condition.find_all(exp.Column)} == {column} and not condition.find(exp.Query)


def _value(partitions: Partitions, id_: str) -> int | date | None:
    """The value of the partition's column in a partition."""
    if not id_.isdigit():
        return None
    return int(id_) if partitions.unit == "RANGE" else date(int(id_[:4]), int(id_[4:6] or 1), 1)


def _as_held(node: exp.Expr) -> exp.Expr:
    """A condition on the partition's column as one on what the partition holds; times are days there."""
    if isinstance(node, exp.Column):
        return exp.column("held")
    return node.this if isinstance(node, exp.Timestamp) else node
