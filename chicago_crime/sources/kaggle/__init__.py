"""The Kaggle dataset as a source."""
