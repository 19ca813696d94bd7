"""Storage on Google Cloud: Cloud Storage, BigQuery and Dataproc."""
