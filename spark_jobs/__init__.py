"""Spark jobs: each file runs by itself on any Spark and imports nothing of `chicago_crime`."""
