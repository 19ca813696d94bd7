"""The synthetic sample as a source."""
