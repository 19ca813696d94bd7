"""The Spark runner on Dataproc: clusters and serverless batches."""
