"""What is wrong with published files: those that are not what the catalog says, and those that nobody needs."""

from collections.abc import Iterator

from chicago_crime.published.catalog import DATA, Catalog, PublishedYear, kept_snapshots, published_at
from chicago_crime.storage.object_store import Item, NoObjectError, ObjectStore


def wrong_sizes(catalog: Catalog, store: ObjectStore) -> Iterator[tuple[int, str]]:
    """The years of files that are missing or have another size, each with what is wrong and what to do: one listing."""
    found = {item.key: item.bytes for item in store.list(DATA)}
    for year, held in catalog.years.items():
        for table in held.tables.values():
            if found.get(table.key) != table.bytes:
                yield year, _damage(store, table.key, year, held)


def not_intact(catalog: Catalog, store: ObjectStore) -> Iterator[tuple[int, str]]:
    """The years of files that are not what they were, as above; in a folder, each file is read whole."""
    for year, held in catalog.years.items():
        for table in held.tables.values():
            if not store.is_intact(table.key, table.bytes, table.sha256):
                yield year, _damage(store, table.key, year, held)


def unreferenced_files(store: ObjectStore) -> list[Item]:
    """The files that no kept snapshot names. Those that a damaged catalog may name, by their age, are left out."""
    named: set[str] = set()
    newest_damaged = 0.0
    for snapshot, kept in kept_snapshots(store):
        if isinstance(kept, Catalog):
            named |= kept.keys
        else:
            newest_damaged = max(newest_damaged, published_at(snapshot).timestamp())
    return [item for item in store.list(DATA) if item.key not in named and item.changed_at > newest_damaged]


def _damage(store: ObjectStore, key: str, year: int, held: PublishedYear) -> str:
    try:
        return held.damage(year, store.location(key))
    except NoObjectError:
        return held.damage(year, key, "missing")
