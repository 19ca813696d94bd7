"""Spark jobs: each file runs on its own on any Spark and imports nothing of `chicago_crime`."""
