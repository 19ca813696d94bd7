"""Published snapshots: immutable files behind one catalog, so that all readers see a consistent state."""
