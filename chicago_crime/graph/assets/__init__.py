"""The asset graph: thin modules that declare the assets and leave the work to `intake/`, `storage/` and `sql/`."""
