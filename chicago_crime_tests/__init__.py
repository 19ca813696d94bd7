"""The tests: a mirror of the package's tree, and `end_to_end/` for what only the whole graph can show."""
