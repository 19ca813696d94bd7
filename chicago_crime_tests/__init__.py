"""The tests mirror the package's tree; `end_to_end/` tests complete runs."""
