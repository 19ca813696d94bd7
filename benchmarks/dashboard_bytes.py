"""How many bytes each page of the dashboard reads on BigQuery, for many choices of filters, as a dry run counts them.

    python -m benchmarks.dashboard_bytes --data-dir DATA

DATA is an installation on a laptop with many years, e.g. 22 full-size ones of the sample (see `benchmarks.run`); its
Parquet files are read and left as they are. The numbers need no Google Cloud: the statements are those that the BigQuery
warehouse sends, Google's rules say what a statement reads (the logical bytes of each named column in each partition that
is left), and the bytes are summed over the same rows. The test's BigQuery server counts by the same code.
"""
