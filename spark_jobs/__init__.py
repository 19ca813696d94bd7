"""Spark jobs. Each file is self-contained: it runs on any Spark and does not import `chicago_crime`."""
