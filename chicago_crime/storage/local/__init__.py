"""Storage on a laptop: folders, DuckDB over Parquet, and Spark's engines."""
