"""The components of the platform on Google Cloud. `__main__.py` connects them."""
