"""The assets: thin modules that delegate the work to `intake/`, `storage/` and `sql/`."""
