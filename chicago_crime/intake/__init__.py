"""Validate yearly files, separate rows from damaged lines, and store them with a manifest."""
