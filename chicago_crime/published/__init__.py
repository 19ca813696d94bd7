"""Published snapshots: immutable files behind one catalog, from which everybody reads a whole state."""
