"""The asset graph: thin modules that say what each table is, and leave the how to `resources/` and `sql/`."""
