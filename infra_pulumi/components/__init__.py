"""The components of the platform on Google Cloud. `__main__.py` shows how they are put together."""
