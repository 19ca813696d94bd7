"""What is wrong with published files: those that are not what the catalog says, and those that nobody needs."""

from collections.abc import Iterator

from chicago_crime.published.catalog import DATA, Catalog, kept_snapshots
from chicago_crime.storage.object_store import Item, ObjectStore


def wrong_sizes(catalog: Catalog, store: ObjectStore) -> Iterator[tuple[int, str]]:
    """The years of files that are missing or have another size, each with what is wrong and what to do: one listing."""
    found = {item.key: item.bytes for item in store.list(DATA)}
    for year, held in catalog.years.items():
        for table in held.tables.values():
            if found.get(table.key) != table.bytes:
                yield year, _damage(store, table.key, year)


def not_intact(catalog: Catalog, store: ObjectStore) -> Iterator[tuple[int, str]]:
    """The years of files that are not what they were, as above; in a folder, each file is read whole."""
    for year, held in catalog.years.items():
        for table in held.tables.values():
            if not store.is_intact(table.key, table.bytes, table.sha256):
                yield year, _damage(store, table.key, year)


def strangers(store: ObjectStore) -> list[Item]:
    """The files that no kept snapshot names; none if a catalog that might name them is damaged."""
    named: set[str] = set()
    for _, kept in kept_snapshots(store):
        if not isinstance(kept, Catalog):
            return []
        named |= kept.keys
    return [item for item in store.list(DATA) if item.key not in named]


def _damage(store: ObjectStore, key: str, year: int) -> str:
    is_there = store.exists(key)
    where, what = (store.location(key), "damaged") if is_there else (key, "missing")
    return f"{where} is {what}: load the year again, chicago-crime run --years {year}"
