"""Storage on a laptop: folders, DuckDB over Parquet, and Spark's engines."""

ROWS_OF_GROUP = 30_720
"""Rows of a Parquet row group: few enough that a filter on month and type skips most of a year, and enough to compress
well. It is here because the process of Spark's engine must not import DuckDB to read it."""
