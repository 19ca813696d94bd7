"""Integrity of published files: damaged, missing and unreferenced ones."""

from collections.abc import Callable, Iterator

from chicago_crime.published.catalog import DATA, Catalog, PublishedTable, kept_snapshots, published_at
from chicago_crime.storage.object_store import Item, NoObjectError, ObjectStore


def wrong_sizes(catalog: Catalog, store: ObjectStore) -> Iterator[tuple[int, str]]:
    """Yield year and problem of each file that is missing or has the wrong size. This lists the store once."""
    found = {item.key: item.bytes for item in store.list(DATA)}
    return _damaged(catalog, store, lambda table: found.get(table.key) == table.bytes)


def not_intact(catalog: Catalog, store: ObjectStore) -> Iterator[tuple[int, str]]:
    """Yield year and problem of each file whose checksum is wrong. In a folder, this reads all files."""
    return _damaged(catalog, store, lambda table: store.is_intact(table.key, table.bytes, table.sha256))


def unreferenced_files(store: ObjectStore) -> list[Item]:
    """Return files that no retained snapshot references, except those old enough for a damaged catalog to reference."""
    named: set[str] = set()
    newest_damaged = 0.0
    for snapshot, kept in kept_snapshots(store):
        if isinstance(kept, Catalog):
            named |= kept.keys
        else:
            newest_damaged = max(newest_damaged, published_at(snapshot).timestamp())
    return [item for item in store.list(DATA) if item.key not in named and item.changed_at > newest_damaged]


def _damaged(
    catalog: Catalog, store: ObjectStore, is_good: Callable[[PublishedTable], bool]
) -> Iterator[tuple[int, str]]:
    for year, held in catalog.years.items():
        for table in (one for one in held.tables.values() if not is_good(one)):
            try:
                yield year, held.damage(year, store.location(table.key))
            except NoObjectError:
                yield year, held.damage(year, table.key, "missing")
