"""Storage on a laptop: folders, DuckDB over Parquet, and Spark in this process or in a JVM."""
